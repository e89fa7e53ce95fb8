"""`wintun-api service`: run wintun-api as a Windows service, or under systemd on Linux."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.hints import hint_for
from wintun_api.cli.options import Json, as_path
from wintun_api.cli.output import fail, show_json
from wintun_api.cli.setting_options import Flags, takes_settings
from wintun_api.cli.table import show_record

if TYPE_CHECKING:
    from wintun_api.settings import Settings

app = typer.Typer(
    name="service",
    help="Run wintun-api as a Windows service, or print a unit for systemd on Linux.",
    no_args_is_help=True,
)

# From a clone: the project is not published, so its name in an index may be another's.
INSTALL_SERVICE = "pip install '.[service]' in the directory of the source code"


@app.command()
@takes_settings("service")
def install(*, flags: Flags, as_json: Json = False) -> None:
    """Install the Windows service, or change its options. It starts with Windows.

    The service runs as LocalSystem with the options given here, and starts again after
    a failure. It does not see the variables of this console. Run this as Administrator.
    """
    windows = _windows()
    settings = flags.settings()
    _elevated()
    token = _prepare(settings)
    # Given in full, as the account of the service may have other directories of its own.
    given = flags.given_with(data_dir=settings.data_dir)
    warnings = windows.install(command_line(given))
    for warning in warnings:
        typer.echo(f"Warning: {warning}", err=True)
    logs = settings.data_dir / "logs"
    if as_json:
        show_json({"state": "installed", "token_file": str(token), "logs": str(logs)})
        return
    typer.echo(f"Installed. The token file is {token}, the logs are in {logs}.")
    typer.echo("Start the service with: wintun-api service start")


@app.command()
def start(*, as_json: Json = False) -> None:
    """Start the service and wait until it answers."""
    windows = _windows()
    with windows.sentences():
        windows.start()
    if as_json:
        show_json({"state": "running"})
    else:
        typer.echo("Started.")


@app.command()
def stop(*, as_json: Json = False) -> None:
    """Stop the service in order, as Ctrl-C would, and wait until it has ended."""
    windows = _windows()
    with windows.sentences():
        windows.stop()
    if as_json:
        show_json({"state": "stopped"})
    else:
        typer.echo("Stopped.")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show the state of the Windows service. Exits with 3 if it does not run."""
    windows = _windows()
    with windows.sentences():
        found = windows.status()
    if as_json:
        show_json(found)
    else:
        show_record(found)
    if found["state"] != "running":
        raise typer.Exit(ExitCode.NOT_REACHABLE)


@app.command()
def remove(*, as_json: Json = False) -> None:
    """Stop and remove the service. Its data, its token and its logs stay."""
    windows = _windows()
    with windows.sentences():
        windows.remove()
    if as_json:
        show_json({"state": "removed"})
    else:
        typer.echo("Removed.")


@app.command()
def unit(
    *,
    executable: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="The wintun-api that the unit starts. The default is this one.",
        ),
    ] = None,
    join: Annotated[
        bool,
        typer.Option(
            "--join",
            help="Print the unit of an agent, which runs wintun-api join without any right; one "
            "unit is for all networks.",
        ),
    ] = False,
) -> None:
    """Print a unit for systemd, with only the rights that the service needs.

    The first lines of the unit say how to install it.
    """
    if sys.platform == "win32":
        fail(
            "systemd is for Linux only.",
            "On Windows use: wintun-api service install",
            code=ExitCode.USAGE,
        )
    else:
        from wintun_api.cli import unit as units

        command = units.command() if executable is None else [str(executable.absolute())]
        typer.echo(units.unit(command, units.AGENT if join else units.SERVICE), nl=False)
        hidden = units.hidden_paths(command) if executable is None else []
        if hidden:
            typer.echo(
                f"Warning: a service cannot see {' and '.join(map(str, hidden))}. Install "
                "wintun-api where all users can read it, such as in a virtual environment in /opt "
                "made with the Python of the system, and print the unit from there.",
                err=True,
            )


@app.command(hidden=True)
@takes_settings("service")
def run(*, flags: Flags) -> None:
    """Run as the Windows service. Only Windows calls this."""
    windows = _windows()
    # Read while Windows waits, so that wrong settings are reported as a failure of the service.
    windows.host(flags.settings)


def command_line(flags: Flags) -> str:
    """Return the command that Windows runs; the program is always quoted.

    Without quotes Windows cuts a path at a space, and any user who can write C:/Program.exe
    could run it as SYSTEM.
    """
    words = ["service", "run"]
    if not getattr(sys, "frozen", False):
        # Isolated: neither variables nor the working directory say what is imported; and SYSTEM
        # writes no byte code beside the program.
        words = ["-I", "-B", "-m", "wintun_api", *words]
    return f'"{sys.executable}" {subprocess.list2cmdline([*words, *flags.words()])}'


def _prepare(settings: Settings) -> Path:
    from wintun_api.api.tokens import load_admin_token
    from wintun_api.drivers.windows import acl
    from wintun_api.files import UntrustedFile

    data, token = settings.data_dir, settings.token_path
    try:
        acl.make_directory(data)
        if not acl.is_ours(data):
            fail(
                f"{data} belongs to another user, who could use it to control the service.",
                "Delete the directory, or give another one with --data-dir.",
            )
        acl.protect(data)
        load_admin_token(token)
        acl.protect(token)
    except OSError as error:
        fail(f"Cannot prepare {data}: {error}.", "Give another directory with --data-dir.")
    except UntrustedFile as error:
        fail(str(error), hint_for(error))
    return token


def _elevated() -> None:
    from wintun_api.drivers.windows.elevation import elevated

    if not elevated():
        fail(
            "A service can only be installed by an administrator.",
            "Open a console with Run as administrator, and run the command there.",
        )


def _windows() -> ModuleType:  # noqa: RET503 - fail never returns
    if sys.platform == "win32":
        if find_spec("win32serviceutil") is None:
            fail(
                "The Windows service needs pywin32, which is not installed.",
                f"Install it with: {INSTALL_SERVICE}",
                code=ExitCode.USAGE,
            )
        from wintun_api.cli import windows_service

        return windows_service
    else:  # noqa: RET505  the type checker needs the branch
        fail(
            "This command is for Windows only.",
            "For systemd on Linux use wintun-api service unit; elsewhere run wintun-api serve.",
            code=ExitCode.USAGE,
        )
