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

PATIENCE = "How long it waits, and how much it keeps"
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
            help="A host name to accept besides the loopback names. Can be repeated.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    tls_certificate: Annotated[
        Path | None,
        typer.Option(
            help="A PEM file with the certificate. With it the service uses TLS.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(help="A PEM file with the key of the certificate.", rich_help_panel=SERVICE),
    ] = None,
    allow_insecure_bind: Annotated[
        bool | None,
        typer.Option(
            "--allow-insecure-bind",
            help="Listen on other addresses than loopback without TLS. The token is then sent "
            "unencrypted.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    guesses_per_minute: Annotated[
        int | None,
        typer.Option(
            help="How many wrong tokens one address may send in a minute. The default is 100.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="The address or network of a reverse proxy whose X-Forwarded-For and "
            "X-Forwarded-Proto headers are trusted. Can be repeated.",
            rich_help_panel=SERVICE,
        ),
    ] = None,
    wintun_dll: options.WintunDll = None,
    allow_unverified_dll: options.AllowUnverifiedDll = None,
    generation: options.GenerationOption = None,
    traffic: Annotated[
        float | None,
        typer.Option(
            help="How many packets per second the emulated driver sends.", rich_help_panel=DRIVER
        ),
    ] = None,
    emulated_state: Annotated[
        Path | None,
        typer.Option(
            help="A file that keeps the adapters of the emulated driver across restarts.",
            rich_help_panel=DRIVER,
        ),
    ] = None,
    pool: Annotated[
        list[str] | None,
        typer.Option(
            help="A pool to list besides those that the service has used. Can be repeated.",
            rich_help_panel=DRIVER,
        ),
    ] = None,
    management_timeout: Annotated[
        float | None,
        typer.Option(
            help="How many seconds a request waits for a driver call. The default is 30.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    request_timeout: Annotated[
        float | None,
        typer.Option(
            help="How many seconds a client has to send a request. The default is 15.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    idle_timeout: Annotated[
        float | None,
        typer.Option(
            help="How many seconds an idle connection is kept open. The default is 30.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    max_connections: Annotated[
        int | None,
        typer.Option(
            help="How many connections there can be at a time. The default is 1024, or fewer if "
            "the limit of open files is lower.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    burst_packets: Annotated[
        int | None,
        typer.Option(
            help="How many packets are read at a time. The default is 1024.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    burst_bytes: Annotated[
        int | None,
        typer.Option(
            help="How many bytes are read at a time. The default is 128 KiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    message_bytes: Annotated[
        int | None,
        typer.Option(
            help="Up to how many bytes queued packets share a message. The default is 128 KiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    queue_packets: Annotated[
        int | None,
        typer.Option(
            help="The size of a subscriber's queue in packets. The default is 65536.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    queue_bytes: Annotated[
        int | None,
        typer.Option(
            help="The size of a subscriber's queue in bytes. The default is 8 MiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    max_message: Annotated[
        int | None,
        typer.Option(
            help="The largest message that a client may send, in bytes. The default is 256 KiB.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    socket_bytes: Annotated[
        int | None,
        typer.Option(
            help="The size of the kernel buffers of a connection in bytes. By default the system "
            "chooses it.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    native: Annotated[
        str | None,
        typer.Option(
            help="The native part of the Linux driver: auto, off, or the absolute path of one. The "
            "default is auto.",
            rich_help_panel=PACKETS,
        ),
    ] = None,
    event_history: Annotated[
        int | None,
        typer.Option(
            help="How many events are kept for clients that connect again. The default is 1000.",
            rich_help_panel=PATIENCE,
        ),
    ] = None,
    log_level: Annotated[
        options.LogLevel | None,
        typer.Option(help="How much is written to standard error. The default is info."),
    ] = None,
) -> None:
    """Run the service.

    Every option is also an environment variable (--tls-key is WINTUN_API_TLS_KEY) and a
    key of the TOML file (tls_key). An option overrides a variable, and a variable
    overrides the file. Options that can be repeated have the plural there: pools,
    allowed_hosts, trusted_proxies. A name that is not known is refused.

    Ctrl-C or SIGTERM ends the service in order, with exit code 0.
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
    """Run the service until a signal ends it; exit with a sentence if it cannot start.

    Args:
        settings: The settings of the service.
        started: Called once the service answers; `should_exit` of its server ends it in order.
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
    """Return the locked data directory, the admin token and the tokens; exit if one is bad."""
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
            "Give a file that this user may write with --token-file, or a directory with "
            "--data-dir.",
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
