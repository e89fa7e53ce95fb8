"""`wintun-api adapters`: adapters of a running service."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

import typer

from wintun_api.cli.options import DEFAULT_URL, Json, Token, TokenFile, Url
from wintun_api.cli.output import show_json, show_record, show_table

app = typer.Typer(help="List, create, change and delete adapters.", no_args_is_help=True)

Named: TypeAlias = Annotated[
    str, typer.Argument(metavar="ADAPTER", help="GUID, or name where it is unique.")
]
Name: TypeAlias = Annotated[str, typer.Argument(help="Name of the adapter.")]
Pool: TypeAlias = Annotated[str, typer.Option(help="Pool; the tunnel type in Wintun 0.14.")]
Mtu: TypeAlias = Annotated[int | None, typer.Option(help="MTU in bytes.")]

COLUMNS = ("Name", "Pool", "GUID", "State", "MTU", "Addresses", "Session")
DEFAULT_POOL = "wintun-api"


@app.command("list")
def list_adapters(
    *,
    pool: Annotated[str | None, typer.Option(help="Only this pool.")] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """List the adapters."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        adapters = client.get("/v1/adapters", pool=pool)
    if as_json:
        show_json(adapters)
    elif adapters:
        show_table(COLUMNS, [_row(adapter) for adapter in adapters])
    else:
        typer.echo("No adapters.", err=True)


@app.command()
def create(
    name: Name,
    *,
    pool: Pool = DEFAULT_POOL,
    guid: Annotated[
        UUID | None, typer.Option(help="GUID to request; random when not given.")
    ] = None,
    mtu: Mtu = None,
    address: Annotated[
        list[str] | None,
        typer.Option(help="Address with prefix length, as 10.6.7.7/24; repeatable."),
    ] = None,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Create an adapter."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        made = client.send(
            "POST",
            "/v1/adapters",
            name=name,
            pool=pool,
            requested_guid=None if guid is None else str(guid),
            mtu=mtu,
            addresses=address or None,
        )
    _show(made, as_json)


@app.command("open")
def open_adapter(
    name: Name,
    *,
    pool: Pool = DEFAULT_POOL,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Open an existing adapter, so that the service holds its handle."""
    from wintun_api.cli.client import connect

    with connect(url, token, token_file) as client:
        opened = client.send("POST", "/v1/adapters/open", name=name, pool=pool)
    _show(opened, as_json)


@app.command()
def show(
    adapter: Named,
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Show one adapter."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        found = client.get(path_of("v1", "adapters", client.adapter_guid(adapter)))
    _show(found, as_json)


@app.command()
def rename(
    adapter: Named,
    name: Annotated[str, typer.Argument(help="The new name.")],
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Give an adapter another name."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        path = path_of("v1", "adapters", client.adapter_guid(adapter))
        renamed = client.send("PATCH", path, name=name)
    _show(renamed, as_json)


@app.command("set")
def set_adapter(
    adapter: Named,
    *,
    mtu: Mtu = None,
    address: Annotated[
        list[str] | None,
        typer.Option(help="Address with prefix length; repeatable; the others are removed."),
    ] = None,
    no_addresses: Annotated[
        bool, typer.Option("--no-addresses", help="Remove all addresses.")
    ] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Set the MTU, or exactly these addresses; what is not given stays."""
    from wintun_api.cli.client import connect, path_of

    if address and no_addresses:
        raise typer.BadParameter("--address and --no-addresses exclude each other.")
    if mtu is None and not address and not no_addresses:
        raise typer.BadParameter("Give --mtu, --address or --no-addresses.")
    addresses = [] if no_addresses else address or None
    with connect(url, token, token_file) as client:
        path = path_of("v1", "adapters", client.adapter_guid(adapter))
        changed = client.send("PATCH", path, mtu=mtu, addresses=addresses)
    _show(changed, as_json)


@app.command()
def release(
    adapter: Named,
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Give the handle back; the device stays where the generation can keep it."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        guid = client.adapter_guid(adapter)
        answer = client.send("POST", path_of("v1", "adapters", guid, "release"))
    if as_json:
        show_json(answer)
    else:
        typer.echo(
            "Released; the adapter is still there."
            if answer["exists"]
            else "Released; the adapter went with its handle."
        )


@app.command()
def delete(
    adapter: Named,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Close sessions of other processes too.")
    ] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """End an adapter's session and remove the adapter."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        guid = client.adapter_guid(adapter)
        query = {"force": "true"} if force else {}
        answer = client.request("DELETE", path_of("v1", "adapters", guid), params=query)
    if as_json:
        show_json(answer)
    else:
        reboot = " The system wants a reboot to finish it." if answer["reboot_required"] else ""
        typer.echo(f"Deleted.{reboot}")


def _show(adapter: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(adapter)
    else:
        show_record(adapter)


def _row(adapter: dict[str, Any]) -> tuple[object, ...]:
    names = ("name", "pool", "guid", "state", "mtu", "addresses", "session")
    return tuple(adapter[name] for name in names)
