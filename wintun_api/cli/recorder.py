"""`wintun-api recorder`: keep the last packets of a session, and save them to a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from wintun_api.choices import CaptureDirection
from wintun_api.cli.amounts import bytes_in, seconds_in
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import session_words
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import as_moment, as_path
from wintun_api.cli.output import printable, show_json
from wintun_api.cli.packet_options import direction_option, filter_option
from wintun_api.cli.recording import record, refuse_terminal
from wintun_api.cli.table import show_record
from wintun_api.limits import MAX_RECORDER_BYTES, MAX_RECORDER_SECONDS, MIN_RECORDER_BYTES
from wintun_api.quantities import size_text

ON, SAVE = "With on", "With save"
EPILOG = (
    "Example: wintun-api recorder OfficeNet on --seconds 5m --bytes 256mb\n\n"
    "The last minute as a file: wintun-api recorder OfficeNet save -w office.pcapng --since -60s"
)
NOT_ON = "recorder-not-found"


class Action(StrEnum):
    """What happens with the recorder."""

    SHOW = "show"
    ON = "on"
    OFF = "off"
    SAVE = "save"


@takes_client_options(far=True)
def recorder(
    adapter: Annotated[
        str,
        typer.Argument(
            metavar="ADAPTER",
            help="The name or GUID of the adapter, or the id of its session or the beginning of "
            f"that ({SHORTEST} characters or more).",
            autocompletion=session_words,
        ),
    ],
    action: Annotated[
        Action,
        typer.Argument(
            help="Show what it has, switch it on or off, or save what it has to a file.",
        ),
    ] = Action.SHOW,
    *,
    seconds: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long packets are kept, such as 90s, 5m or 1h, up to "
            f"{MAX_RECORDER_SECONDS:,} s; 2 minutes by default.",
            rich_help_panel=ON,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            "--bytes",
            metavar="SIZE",
            help="How much memory they may use, such as 256mb, from "
            f"{size_text(MIN_RECORDER_BYTES)} to {size_text(MAX_RECORDER_BYTES)}; 64mb by default.",
            rich_help_panel=ON,
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            "-w",
            parser=as_path,
            metavar="<path>",
            help="The pcapng file to write, which replaces one that is there; - is standard "
            "output.",
            rich_help_panel=SAVE,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            callback=as_moment,
            help="Begin with the packets of then: -60s, -5m, or a time with its zone.",
            rich_help_panel=SAVE,
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            callback=as_moment, help="End with the packets of then.", rich_help_panel=SAVE
        ),
    ] = None,
    expression: Annotated[str | None, filter_option(SAVE)] = None,
    direction: Annotated[CaptureDirection | None, direction_option(SAVE)] = None,
    options: ClientOptions,
) -> None:
    """Keep the last packets of a session in memory, so that they can be saved afterwards.

    Switch it on before something happens, and save what it has after that. It continues
    while it is saved. What it has is deleted when it is switched off, when its session is
    ended or its adapter deleted by a command, or when the adapter gets another session. If
    the session ends by itself, what it has can be saved until then.
    """
    given: dict[Action, dict[str, object]] = {
        Action.ON: {"--seconds": seconds, "--bytes": size},
        Action.SAVE: {
            "--write": write,
            "--since": since,
            "--until": until,
            "--filter": expression,
            "--direction": direction,
        },
    }
    for needed, values in given.items():
        for name, value in values.items():
            if value is not None and action is not needed:
                raise typer.BadParameter(f"{name} belongs to: wintun-api recorder ADAPTER {needed}")
    match action:
        case Action.SHOW:
            _show(adapter, options)
        case Action.ON:
            _set(adapter, *_limits(seconds, size), options)
        case Action.OFF:
            _remove(adapter, options)
        case Action.SAVE:
            if write is None:
                raise typer.BadParameter("Say which file to write, with -w FILE.")
            refuse_terminal(write, "wintun-api recorder ADAPTER save -w -")
            which = {"since": since, "until": until, "direction": direction, "filter": expression}
            _save(adapter, write, which, options)


def _show(adapter: str, options: ClientOptions) -> None:
    from wintun_api.client import operations

    with options.connect() as client:
        session = client.session_id(adapter)
        found = client.ask(operations.get_recorder(session), missing=NOT_ON)
        _tell(found, f"The recorder of {adapter} is off.", options)


def _set(adapter: str, seconds: float | None, size: int | None, options: ClientOptions) -> None:
    from wintun_api.client import operations

    with options.connect() as client:
        session = client.session_id(adapter)
        found = client.ask(operations.set_recorder(session, seconds=seconds, bytes=size))
        _tell(found, "", options)


def _remove(adapter: str, options: ClientOptions) -> None:
    from wintun_api.client import operations

    with options.connect() as client:
        session = client.session_id(adapter)
        found = client.ask(operations.remove_recorder(session), missing=NOT_ON)
        _tell(found, f"The recorder of {adapter} was off.", options)


def _save(adapter: str, path: Path, which: dict[str, str | None], options: ClientOptions) -> None:
    from wintun_api.client import operations

    with options.connect() as client:
        call = operations.read_recorder(client.session_id(adapter), **which)
        with client.stream(call) as chunks:
            record(path, chunks, done="saved")


def _tell(recorder: dict[str, Any] | None, otherwise: str, options: ClientOptions) -> None:
    if options.as_json:
        show_json(recorder)
    elif recorder is None:
        typer.echo(printable(otherwise), err=True)
    else:
        show_record(recorder)


def _limits(seconds: str | None, size: str | None) -> tuple[float | None, int | None]:
    return (
        None if seconds is None else seconds_in(seconds, "--seconds", most=MAX_RECORDER_SECONDS),
        None
        if size is None
        else bytes_in(size, "--bytes", least=MIN_RECORDER_BYTES, most=MAX_RECORDER_BYTES),
    )
