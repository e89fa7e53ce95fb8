"""`wintun-api tokens`: tokens that allow less than the admin token."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from wintun_api.cli.options import DEFAULT_URL, Config, Json, Token, TokenFile, Url, read_settings
from wintun_api.cli.output import show_json
from wintun_api.cli.table import show_table

app = typer.Typer(help="Make and revoke tokens that allow less.", no_args_is_help=True)

COLUMNS = ("Id", "Label", "Scopes", "Created", "Expires")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def _scopes(incomplete: str) -> list[str]:
    from wintun_api.api.tokens import Scope

    return [scope.value for scope in Scope if scope.startswith(incomplete)]


@app.command("list")
def list_tokens(
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """List the tokens, without their secrets."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        tokens = client.get("/v1/tokens")
    if as_json:
        show_json(tokens)
    elif tokens:
        now = datetime.now(UTC)
        show_table(COLUMNS, [_row(one, now) for one in tokens])
    else:
        typer.echo("No tokens but the admin token.", err=True)


@app.command()
def create(
    scopes: Annotated[
        list[str],
        typer.Argument(
            metavar="SCOPE...",
            help="What it allows: read, capture, inject, metrics, or admin, which is all.",
            autocompletion=_scopes,
        ),
    ],
    *,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When it becomes void: 90m, 12h, 7d, or seconds; never when not given.",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it; it is shown only now."""
    from wintun_api.cli.client import connect

    _check_scopes(scopes)
    lifetime = None if expires_in is None else _seconds(expires_in)
    with connect(url, token, token_file) as client:
        made = client.send("POST", "/v1/tokens", scopes=scopes, label=label, expires_in=lifetime)
    if as_json:
        show_json(made)
    else:
        typer.echo(made["token"])


@app.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id.")],
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Make a token void."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        client.send("DELETE", path_of("v1", "tokens", token_id))
    typer.echo("Revoked.")


@app.command()
def path(config: Config = None) -> None:
    """Print where the admin token is kept."""
    typer.echo(read_settings(config).token_path)


def _check_scopes(scopes: list[str]) -> None:
    known = _scopes("")
    for scope in scopes:
        if scope not in known:
            raise typer.BadParameter(
                f"there is no scope {scope!r}; the scopes are {', '.join(known)}.",
                param_hint="SCOPE",
            )


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smhdw]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise typer.BadParameter(
            f"{text!r} is no length of time; write it as 90m, 12h, 7d or 3600.",
            param_hint="--expires-in",
        )
    return float(found[1]) * SECONDS[found[2]]


def _row(token: dict[str, Any], now: datetime) -> tuple[object, ...]:
    created = _minute(datetime.fromisoformat(token["created_at"]))
    expires = "never"
    if token["expires_at"] is not None:
        end = datetime.fromisoformat(token["expires_at"])
        expires = f"{_minute(end)}, in {_span((end - now).total_seconds())}"
    return token["id"], token["label"], token["scopes"], created, expires


def _minute(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _span(seconds: float) -> str:
    for unit, size in UNITS:
        count = round(seconds / size)
        if count >= 2:
            return f"{count} {unit}s"
    return "a moment"
