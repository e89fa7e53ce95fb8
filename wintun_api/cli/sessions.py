"""`wintun-api sessions`: sessions of a running service."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import adapter_names, session_words
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import Quiet, check_output
from wintun_api.cli.output import marked, show_ids, show_json
from wintun_api.cli.table import show_record, show_table

app = typer.Typer(
    help="List, start and end sessions.",
    epilog="Example: wintun-api sessions start OfficeNet\n\n"
    "End them all: wintun-api sessions list -q | xargs wintun-api sessions end",
    no_args_is_help=True,
)

SESSION_HELP = (
    f"The id of the session, the beginning of its id ({SHORTEST} characters or more), or the name "
    "or GUID of its adapter."
)

Named: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help=SESSION_HELP,
        autocompletion=session_words,
    ),
]

SeveralNamed: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="SESSION...",
        help=f"The ids of sessions, the beginnings of their ids ({SHORTEST} characters or more), "
        "or the names or GUIDs of their adapters.",
        autocompletion=session_words,
    ),
]

COLUMNS = ("Id", "Adapter", "State", "Capacity", "Received", "Injected", "Lost", "Subscribers")
LEAST = ("Subscribers", "Capacity")  # what a narrow terminal can do without


@app.command("list")
@takes_client_options(far=True)
def list_sessions(
    *,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """List the sessions that run, and those that ended by themselves."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        sessions = client.ask(operations.list_sessions())
        adapters = [] if options.as_json or quiet or not sessions else client.adapters()
        names = {adapter["guid"]: adapter["name"] for adapter in adapters}
        if options.as_json:
            show_json(sessions)
        elif quiet:
            show_ids(one["id"] for one in sessions)
        elif sessions:
            show_table(COLUMNS, [_row(session, names) for session in sessions], LEAST)
        else:
            typer.echo("No sessions.", err=True)


@app.command()
@takes_client_options(far=True)
def start(
    adapter: Annotated[
        str,
        typer.Argument(
            metavar="ADAPTER",
            help="The GUID of the adapter, or its name if no other adapter has it.",
            autocompletion=adapter_names,
        ),
    ],
    *,
    capacity: Annotated[
        str | None,
        typer.Option(
            help="The capacity of each ring in bytes: a power of two from 0x20000 (128 KiB) to "
            "0x4000000 (64 MiB)."
        ),
    ] = None,
    offload: Annotated[
        bool | None,
        typer.Option(
            help="Whether the host passes TCP and UDP data in pieces of up to 64 KiB, which the "
            "session splits. Only on Linux. Without the option the service's setting decides.",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """Start a session on an adapter and show it."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    wanted = None if capacity is None else _number(capacity)
    with options.connect() as client:
        guid = client.adapter_guid(adapter)
        session = client.ask(operations.start_session(guid, capacity=wanted, offload=offload))
        _show(session, options.as_json, quiet)


@app.command()
@takes_client_options(far=True)
def show(
    session: Named,
    *,
    options: ClientOptions,
) -> None:
    """Show a session's state and counters."""
    from wintun_api.client import operations

    with options.connect() as client:
        found = client.ask(operations.get_session(client.session_id(session)))
        _show(found, options.as_json)


@app.command()
@takes_client_options(far=True)
def end(
    sessions: SeveralNamed,
    *,
    options: ClientOptions,
) -> None:
    """End sessions and show their last counters.

    All of them are looked up first: if one is not there, none is ended. With --json
    there is one object, or a list of objects for several sessions.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        ids = list(dict.fromkeys(client.session_id(session) for session in sessions))
        ended = []
        for one in ids:
            session = client.ask(operations.end_session(one))
            ended.append(session)
            if not options.as_json:
                show_record(session)
        if options.as_json:
            show_json(ended if len(sessions) > 1 else ended[0])


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a number. Write it as 4194304 or 0x400000.", param_hint="--capacity"
        ) from None


def _show(session: dict[str, Any], as_json: bool, quiet: bool = False) -> None:
    if as_json:
        show_json(session)
    elif quiet:
        show_ids([session["id"]])
    else:
        show_record(session)


def lost_packets(lost: dict[str, Any]) -> int:
    """Return how many packets were lost in all.

    Packets that no client wanted are not counted.
    """
    counts = [value for cause, value in lost.items() if cause != "unclaimed"]
    return sum(sum(one.values()) if isinstance(one, dict) else one or 0 for one in counts)


def _row(session: dict[str, Any], names: dict[str, str]) -> tuple[object, ...]:
    counters = session["counters"]
    lost = counters["lost"]
    return (
        session["id"],
        names.get(session["adapter"]) or session.get("name") or session["adapter"],
        marked(session["state"], session.get("impairment")),
        session["capacity"],
        counters["received"]["packets"],
        counters["injected"]["packets"],
        lost_packets(lost),
        session["subscribers"],
    )


app.command("ls", hidden=True)(list_sessions)
app.command("rm", hidden=True)(end)
