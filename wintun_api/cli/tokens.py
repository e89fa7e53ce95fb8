"""`wintun-api tokens`: tokens that allow less than the admin token does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wintun_api.choices import Scope
from wintun_api.cli import durations
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import token_words
from wintun_api.cli.lookup import SHORTEST
from wintun_api.cli.options import Json, Quiet, check_output
from wintun_api.cli.output import printable, show_ids, show_json
from wintun_api.cli.setting_options import Flags, takes_settings
from wintun_api.cli.table import show_table

app = typer.Typer(
    help="List, create and revoke tokens.",
    epilog="Example: TOKEN=$(wintun-api tokens create read --label grafana --expires-in 7d)\n\n"
    "Revoke them all: wintun-api tokens list -q | xargs wintun-api tokens revoke",
    no_args_is_help=True,
)

COLUMNS = ("Id", "Label", "Scopes", "Created", "Expires")
LEAST = ("Created",)  # what a narrow terminal can do without


def _scopes(incomplete: str) -> list[str]:
    return [scope.value for scope in Scope if scope.startswith(incomplete)]


@app.command("list")
@takes_client_options(far=True)
def list_tokens(
    *,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """List the tokens without their secrets."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        tokens = client.ask(operations.list_tokens())
        if options.as_json:
            show_json(tokens)
        elif quiet:
            show_ids(one["id"] for one in tokens)
        elif tokens:
            now = datetime.now(UTC)
            show_table(COLUMNS, [_row(one, now) for one in tokens], LEAST)
        else:
            typer.echo("There is only the admin token.", err=True)


@app.command()
@takes_client_options(far=True)
def create(
    scopes: Annotated[
        list[str],
        typer.Argument(
            metavar="SCOPE...",
            help="What the token allows: read, capture, inject, metrics, or admin, which allows "
            "everything.",
            autocompletion=_scopes,
        ),
    ],
    *,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "",
    expires_in: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long the token is valid: 90m, 12h, 7d, or a number of seconds. Without this "
            "option it does not expire.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Write only the token, without its id.")
    ] = False,
    options: ClientOptions,
) -> None:
    """Create a token and print it. It is shown only this once.

    The token goes to standard output; its id, for wintun-api tokens revoke, goes to
    standard error.
    """
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    _check_scopes(scopes)
    lifetime = None if expires_in is None else _seconds(expires_in)
    with options.connect() as client:
        call = operations.create_token(scopes, label=label, expires_in=lifetime)
        made = client.ask(call)
        if options.as_json:
            show_json(made)
            return
        if not quiet:
            typer.echo(printable(f"The id of this token is {made['id']}."), err=True)
        typer.echo(made["token"])


@app.command()
@takes_client_options(far=True)
def revoke(
    tokens: Annotated[
        list[str],
        typer.Argument(
            metavar="TOKEN...",
            help=f"The ids of tokens, the beginnings of their ids ({SHORTEST} characters or more), "
            "or their labels.",
            autocompletion=token_words,
        ),
    ],
    *,
    options: ClientOptions,
) -> None:
    """Revoke tokens. Connections that were opened with them are closed.

    All of them are looked up first: if one is not there, none is revoked.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        ids = list(dict.fromkeys(client.token_id(one) for one in tokens))
        for one in ids:
            client.ask(operations.revoke_token(one))
            if not options.as_json:
                which = f" {printable(one)}" if len(tokens) > 1 else ""
                typer.echo(f"Revoked{which}.")
        if options.as_json:
            show_json({"revoked": ids})


@app.command()
@takes_settings("tokens path")
def path(*, flags: Flags, as_json: Json = False) -> None:
    """Print the path of the file with the admin token."""
    found = str(flags.settings().token_path)
    if as_json:
        show_json({"path": found})
    else:
        typer.echo(found)


def _check_scopes(scopes: list[str]) -> None:
    known = _scopes("")
    for scope in scopes:
        if scope not in known:
            raise typer.BadParameter(
                f"The scope {scope!r} does not exist. The scopes are {', '.join(known)}.",
                param_hint="SCOPE",
            )


def _seconds(text: str) -> float:
    seconds = durations.seconds_of(text)
    if seconds is None:
        if durations.is_zero(text):
            raise typer.BadParameter(
                "must be longer than zero, for example 12h, 7d", param_hint="--expires-in"
            )
        raise typer.BadParameter(
            f"{text!r} is not a length of time. Write it as 90m, 12h, 7d or 3600.",
            param_hint="--expires-in",
        )
    return seconds


def _row(token: dict[str, Any], now: datetime) -> tuple[object, ...]:
    created = _minute(datetime.fromisoformat(token["created_at"]))
    expires = "never"
    if token["expires_at"] is not None:
        end = datetime.fromisoformat(token["expires_at"])
        expires = f"{_minute(end)}, in {durations.rough((end - now).total_seconds())}"
    return token["id"], token["label"], token["scopes"], created, expires


def _minute(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


app.command("ls", hidden=True)(list_tokens)
app.command("rm", hidden=True)(revoke)
