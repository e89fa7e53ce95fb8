"""Options that several commands have, and the way from flags to `Settings`."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from wintun_api.cli import variables
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.paste import trimmed

if TYPE_CHECKING:
    from wintun_api.settings import Settings

DEFAULT_URL = "http://127.0.0.1:9886"

# As in settings, which is not imported here: it costs a third of a second.
DriverName: TypeAlias = Literal["wintun", "linux", "emulated"]
Generation: TypeAlias = Literal["pool", "tunnel-type"]
LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]

SERVICE = "Where it listens"
ACCESS = "Who may use it"
DRIVER = "What is behind it"

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(envvar=variables.CONFIG, help="TOML file with settings; keys are as the flags."),
]
Driver: TypeAlias = Annotated[
    DriverName | None,
    typer.Option(
        help="Driver; default: the platform's real one.",
        rich_help_panel=DRIVER,
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Address to listen on; default 127.0.0.1.", rich_help_panel=SERVICE),
]
Port: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="TCP port; default 9886; 0 takes a free one.",
        rich_help_panel=SERVICE,
    ),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="Directory of tokens and known pools.", rich_help_panel=ACCESS),
]
AdminTokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="File of the admin token; made when missing; default: token in --data-dir.",
        rich_help_panel=ACCESS,
    ),
]
WintunDll: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--wintun-dll",
        resolve_path=True,
        help="wintun.dll to use; default: beside the Python executable, then in --data-dir.",
        rich_help_panel=DRIVER,
    ),
]
AllowUnverifiedDll: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--allow-unverified-dll",
        help="Load a wintun.dll that is no known release and not signed by WireGuard LLC, "
        "such as your own build.",
        rich_help_panel=DRIVER,
    ),
]
GenerationOption: TypeAlias = Annotated[
    Generation | None,
    typer.Option(
        "--generation",
        help="The emulated driver's API generation: pool is 0.9 to 0.13, tunnel-type 0.14.",
        rich_help_panel=DRIVER,
    ),
]

Url: TypeAlias = Annotated[
    str, typer.Option("--url", envvar=variables.URL, help="Address of the service.")
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="Token; other users can see it in the list of processes, so rather set "
        "WINTUN_API_TOKEN or use --token-file.",
        show_default=False,
    ),
]
TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--token-file", help="File of the token; default: the service's own."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")]


def finite(number: float | None) -> float | None:
    """Return the number of an option; `inf` and `nan` are numbers to Python, but to no command."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("give a number such as 2.5.")
    return number


def read_settings(config: Path | None = None, **flags: Any) -> Settings:
    """Return the settings; flags that were not given are None or empty. Exits with 2 if wrong."""
    from wintun_api.cli.config_file import check_config
    from wintun_api.errors import InvalidSettings
    from wintun_api.files import UntrustedFile
    from wintun_api.settings import Settings

    variables.check_variables()
    given = {name: value for name, value in flags.items() if value not in (None, [], ())}
    try:
        if config is not None:
            config = Path(trimmed(str(config)))
            check_config(config)
        return Settings.load(config, **given)
    except UntrustedFile as error:
        fail(str(error), error.hint, code=ExitCode.USAGE)
    except InvalidSettings as error:
        fail(*error.problems, error.hint, code=ExitCode.USAGE)


def environment_settings() -> Settings:
    """Return the settings a service started from this environment would have."""
    config = os.environ.get(variables.CONFIG)
    return read_settings(Path(config) if config else None)
