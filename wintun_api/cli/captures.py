"""`wintun-api captures`: captures that the service writes into files of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from wintun_api.choices import CaptureDirection
from wintun_api.cli.capture_options import in_options, takes_limits
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import adapter_names, capture_words
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import Quiet, as_path, check_output
from wintun_api.cli.output import counted, fail, printable, show_ids, show_json
from wintun_api.cli.packet_options import (
    MARKS_HELP,
    direction_option,
    filter_option,
    pool_option,
)
from wintun_api.cli.recording import refuse_terminal
from wintun_api.cli.saving import Target, refuse_existing, safe_name
from wintun_api.cli.table import show_record, show_table
from wintun_api.limits import MAX_CAPTURE_NAME, MAX_PACKET

if TYPE_CHECKING:
    from wintun_api.cli.client import Client

app = typer.Typer(
    help="List, start, stop and download captures that the service writes into files.",
    epilog="Example: wintun-api captures start office --adapter OfficeNet --rotate-bytes 100mb "
    "--keep-files 10\n\n"
    "Its files, also while it runs: wintun-api captures download office",
    no_args_is_help=True,
)

WHICH = "Which packets"
GONE = "capture-not-found"
ACTIVE = frozenset(("waiting", "running"))

Named: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="CAPTURE",
        help=f"The id of the capture, the beginning of its id ({SHORTEST} characters or more), or "
        "its name.",
        autocompletion=capture_words,
    ),
]
SeveralNamed: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="CAPTURE...",
        help=f"The ids of captures, the beginnings of their ids ({SHORTEST} characters or more), "
        "or their names.",
        autocompletion=capture_words,
    ),
]


COLUMNS = ("Id", "Name", "State", "Packets", "Lost", "Bytes", "Files", "Started")
LEAST = ("Started", "Files", "Lost")  # what a narrow terminal can do without
FILE_COLUMNS = ("File", "Packets", "Bytes", "First packet", "Last packet", "Complete")
LEAST_OF_FILE = ("First packet", "Last packet")


def _name(text: str | None) -> str | None:
    """Return the name of a capture, unless it is empty or too long."""
    if text is not None and not 1 <= len(text.strip()) <= MAX_CAPTURE_NAME:
        raise typer.BadParameter(f"A name has from 1 to {MAX_CAPTURE_NAME} characters.")
    return text


def _place(text: str) -> Path:
    """Return where downloads are written; a folder that is named as one has to be there."""
    path = as_path(text)
    if text.endswith(("/", "\\")) and not path.is_dir():
        raise typer.BadParameter(f"The folder {text} does not exist.")
    return path


@app.command("list")
@takes_client_options(far=True)
def list_captures(
    *,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """List the captures that wait or run, and those that have ended and were not deleted."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        captures = client.ask(operations.list_captures())
        if options.as_json:
            show_json(captures)
        elif quiet:
            show_ids(one["id"] for one in captures)
        elif captures:
            show_table(COLUMNS, [_row(one) for one in captures], LEAST)
        else:
            typer.echo("No captures.", err=True)


@app.command()
@takes_client_options(far=True)
@takes_limits()
def start(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            callback=_name,
            help="A name for people, which downloaded files have too, of up to "
            f"{MAX_CAPTURE_NAME} characters; capture by default.",
            show_default=False,
        ),
    ] = None,
    *,
    adapter: Annotated[
        list[str] | None,
        typer.Option(
            "--adapter",
            help="An adapter by its name or GUID. Several times for several. Without this option "
            "and --pool it is all adapters.",
            autocompletion=adapter_names,
            show_default=False,
            rich_help_panel=WHICH,
        ),
    ] = None,
    pool: Annotated[str | None, pool_option(WHICH)] = None,
    expression: Annotated[str | None, filter_option(WHICH)] = None,
    direction: Annotated[CaptureDirection | None, direction_option(WHICH)] = None,
    snaplen: Annotated[
        int | None,
        typer.Option(
            "--snaplen",
            "-s",
            min=0,
            max=MAX_PACKET,
            help=f"Keep only so many bytes of each packet, {MAX_PACKET} at most; all by default.",
            show_default=False,
            rich_help_panel=WHICH,
        ),
    ] = None,
    marks: Annotated[bool, typer.Option("--marks", help=MARKS_HELP, rich_help_panel=WHICH)] = False,
    limits: dict[str, Any],
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """Start a capture and show it. It goes on when this command has ended.

    The service writes the packets into files of its own, until the capture is
    stopped or has what was asked for. Adapters and sessions that come later belong
    to it too.
    """
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    if adapter and pool is not None:
        raise typer.BadParameter("--adapter and --pool cannot be used together.")
    with options.connect() as client:
        guids = [client.adapter_guid(one) for one in adapter] if adapter else None
        call = operations.create_capture(
            name,
            adapters=guids,
            pool=pool,
            direction=direction,
            filter=expression,
            snaplen=snaplen,
            marks=marks or None,
            **limits,
        )
        _show(client.ask(call, words=in_options), options.as_json, quiet)


@app.command()
@takes_client_options(far=True)
def show(
    capture: Named,
    *,
    options: ClientOptions,
) -> None:
    """Show a capture, its counts and its files."""
    from wintun_api.client import operations

    with options.connect() as client:
        _show(client.ask(operations.get_capture(client.capture_id(capture))), options.as_json)


@app.command()
@takes_client_options(far=True)
def stop(
    captures: SeveralNamed,
    *,
    options: ClientOptions,
) -> None:
    """Stop captures and show them. Their files are completed and stay.

    If several captures have a name, it means the one that waits or runs. All of them
    are looked up first: if one is not there, none is stopped.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        ids = [client.capture_id(one, ACTIVE) for one in captures]
        _show_each([client.ask(operations.stop_capture(one)) for one in _once(ids)], options)


@app.command()
@takes_client_options(far=True)
def trigger(
    capture: Named,
    *,
    options: ClientOptions,
) -> None:
    """Begin a capture that waits for its trigger, whatever the trigger is."""
    from wintun_api.client import operations

    with options.connect() as client:
        found = client.capture_id(capture, ACTIVE)
        _show(client.ask(operations.trigger_capture(found)), options.as_json)


@app.command()
@takes_client_options(far=True)
def delete(
    captures: SeveralNamed,
    *,
    options: ClientOptions,
) -> None:
    """Delete captures with their files. Those that run are stopped.

    All of them are looked up first: if one is not there, none is deleted.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        ids = [client.capture_id(one) for one in captures]
        deleted = [client.ask(operations.delete_capture(one)) for one in _once(ids)]
        if options.as_json:
            show_json(deleted if len(captures) > 1 else deleted[0])
            return
        for one in deleted:
            files, size = counted(len(one["files"]), "file"), counted(one["bytes"], "byte")
            said = f"Deleted {one['id']} ({one['name']}): {files}, {size}."
            typer.echo(printable(said))


@app.command()
@takes_client_options(far=True)
def download(
    capture: Named,
    *,
    file: Annotated[
        list[int] | None,
        typer.Option(
            "--file",
            metavar="NUMBER",
            min=1,
            help="Only the file of this number. Several times for several.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            parser=_place,
            metavar="<path>",
            help="A folder for the files, or one file into which they are joined; - is standard "
            "output. The default is the folder in which you are. A file that is there is not "
            "replaced without --force.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files that exist already.")
    ] = False,
    options: ClientOptions,
) -> None:
    """Download the files of a capture, also while it runs.

    A file that packets are still added to is as long as it was when the download began.
    A file gets its name when it is complete. The names are written to standard output.
    """
    from wintun_api.client import operations

    joined = output is not None and (str(output) == "-" or not output.is_dir())
    if str(output) == "-":
        refuse_terminal(output, "wintun-api captures download CAPTURE -o -")
        if options.as_json:
            raise typer.BadParameter("--json and --output - cannot be used together.")
    with options.connect() as client, Interruption():
        found = client.ask(operations.get_capture(client.capture_id(capture)))
        files = _chosen(found, file)
        if joined:
            assert output is not None
            plan = [(output, files)]
        else:
            folder = Path() if output is None else output
            plan = [
                (folder / safe_name(one, f"{found['id']}-{one['number']:05}.pcapng"), [one])
                for one in files
            ]
        if not force and str(output) != "-":
            refuse_existing([path for path, _ in plan])
        saved: list[dict[str, Any]] = []
        try:
            for path, parts in plan:
                saved += _save(client, found["id"], path, parts, as_json=options.as_json)
        except BrokenPipeError:  # the program that reads them has enough
            return
        count = sum(len(one["files"]) for one in saved)
        size = sum(one["bytes"] for one in saved)
        typer.echo(f"{counted(count, 'file')} downloaded, {counted(size, 'byte')}.", err=True)
        if options.as_json:
            show_json(saved)


def _save(
    client: Client, capture: str, path: Path, files: Sequence[dict[str, Any]], *, as_json: bool
) -> list[dict[str, Any]]:
    """Download files into one; return what became of it, or nothing if they are gone."""
    from wintun_api.cli.words import broke_off
    from wintun_api.client import operations
    from wintun_api.client.problems import ServiceUnreachable

    target = Target(path)
    total = sum(int(one["bytes"]) for one in files)
    tell = partial(_progress, path, target, total)
    taken = []
    try:
        with target.opened():
            for one in files:
                number = int(one["number"])
                call = operations.download_capture_file(capture, number)
                with client.download(call, missing=GONE) as chunks:
                    if chunks is None:
                        typer.echo(f"The file {number} has been deleted meanwhile.", err=True)
                        continue
                    target.take(chunks, tell)
                    taken.append(number)
    except ServiceUnreachable as error:
        broke_off("download", error)
    if not taken:
        return []
    if not as_json and str(path) != "-":
        typer.echo(printable(str(path)))
    return [{"path": str(path), "files": taken, "bytes": target.written}]


def _progress(path: Path, target: Target, total: int) -> str:
    total = max(total, target.written)  # packets may have been added
    return printable(f"{path.name}: {target.written} of {counted(total, 'byte')}")


def _chosen(capture: dict[str, Any], numbers: Sequence[int] | None) -> list[dict[str, Any]]:
    """Return the files that are wanted, oldest first."""
    files: list[dict[str, Any]] = capture["files"]
    for number in numbers or ():
        if number not in [one["number"] for one in files]:
            there = ", ".join(str(one["number"]) for one in files) or "none"
            fail(
                f"The capture {capture['id']} does not have a file {number}.",
                f"Its files are: {there}.",
                code=ExitCode.NOT_FOUND,
            )
    if not files:
        waits = capture["state"] == "waiting"
        fail(
            f"The capture {capture['id']} has no files.",
            "It waits for its trigger; begin it with: wintun-api captures trigger CAPTURE"
            if waits
            else "Start another one with: wintun-api captures start",
            code=ExitCode.NOT_FOUND,
        )
    return [one for one in files if not numbers or one["number"] in numbers]


def _once(ids: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def _show_each(captures: Sequence[dict[str, Any]], options: ClientOptions) -> None:
    if options.as_json:
        show_json(captures if len(captures) > 1 else captures[0])
        return
    for at, one in enumerate(captures):
        if at:
            typer.echo()
        _show(one, as_json=False)


def _show(capture: dict[str, Any], as_json: bool, quiet: bool = False) -> None:
    if as_json:
        show_json(capture)
    elif quiet:
        show_ids([capture["id"]])
    else:
        show_record({name: value for name, value in capture.items() if name != "files"})
        if capture["files"]:
            typer.echo()
            show_table(FILE_COLUMNS, [_file_row(one) for one in capture["files"]], LEAST_OF_FILE)


def _row(capture: dict[str, Any]) -> tuple[object, ...]:
    state, reason = capture["state"], capture["reason"]
    return (
        capture["id"],
        capture["name"],
        state if reason is None else f"{state} ({reason})",
        capture["packets"],
        capture["lost"],
        capture["bytes"],
        len(capture["files"]),
        _second(capture["created_at"]),
    )


def _file_row(file: dict[str, Any]) -> tuple[object, ...]:
    return (
        file["name"],
        file["packets"],
        file["bytes"],
        _second(file["first"]),
        _second(file["last"]),
        file["complete"],
    )


def _second(text: str | None) -> str | None:
    if text is None:
        return None
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


app.command("ls", hidden=True)(list_captures)
app.command("rm", hidden=True)(delete)
