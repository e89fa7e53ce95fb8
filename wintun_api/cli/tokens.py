"""`wintun-api tokens`: tokens that allow less than the admin token."""

from __future__ import annotations

from typing import Annotated

import typer

from wintun_api.cli.options import DEFAULT_URL, Config, Json, Token, TokenFile, Url, read_settings
from wintun_api.cli.output import show_json, show_table

app = typer.Typer(help="Make and revoke tokens that allow less.", no_args_is_help=True)

COLUMNS = ("Id", "Label", "Scopes", "Created", "Expires")


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
        names = ("id", "label", "scopes", "created_at", "expires_at")
        show_table(COLUMNS, [[one[name] for name in names] for one in tokens])
    else:
        typer.echo("No tokens but the admin token.", err=True)


@app.command()
def create(
    scopes: Annotated[
        list[str],
        typer.Argument(metavar="SCOPE...", help="What it allows: read, capture, inject, admin."),
    ],
    *,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires_in: Annotated[
        float | None, typer.Option(help="Seconds until it is void; never when not given.")
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Make a token and print it; it is shown only now."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        made = client.send("POST", "/v1/tokens", scopes=scopes, label=label, expires_in=expires_in)
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
