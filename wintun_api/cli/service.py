"""`wintun-api service`: run it as a service of Windows, or of Linux under systemd."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wintun_api.cli import options
from wintun_api.cli.output import fail, show_json
from wintun_api.cli.table import show_record

if TYPE_CHECKING:
    from wintun_api.settings import Settings

app = typer.Typer(
    name="service",
    help="Run it as a service of Windows; print the unit for systemd on Linux.",
    no_args_is_help=True,
)

LogLevel = Annotated[
    options.LogLevel | None, typer.Option(help="What is written to the log file; default info.")
]


@app.command()
def install(
    *,
    config: options.Config = None,
    driver: options.Driver = None,
    host: options.Host = None,
    port: options.Port = None,
    token_file: options.AdminTokenFile = None,
    data_dir: options.DataDir = None,
    wintun_dll: options.WintunDll = None,
    allow_unverified_dll: options.AllowUnverifiedDll = None,
    log_level: LogLevel = None,
) -> None:
    """Install the service, or change how it runs. It starts with Windows.

    It runs as LocalSystem with the options given here, and starts again after a
    failure. Variables of this console are not passed on. Run as Administrator.
    """
    windows = _windows()
    flags = {
        "config": config,
        "driver": driver,
        "host": host,
        "port": port,
        "token_file": token_file,
        "data_dir": data_dir,
        "wintun_dll": wintun_dll,
        "allow_unverified_dll": allow_unverified_dll,
        "log_level": log_level,
    }
    settings = _settings(flags)
    _elevated()
    token = _prepare(settings)
    # Named, for the service's account may have other directories of its own.
    warnings = windows.install(command_line({**flags, "data_dir": settings.data_dir}))
    for warning in warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"Installed. Token file: {token}; logs: {settings.data_dir / 'logs'}.")
    typer.echo("Start it with: wintun-api service start")


@app.command()
def start() -> None:
    """Start the service and wait until it answers."""
    windows = _windows()
    with windows.sentences():
        windows.start()
    typer.echo("Started.")


@app.command()
def stop() -> None:
    """End the service in order, as Ctrl-C would, and wait for it."""
    windows = _windows()
    with windows.sentences():
        windows.stop()
    typer.echo("Stopped.")


@app.command()
def status(*, as_json: options.Json = False) -> None:
    """Show the service. Exits with 0 when it runs, else with 1."""
    windows = _windows()
    with windows.sentences():
        found = windows.status()
    if as_json:
        show_json(found)
    else:
        show_record(found)
    if found["state"] != "running":
        raise typer.Exit(1)


@app.command()
def remove() -> None:
    """Stop and remove the service. Its data, token and logs stay."""
    windows = _windows()
    with windows.sentences():
        windows.remove()
    typer.echo("Removed.")


@app.command()
def unit(
    *,
    executable: Annotated[
        Path | None,
        typer.Option(help="The wintun-api that the service runs; default: this one."),
    ] = None,
) -> None:
    """Print a unit for systemd: one right, one device, no files but its own.

    Its first lines say how to install it.
    """
    if sys.platform == "win32":
        fail("This is for Linux; here it is: wintun-api service install", code=2)
    else:
        from wintun_api.cli import unit as units

        command = units.command() if executable is None else [str(executable.absolute())]
        typer.echo(units.unit(command), nl=False)
        hidden = units.hidden_paths(command) if executable is None else []
        if hidden:
            typer.echo(
                f"Warning: a service cannot see {' and '.join(map(str, hidden))}. Install "
                "wintun-api where all users may read it, such as a virtual environment in /opt of "
                "the system's Python, and print the unit from there.",
                err=True,
            )


@app.command(hidden=True)
def run(
    *,
    config: options.Config = None,
    driver: options.Driver = None,
    host: options.Host = None,
    port: options.Port = None,
    token_file: options.AdminTokenFile = None,
    data_dir: options.DataDir = None,
    wintun_dll: options.WintunDll = None,
    allow_unverified_dll: options.AllowUnverifiedDll = None,
    log_level: LogLevel = None,
) -> None:
    """Be the service. Windows calls this."""
    flags = {
        "driver": driver,
        "host": host,
        "port": port,
        "token_file": token_file,
        "data_dir": data_dir,
        "wintun_dll": wintun_dll,
        "allow_unverified_dll": allow_unverified_dll,
        "log_level": log_level,
    }
    windows = _windows()
    # Read when Windows waits for the answer, so that wrong ones are told as the service's failure.
    windows.host(lambda: options.read_settings(config, **flags))


def command_line(flags: dict[str, Any]) -> str:
    """Return what Windows is to run; the program is quoted always.

    Unquoted, a path with a space is cut there, and whoever can write C:/Program.exe is SYSTEM.
    """
    words = ["service", "run"]
    if not getattr(sys, "frozen", False):
        # Isolated: neither variables nor the working directory say what is imported; and SYSTEM
        # writes no byte code beside the program.
        words = ["-I", "-B", "-m", "wintun_api", *words]
    for name, value in flags.items():
        if value is not None and value is not False:
            words.append("--" + name.replace("_", "-"))
            if isinstance(value, Path):
                words.append(str(value.absolute()))
            elif value is not True:
                words.append(str(value))
    return f'"{sys.executable}" {subprocess.list2cmdline(words)}'


def _settings(flags: dict[str, Any]) -> Settings:
    given = dict(flags)
    return options.read_settings(given.pop("config"), **given)


def _prepare(settings: Settings) -> Path:
    from wintun_api.api.tokens import load_admin_token
    from wintun_api.drivers.wintun import acl
    from wintun_api.files import UntrustedFile

    data, token = settings.data_dir, settings.token_path
    try:
        acl.make_directory(data)
        if not acl.is_ours(data):
            fail(
                f"{data} belongs to somebody else, who could give orders to the service with it.",
                "Delete it, or name another directory with --data-dir.",
            )
        acl.protect(data)
        load_admin_token(token)
        acl.protect(token)
    except OSError as error:
        fail(f"Cannot prepare {data}: {error}.", "Name another directory with --data-dir.")
    except UntrustedFile as error:
        fail(str(error), error.hint)
    return token


def _elevated() -> None:
    from wintun_api.drivers.wintun.win32 import elevated

    if not elevated():
        fail("A service can only be installed from a console opened as Administrator.")


def _windows() -> ModuleType:  # noqa: RET503 - fail never returns
    if sys.platform == "win32":
        if find_spec("win32serviceutil") is None:
            fail("This needs pywin32: pip install 'wintun-api[service]'", code=2)
        from wintun_api.cli import windows_service

        return windows_service
    else:  # noqa: RET505  the type checker needs the branch
        fail(
            "This is for Windows. For systemd: wintun-api service unit; "
            "other systems can run wintun-api serve.",
            code=2,
        )
