"""`wintun-api extcap`: show the adapters of the service in Wireshark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer
from typer.core import TyperGroup

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.options import Json, as_folder, as_path
from wintun_api.cli.output import fail, printable, show_json

if TYPE_CHECKING:
    from wintun_api.extcap.folders import Folders
    from wintun_api.extcap.launcher import Launcher


# What no other command of wintun-api has: with one of them, Wireshark is speaking.
MARKS: Final = ("--extcap-", "--capture", "--fifo")


class _Extcap(TyperGroup):
    """Answers Wireshark too, whose arguments name no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if any(one.startswith(MARKS) for one in args):
            from wintun_api.extcap.answers import answer

            ctx.exit(answer(args))
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Extcap,
    help="Show the adapters of the service in Wireshark, as interfaces to capture from.\n\n"
    "After `install` Wireshark and tshark list them: tshark -D. Wireshark itself calls this "
    "command with the options of its extcap interface, such as --extcap-interfaces.",
    no_args_is_help=True,
)

System: TypeAlias = Annotated[
    bool,
    typer.Option("--system", help="For all users of this machine; that needs their rights."),
]
Dir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        parser=as_folder,
        metavar="<path>",
        help="The folder, for a Wireshark that looks elsewhere: see About, Folders there.",
    ),
]


@app.command()
def install(
    *,
    system: System = False,
    folder: Dir = None,
    url: Annotated[
        str | None,
        typer.Option(help="The address of the service, if Wireshark is to use another one."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            parser=as_path,
            metavar="<path>",
            help="The file with a token that reads and captures, if Wireshark is to use another "
            "one. It must be there.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a launcher where Wireshark looks for programs to capture with.

    It starts this installation. Repeat the command after you have moved or replaced it.
    A file of another program is never overwritten.
    """
    from wintun_api.extcap import launcher

    arguments = [] if url is None else ["--url", _address(url)]
    if token_file is not None:
        arguments += ["--token-file", _token_file(token_file)]
    place = _folder(system=system, folder=folder)
    if not as_json and folder is None and _folders().asked is None:
        typer.echo("No Wireshark was found on this machine; Wireshark 4.2 and later look here.")
    try:
        made = launcher.install(place, arguments)
    except launcher.ForeignFile as error:
        _refuse(error)
    except OSError as error:
        _cannot(f"write into {place}", error)
    _show(made, "Installed: {path}", as_json=as_json)
    if not as_json:
        typer.echo("See the interfaces with: tshark -D, or refresh them in Wireshark.")


@app.command()
def remove(*, system: System = False, folder: Dir = None, as_json: Json = False) -> None:
    """Remove the launcher. Files of other programs stay."""
    from wintun_api.extcap import launcher

    place = _folder(system=system, folder=folder)
    try:
        gone = launcher.remove(place)
    except launcher.ForeignFile as error:
        _refuse(error)
    except OSError as error:
        _cannot(f"remove the launcher from {place}", error)
    there = gone.state != "missing"
    _show(gone, "Removed: {path}" if there else "Nothing was there: {path}", as_json=as_json)


@app.command()
def status(*, folder: Dir = None, as_json: Json = False) -> None:
    """Show where Wireshark looks, whether the launcher is there, and what it lists.

    Exits with 5 if it is nowhere, and with 1 if a capture would fail.
    """
    from wintun_api.extcap import launcher, trial

    folders = _folders()
    places = {"user": folders.user, "system": folders.system}
    if folder is not None:
        places = {"given": folder}
    found: dict[str, Launcher] = {}
    for name, place in places.items():
        if place is not None:
            try:
                found[name] = launcher.at(place)
            except OSError as error:
                _cannot(f"read {place}", error)
    ready = [one for one in found.values() if one.state == "installed"]
    listed = trial.listed_by(ready[0].path) if ready else trial.Listed((), "")
    if as_json:
        show_json(
            {
                "wireshark": folders.asked,
                "launchers": [{"for": name, **_record(one)} for name, one in found.items()],
                "interfaces": listed.interfaces,
                "problem": listed.problem or None,
            }
        )
    else:
        for name, one in found.items():
            typer.echo(f"{name}: {one.state}, {one.path}")
        for interface in listed.interfaces:
            typer.echo(printable(f"interface: {interface}"))
        if folders.asked is None:
            typer.echo("No Wireshark was found on this machine.", err=True)
    if not ready:
        fail(
            "The launcher is not installed.",
            "Install it with: wintun-api extcap install",
            code=ExitCode.NOT_FOUND,
        )
    if listed.problem:
        fail(*listed.problem.splitlines())


def _address(url: str) -> str:
    """Return an address that can be one of a service; it need not answer now."""
    from wintun_api.client import Client
    from wintun_api.client.problems import ServiceUnreachable

    try:
        Client(url).close()
    except ServiceUnreachable as error:
        raise typer.BadParameter(error.detail, param_hint="--url") from None
    return url


def _token_file(path: Path) -> str:
    """Return where a file is that holds a token; the service need not know the token now."""
    from wintun_api.client.location import find_token
    from wintun_api.client.problems import CredentialError

    try:
        find_token(None, path)
    except CredentialError as error:
        raise typer.BadParameter(
            f"{error.detail} Make one with: wintun-api tokens create read capture",
            param_hint="--token-file",
        ) from None
    return str(path.absolute())


def _folders() -> Folders:
    from wintun_api.extcap import folders

    return folders.find()


def _folder(*, system: bool, folder: Path | None) -> Path:
    if folder is not None:
        if system:
            raise typer.BadParameter("--system and --dir cannot be used together.")
        return folder.absolute()
    folders = _folders()
    if not system:
        return folders.user
    if folders.system is None:
        fail(
            "No Wireshark was found on this machine that could say where it looks.",
            "Give the folder with --dir.",
            code=ExitCode.NOT_FOUND,
        )
    return folders.system


def _refuse(error: Exception) -> None:
    fail(
        str(error),
        "Move that file away, or give another folder with --dir.",
        code=ExitCode.CONFLICT,
    )


def _cannot(what: str, error: OSError) -> None:
    fail(
        f"Cannot {what}: {error.strerror or error}.",
        "Give another folder with --dir, or run the command with more rights.",
    )


def _show(launcher: Launcher, sentence: str, *, as_json: bool) -> None:
    if as_json:
        show_json(_record(launcher))
    else:
        typer.echo(sentence.format(path=launcher.path))


def _record(launcher: Launcher) -> dict[str, str | None]:
    program = None if launcher.program is None else str(launcher.program)
    return {"state": launcher.state, "path": str(launcher.path), "program": program}
