"""`wintun-api adapters`: adapters of a running service."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias
from uuid import UUID

import typer

from wintun_api.cli.completion import adapter_names
from wintun_api.cli.options import DEFAULT_URL, Json, Token, TokenFile, Url
from wintun_api.cli.output import show_json
from wintun_api.cli.table import show_record, show_table

app = typer.Typer(help="List, create, change and delete adapters.", no_args_is_help=True)

Named: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ADAPTER",
        help="GUID, or name where it is unique.",
        autocompletion=adapter_names,
    ),
]
Name: TypeAlias = Annotated[str, typer.Argument(help="Name of the adapter.")]
Pool: TypeAlias = Annotated[str, typer.Option(help="Pool; the tunnel type in Wintun 0.14.")]
Mtu: TypeAlias = Annotated[int | None, typer.Option(help="MTU in bytes.")]
Metric: TypeAlias = Annotated[
    str | None, typer.Option(help="The interface's metric, or auto for the system's choice.")
]
Routes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="Destination, as 10.0.0.0/8 or '10.0.0.0/8 via 10.6.7.1 metric 5'; repeatable.",
    ),
]
Dns: TypeAlias = Annotated[list[str] | None, typer.Option(help="DNS server; repeatable.")]
DnsSearch: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Domain that short names are looked for in; repeatable.")
]

COLUMNS = ("Name", "Pool", "GUID", "State", "MTU", "Addresses", "Session")
DEFAULT_POOL = "wintun-api"
AUTOMATIC = "auto"


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
        UUID | None,
        typer.Option(help="GUID to request; else the one that pool and name always have here."),
    ] = None,
    mtu: Mtu = None,
    address: Annotated[
        list[str] | None,
        typer.Option(help="Address with prefix length, as 10.6.7.7/24; repeatable."),
    ] = None,
    metric: Metric = None,
    route: Routes = None,
    dns: Dns = None,
    dns_search: DnsSearch = None,
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
            metric=_metric(metric),
            routes=_routes(route) or None,
            dns=dns or None,
            dns_search=dns_search or None,
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
    metric: Metric = None,
    route: Routes = None,
    no_routes: Annotated[
        bool, typer.Option("--no-routes", help="Remove all routes but the system's own.")
    ] = False,
    dns: Dns = None,
    dns_search: DnsSearch = None,
    no_dns: Annotated[
        bool, typer.Option("--no-dns", help="Remove all DNS servers and search domains.")
    ] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Change network settings: exactly these; what is not given stays."""
    from wintun_api.cli.client import connect, path_of

    if address and no_addresses:
        raise typer.BadParameter("--address and --no-addresses exclude each other.")
    if route and no_routes:
        raise typer.BadParameter("--route and --no-routes exclude each other.")
    if (dns or dns_search) and no_dns:
        raise typer.BadParameter("--dns, --dns-search and --no-dns exclude each other.")
    changes: dict[str, Any] = {
        "mtu": mtu,
        "addresses": [] if no_addresses else address or None,
        "metric": _metric(metric),
        "routes": [] if no_routes else _routes(route) or None,
        "dns": [] if no_dns else dns or None,
        "dns_search": [] if no_dns else dns_search or None,
    }
    body = {name: value for name, value in changes.items() if value is not None}
    if metric == AUTOMATIC:
        body["metric"] = None
    if not body:
        raise typer.BadParameter("Give something to set, such as --mtu or --address.")
    with connect(url, token, token_file) as client:
        path = path_of("v1", "adapters", client.adapter_guid(adapter))
        changed = client.request("PATCH", path, json=body)
    _show(changed, as_json)


@app.command()
def restore(
    adapter: Named,
    *,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
    as_json: Json = False,
) -> None:
    """Put back what other programs have changed of an adapter: all that `wanted` names."""
    from wintun_api.cli.client import connect, path_of

    with connect(url, token, token_file) as client:
        guid = client.adapter_guid(adapter)
        restored = client.send("POST", path_of("v1", "adapters", guid, "restore"))
    _show(restored, as_json)


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


def _metric(text: str | None) -> int | None:
    if text is None or text == AUTOMATIC:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"--metric is a number or {AUTOMATIC}, not {text!r}.")
    return int(text)


def _routes(texts: list[str] | None) -> list[dict[str, Any]]:
    """Read routes as ip(8) writes them: a destination, then via and metric with their values."""
    routes: list[dict[str, Any]] = []
    for text in texts or ():
        destination, *words = text.split() or [""]
        given = dict(zip(words[::2], words[1::2], strict=False))
        wrong = len(words) != 2 * len(given) or not set(given) <= {"via", "metric"}
        if wrong or not given.get("metric", "0").isdecimal():
            raise typer.BadParameter(
                f"--route is as '10.0.0.0/8 via 10.6.7.1 metric 5', not {text!r}."
            )
        routes.append(
            {
                "destination": destination,
                "next_hop": given.get("via"),
                "metric": int(given.get("metric", 0)),
            }
        )
    return routes


def _show(adapter: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(adapter)
        return
    difference = adapter["difference"] or {}
    shown = {name: _with_route_texts(members) for name, members in difference.items() if members}
    wanted = _with_route_texts(adapter["wanted"] or {})
    record = _with_route_texts({**adapter, "wanted": wanted or None, "difference": shown or None})
    show_record(record)


def _with_route_texts(settings: dict[str, Any]) -> dict[str, Any]:
    if "routes" not in settings:
        return settings
    return {**settings, "routes": [_route_text(route) for route in settings["routes"]]}


def _route_text(route: dict[str, Any]) -> str:
    via = f" via {route['next_hop']}" if route["next_hop"] else ""
    metric = f" metric {route['metric']}" if route["metric"] else ""
    return f"{route['destination']}{via}{metric}"


def _row(adapter: dict[str, Any]) -> tuple[object, ...]:
    names = ("name", "pool", "guid", "state", "mtu", "addresses", "session")
    return tuple(adapter[name] for name in names)
