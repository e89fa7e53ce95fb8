"""`wintun-api serve`: run the service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli import options
from wintun_api.cli.options import DRIVER, SERVICE

if TYPE_CHECKING:
    from wintun_api.api.data_directory import DataDirectory
    from wintun_api.api.tokens import TokenStore
    from wintun_api.cli.running import CommandServer
    from wintun_api.settings import Settings

PATIENCE = "How patient it is"
PACKETS = "The packet path"


def serve(
    *,
    config: options.Config = None,
    driver: options.Driver = None,
    host: options.Host = None,
    port: options.Port = None,
    token_file: options.AdminTokenFile = None,
    data_dir: options.DataDir = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help="Host name accepted besides the loopback ones; repeatable.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="PEM file; turns TLS on.", rich_help_panel=SERVICE)
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(help="PEM file of the certificate's key.", rich_help_panel=SERVICE),
    ] = None,
    allow_insecure_bind: Annotated[
        bool | None,
        typer.Option(
            "--allow-insecure-bind",
            help="Listen beyond loopback without TLS; the token then travels in clear.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    guesses_per_minute: Annotated[
        int | None,
        typer.Option(
            help="Wrong tokens that one address may send in a minute; default 100.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or network of a reverse proxy whose X-Forwarded-For and "
            "X-Forwarded-Proto are believed; repeatable.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    wintun_dll: options.WintunDll = None,
    allow_unverified_dll: options.AllowUnverifiedDll = None,
    generation: options.GenerationOption = None,
    traffic: Annotated[
        float | None,
        typer.Option(help="The emulated driver's packets per second.", rich_help_panel=DRIVER),
    ] = None,
    emulated_state: Annotated[
        Path | None,
        typer.Option(
            help="File that keeps the emulated driver's adapters over a restart.",
            rich_help_panel=DRIVER,
        ),
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            help="Pool to list besides those the service has used; repeatable.",
            rich_help_panel=DRIVER,
        ),
    ] = None,
    management_timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a request waits for a management call; default 30.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    request_timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a client has to send a request; default 15.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    idle_timeout: Annotated[
        float | None,
        typer.Option(
            help="Seconds that a connection is kept open for another request; default 30.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    max_connections: Annotated[
        int | None,
        typer.Option(
            help="Connections at a time; default 1024, or fewer where the limit of open files "
            "is lower.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    burst_packets: Annotated[
        int | None,
        typer.Option(help="Packets read at a time; default 1024.", rich_help_panel=PACKETS),
    ] = None,
    burst_bytes: Annotated[
        int | None,
        typer.Option(help="Bytes read at a time; default 128 KiB.", rich_help_panel=PACKETS),
    ] = None,
    message_bytes: Annotated[
        int | None,
        typer.Option(
            help="Size up to which queued bursts share a message; default 128 KiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    queue_packets: Annotated[
        int | None,
        typer.Option(
            help="A subscriber's queue in packets; default 65536.", rich_help_panel=PACKETS
        ),
    ] = None,
    queue_bytes: Annotated[
        int | None,
        typer.Option(help="A subscriber's queue in bytes; default 8 MiB.", rich_help_panel=PACKETS),
    ] = None,
    max_message: Annotated[
        int | None,
        typer.Option(
            help="Bytes of the largest message a client may send; default 256 KiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    socket_bytes: Annotated[
        int | None,
        typer.Option(
            help="Kernel buffers of a connection in bytes; default: as the system grows them.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    native: Annotated[
        str | None,
        typer.Option(
            help="The Linux driver's native part: auto, off, or an absolute path; default auto.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    event_history: Annotated[
        int | None,
        typer.Option(
            help="Events kept for those who come back; default 1000.", rich_help_panel=PATIENCE
        ),
    ] = None,
    log_level: Annotated[
        options.LogLevel | None,
        typer.Option(help="What is written to standard error; default info."),
    ] = None,
) -> None:
    """Run the service.

    Every option is also an environment variable (--tls-key is WINTUN_API_TLS_KEY)
    and a key of the TOML file (tls_key). A flag beats a variable, a variable the
    file. Repeatable ones have the plural there: pools, allowed_hosts.

    Ctrl-C or SIGTERM ends it in order.
    """
    settings = options.read_settings(
        config,
        host=host,
        port=port,
        allowed_hosts=allowed_host,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        allow_insecure_bind=allow_insecure_bind,
        trusted_proxies=trusted_proxy,
        data_dir=data_dir,
        token_file=token_file,
        guesses_per_minute=guesses_per_minute,
        driver=driver,
        wintun_dll=wintun_dll,
        allow_unverified_dll=allow_unverified_dll,
        generation=generation,
        traffic=traffic,
        emulated_state=emulated_state,
        pools=pool,
        management_timeout=management_timeout,
        request_timeout=request_timeout,
        idle_timeout=idle_timeout,
        max_connections=max_connections,
        burst_packets=burst_packets,
        burst_bytes=burst_bytes,
        message_bytes=message_bytes,
        queue_packets=queue_packets,
        queue_bytes=queue_bytes,
        max_message=max_message,
        socket_bytes=socket_bytes,
        native=native,
        event_history=event_history,
        log_level=log_level,
    )
    run(settings)


def run(settings: Settings, started: Callable[[CommandServer], None] | None = None) -> None:
    """Run the service until a signal ends it; exit with a sentence when it cannot start.

    Args:
        settings: What it needs to know.
        started: Told once it answers; `should_exit` of the server it is given ends it in order.
    """
    from wintun_api.api.server import check_bind
    from wintun_api.cli import notify, running
    from wintun_api.cli.log import configure_logging
    from wintun_api.cli.output import fail
    from wintun_api.errors import InvalidArgument

    configure_logging(settings.log_level)
    running.survive_hangup()
    try:
        check_bind(settings)
    except InvalidArgument as error:
        fail(str(error), error.hint, code=2)
    sockets = running.listen_or_exit(settings)
    url = running.url_at(settings, sockets[0].getsockname()[1])
    directory, token, tokens = _open_data(settings, url)

    async def announce(server: CommandServer) -> None:
        _announce(server, settings, token)
        notify.ready(f"The driver {settings.driver} at {server.url}")
        if started is not None:
            started(server)

    with closing(directory):
        running.make_server(settings, sockets, tokens, announce).start()


def _open_data(settings: Settings, url: str) -> tuple[DataDirectory, str, TokenStore]:
    """Return the locked data directory, the admin token and the tokens; exit where one is bad."""
    from wintun_api.api.data_directory import DataDirectory
    from wintun_api.api.tokens import TokenStore, load_admin_token
    from wintun_api.cli.output import fail
    from wintun_api.cli.running import warn
    from wintun_api.errors import WintunApiError

    path = settings.token_path
    try:
        directory = DataDirectory.open(settings.data_dir, url)
        token = load_admin_token(path, warn)
        return directory, token, TokenStore(token, settings.data_dir / "tokens.json")
    except WintunApiError as error:
        fail(str(error), error.hint)
    except OSError as error:
        where = "" if error.filename in (None, str(path)) else f" ({error.filename})"
        fail(
            f"Cannot read or make the token file {path}: {error.strerror or error}{where}.",
            "Name one you may write with --token-file, or a directory with --data-dir.",
        )


def _announce(server: CommandServer, settings: Settings, token: str) -> None:
    import sys

    from wintun_api import __version__
    from wintun_api.cli.log import tell
    from wintun_api.cli.running import dashboard_url

    tell(
        f"wintun-api {__version__} serves the driver {settings.driver} at {server.url} "
        f"(token file: {settings.token_path})"
    )
    if server.reach:
        tell(server.reach)
    # A log would keep the token; a terminal is where its owner reads it.
    if sys.stdout is not None and sys.stdout.isatty():
        tell(f"Dashboard: {dashboard_url(server.url, token)}", err=False)
