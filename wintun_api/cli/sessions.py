"""`wintun-api sessions`: sessions of a running service."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from wintun_api.cli.completion import adapter_names, session_words
from wintun_api.cli.options import DEFAULT_URL, Json, Token, TokenFile, Url
from wintun_api.cli.output import show_json
from wintun_api.cli.table import show_record, show_table

app = typer.Typer(help="List, start and end sessions.", no_args_is_help=True)

Named: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SESSION",
        help="Id, or the name or GUID of the session's adapter.",
        autocompletion=session_words,
    ),
]

COLUMNS = ("Id", "Adapter", "State", "Capacity", "Received", "Injected", "Lost", "Subscribers")


@app.command("list")
def list_sessions(
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """List the sessions that run, and those that ended by themselves."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        sessions = client.get("/v1/sessions")
        adapters = [] if as_json or not sessions else client.adapters()
    names = {adapter["guid"]: adapter["name"] for adapter in adapters}
    if as_json:
        show_json(sessions)
    elif sessions:
        show_table(COLUMNS, [_row(session, names) for session in sessions])
    else:
        typer.echo("No sessions.", err=True)


@app.command()
def start(
    adapter: Annotated[
        str,
        typer.Argument(
            metavar="ADAPTER",
            help="GUID, or name where it is unique.",
            autocompletion=adapter_names,
        ),
    ],
    *,
    capacity: Annotated[
        str | None,
        typer.Option(help="Ring capacity in bytes, a power of two; 0x20000 to 0x4000000."),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Start the session of an adapter."""
    from wintun_api.cli.client import connect

    wanted = None if capacity is None else _number(capacity)
    with connect(url, token, token_file) as client:
        guid = client.adapter_guid(adapter)
        session = client.send("POST", "/v1/sessions", adapter=guid, capacity=wanted)
    _show(session, as_json)


@app.command()
def show(
    session: Named,
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show a session's state and counters."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        found = client.get(path_of("v1", "sessions", client.session_id(session)))
    _show(found, as_json)


@app.command()
def end(
    session: Named,
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """End a session and show its last counters."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        path = path_of("v1", "sessions", client.session_id(session))
        ended = client.send("DELETE", path)
    _show(ended, as_json)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no number; write it as 4194304 or 0x400000.", param_hint="--capacity"
        ) from None


def _show(session: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(session)
    else:
        show_record(session)


def _lost(lost: dict[str, Any]) -> int:
    """Return how many packets were lost in all; unclaimed ones had no reader to be lost for."""
    counts = [value for cause, value in lost.items() if cause != "unclaimed"]
    return sum(sum(one.values()) if isinstance(one, dict) else one or 0 for one in counts)


def _row(session: dict[str, Any], names: dict[str, str]) -> tuple[object, ...]:
    counters = session["counters"]
    lost = counters["lost"]
    return (
        session["id"],
        names.get(session["adapter"], session["adapter"]),
        session["state"],
        session["capacity"],
        counters["received"]["packets"],
        counters["injected"]["packets"],
        _lost(lost),
        session["subscribers"],
    )
