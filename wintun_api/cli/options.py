"""The options that several commands share, and how flags become `Settings`."""

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
DRIVER = "Which driver it uses"

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar=variables.CONFIG,
        help="TOML file with settings. Its keys are the names of the options.",
    ),
]
Driver: TypeAlias = Annotated[
    DriverName | None,
    typer.Option(
        help="The driver to use. The default is the real driver of this system.",
        rich_help_panel=DRIVER,
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="The address to listen on. The default is 127.0.0.1.", rich_help_panel=SERVICE
    ),
]
Port: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="The TCP port. The default is 9886; 0 takes a free one.",
        rich_help_panel=SERVICE,
    ),
]
DataDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="The directory for tokens and the list of pools.", rich_help_panel=ACCESS),
]
AdminTokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="The file with the admin token. It is created if it is missing. The default is the "
        "file token in --data-dir.",
        rich_help_panel=ACCESS,
    ),
]
WintunDll: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--wintun-dll",
        resolve_path=True,
        help="The wintun.dll to load. By default the service looks beside the Python executable "
        "and then in --data-dir.",
        rich_help_panel=DRIVER,
    ),
]
AllowUnverifiedDll: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--allow-unverified-dll",
        help="Load a wintun.dll that is not a known release and not signed by WireGuard LLC, "
        "such as your own build.",
        rich_help_panel=DRIVER,
    ),
]
GenerationOption: TypeAlias = Annotated[
    Generation | None,
    typer.Option(
        "--generation",
        help="The Wintun API that the emulated driver follows: pool is that of 0.9 to 0.13, "
        "tunnel-type that of 0.14.",
        rich_help_panel=DRIVER,
    ),
]

Url: TypeAlias = Annotated[
    str, typer.Option("--url", envvar=variables.URL, help="The address of the service.")
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        help="The token. Other users can see it in the list of processes, so prefer the variable "
        "WINTUN_API_TOKEN or --token-file.",
        show_default=False,
    ),
]
TokenFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--token-file", help="The file with the token. The default is the service's own file."
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Write JSON for scripts, errors too.")
]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write only ids, one per line.")
]


def finite(number: float | None) -> float | None:
    """Return the number of an option, unless it is infinite or not a number at all."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("Give a number such as 2.5.")
    return number


def check_output(*, as_json: bool, quiet: bool) -> None:
    """Refuse --json together with --quiet."""
    if as_json and quiet:
        raise typer.BadParameter("--json and --quiet cannot be used together.")


def read_settings(config: Path | None = None, **flags: Any) -> Settings:
    """Return the settings, or exit with 2 if one is wrong.

    Flags that were not given are None or empty.
    """
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
