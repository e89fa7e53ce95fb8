"""`wintun-api clients`: who is connected to the service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wintun_api.cli import durations
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import client_words
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import Quiet, check_output
from wintun_api.cli.output import printable, show_ids, show_json
from wintun_api.cli.table import show_table
from wintun_api.quantities import size_text

app = typer.Typer(
    help="List the clients that are connected, and disconnect them.",
    epilog="Example: wintun-api clients disconnect a3f1c2d4e5b6",
    no_args_is_help=True,
)

COLUMNS = ("Id", "Kind", "Token", "Address", "Adapter", "Connected", "Waiting", "Given", "Lost")
LEAST = ("Waiting", "Address")  # what a narrow terminal can do without


@app.command("list")
@takes_client_options(far=True)
def list_clients(
    *,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """List the streams that are open now, oldest first, and who opened them.

    A program with several streams is there several times. The token must have the scope admin.
    """
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        clients = client.ask(operations.list_clients())
        if options.as_json:
            show_json(clients)
        elif quiet:
            show_ids(one["id"] for one in clients)
        elif clients:
            now = datetime.now(UTC)
            show_table(COLUMNS, [_row(one, now) for one in clients], LEAST)
        else:
            typer.echo("No client has a stream open.", err=True)


@app.command()
@takes_client_options(far=True)
def disconnect(
    clients: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIENT...",
            help=f"The ids of clients, or the beginnings of their ids ({SHORTEST} characters or "
            "more).",
            autocompletion=client_words,
        ),
    ],
    *,
    options: ClientOptions,
) -> None:
    """Disconnect clients. Their tokens stay valid, so that they can connect again.

    All of them are looked up first: if one is not there, none is disconnected. To keep a client
    away, revoke its token with wintun-api tokens revoke.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        ids = list(dict.fromkeys(client.client_id(one) for one in clients))
        for one in ids:
            client.ask(operations.disconnect_client(one))
            if not options.as_json:
                which = f" {printable(one)}" if len(clients) > 1 else ""
                typer.echo(f"Disconnected{which}.")
        if options.as_json:
            show_json({"disconnected": ids})


def _row(client: dict[str, Any], now: datetime) -> tuple[object, ...]:
    since = datetime.fromisoformat(client["connected_at"])
    token = client["token_label"] or client["token"]
    queue, given = client["queue"], client["delivered"]
    waiting = "" if queue is None else str(queue["length"])
    if queue is not None and queue["bytes"]:
        waiting += f", {size_text(queue['bytes'])}"
    lost = [f"{cause} {count}" for cause, count in client["lost"].items()]
    return (
        client["id"],
        client["kind"],
        f"{token}, in a browser" if client["browser"] else token,
        client["address"] or "",
        client["adapter_name"] or "",
        f"for {durations.rough(max(0.0, (now - since).total_seconds()))}",
        waiting,
        "" if given is None else given,
        ", ".join(lost) or "none",
    )


app.command("ls", hidden=True)(list_clients)
app.command("rm", hidden=True)(disconnect)
