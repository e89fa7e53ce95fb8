"""`wintun-api serve`: run the service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from wintun_api.cli.hints import hint_for
from wintun_api.cli.setting_options import Flags, takes_settings

if TYPE_CHECKING:
    from wintun_api.api.data_directory import DataDirectory
    from wintun_api.api.tokens import TokenStore
    from wintun_api.cli.running import CommandServer
    from wintun_api.settings import Settings


@takes_settings("serve")
def serve(*, flags: Flags) -> None:
    """Run the service.

    Every option is also an environment variable (--tls-key is WINTUN_API_TLS_KEY) and a
    key of the TOML file (tls_key). An option overrides a variable, and a variable
    overrides the file. An option that can be repeated has the plural there, as --pool
    has pools. A name that is not known is refused.

    Ctrl-C or SIGTERM ends the service in order, with exit code 0.

    If systemd passes listening sockets (socket activation), the service uses them
    instead of --host and --port.
    """
    run(flags.settings())


def run(settings: Settings, started: Callable[[CommandServer], None] | None = None) -> None:
    """Run the service until a signal ends it; exit with a sentence if it cannot start.

    Args:
        settings: The settings of the service.
        started: Called once the service answers; `should_exit` of its server ends it in order.
    """
    from wintun_api.address import url_at
    from wintun_api.cli import notify, running
    from wintun_api.cli.log import configure_logging

    configure_logging(settings.log_level)
    running.survive_hangup()
    settings, sockets = running.sockets_or_exit(settings)
    url = url_at(settings, sockets[0].getsockname()[1])
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
        fail(str(error), hint_for(error))
    except OSError as error:
        where = "" if error.filename in (None, str(path)) else f" ({error.filename})"
        fail(
            f"Cannot read or make the token file {path}: {error.strerror or error}{where}.",
            "Give a file that this user may write with --token-file, or a directory with "
            "--data-dir.",
        )


def _announce(server: CommandServer, settings: Settings, token: str) -> None:
    import sys

    from wintun_api import __version__, native
    from wintun_api.choices import Native
    from wintun_api.cli.log import tell
    from wintun_api.cli.running import dashboard_url, warn

    tell(
        f"wintun-api {__version__} serves the driver {settings.driver} at {server.url} "
        f"(token file: {settings.token_path})"
    )
    if server.reach:
        tell(server.reach)
    absence = None if settings.native is Native.OFF else native.absence()
    if absence is not None and absence is not native.NOT_BUILT:  # one that was built is spoilt
        warn(f"The C extension is not used. {absence.reason} {absence.hint}")
    # A log would keep the token; a terminal is where its owner reads it.
    if sys.stdout is not None and sys.stdout.isatty():
        tell(f"Dashboard: {dashboard_url(server.url, token)}", err=False)
