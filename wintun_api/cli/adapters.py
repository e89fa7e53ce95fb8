"""`wintun-api adapters`: adapters of a running service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from uuid import UUID

import typer

from wintun_api.choices import IfExists
from wintun_api.cli.client_options import ClientOptions, takes_client_options
from wintun_api.cli.completion import adapter_names, pool_names
from wintun_api.cli.options import Quiet, check_output
from wintun_api.cli.output import marked, show_ids, show_json
from wintun_api.cli.packet_options import pool_in
from wintun_api.cli.route_text import route_text
from wintun_api.cli.table import show_record, show_table

if TYPE_CHECKING:
    from wintun_api.cli.client import Client

app = typer.Typer(
    help="List, create, change and delete adapters.",
    epilog="Example: wintun-api adapters create OfficeNet --address 10.6.7.7/24\n\n"
    "Delete them all: wintun-api adapters list -q | xargs wintun-api adapters delete",
    no_args_is_help=True,
)

ADAPTER_HELP = "The GUID of the adapter, or its name if no other adapter has it."
Named: TypeAlias = Annotated[
    str,
    typer.Argument(metavar="ADAPTER", help=ADAPTER_HELP, autocompletion=adapter_names),
]
SeveralNamed: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="ADAPTER...",
        help="The GUIDs of adapters, or their names.",
        autocompletion=adapter_names,
    ),
]
Name: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The name of the adapter.")]
Pool: TypeAlias = Annotated[
    str,
    typer.Option(
        help="The pool of the adapter; in Wintun 0.14, its tunnel type.", autocompletion=pool_names
    ),
]
Mtu: TypeAlias = Annotated[int | None, typer.Option(help="The MTU in bytes.")]
Metric: TypeAlias = Annotated[
    str | None,
    typer.Option(help="The metric of the interface, or auto to let the system choose it."),
]
Routes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--route",
        help="A route, such as 10.0.0.0/8 or '10.0.0.0/8 via 10.6.7.1 metric 5'. Can be repeated.",
    ),
]
Dns: TypeAlias = Annotated[list[str] | None, typer.Option(help="A DNS server. Can be repeated.")]
DnsSearch: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="A domain that is appended to short names. Can be repeated."),
]

COLUMNS = ("Name", "Pool", "GUID", "State", "MTU", "Addresses", "Session")
LEAST = ("Session", "MTU", "Pool")  # what a narrow terminal can do without
DEFAULT_POOL = "wintun-api"
AUTOMATIC = "auto"


@app.command("list")
@takes_client_options(far=True)
def list_adapters(
    *,
    pool: Annotated[
        str | None,
        typer.Option(
            callback=pool_in, help="List only the adapters of this pool.", autocompletion=pool_names
        ),
    ] = None,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """List the adapters."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        adapters = client.ask(operations.list_adapters(pool=pool))
        if options.as_json:
            show_json(adapters)
        elif quiet:
            show_ids(one["guid"] for one in adapters)
        elif adapters:
            impaired = _impaired(client, adapters)
            show_table(COLUMNS, [_row(adapter, impaired) for adapter in adapters], LEAST)
        else:
            typer.echo("No adapters.", err=True)


@app.command()
@takes_client_options(far=True)
def create(
    name: Name,
    *,
    pool: Pool = DEFAULT_POOL,
    guid: Annotated[
        UUID | None,
        typer.Option(
            help="The GUID to ask for. By default the same pool and name get the same GUID each "
            "time."
        ),
    ] = None,
    mtu: Mtu = None,
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="An address with its prefix length, such as 10.6.7.7/24. Can be repeated."
        ),
    ] = None,
    metric: Metric = None,
    route: Routes = None,
    dns: Dns = None,
    dns_search: DnsSearch = None,
    if_exists: Annotated[
        IfExists,
        typer.Option(
            help="What to do where an adapter with this name is in the pool: refuse, open it and "
            "change the settings that you give, or delete it and create it again."
        ),
    ] = IfExists.ERROR,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """Create an adapter and show it."""
    from wintun_api.client import operations
    from wintun_api.client.call import UNSET

    check_output(as_json=options.as_json, quiet=quiet)
    # To leave the metric to the system is what a new adapter does anyway.
    kept = metric is None or (metric == AUTOMATIC and if_exists is not IfExists.OPEN)
    with options.connect() as client:
        call = operations.create_adapter(
            name,
            pool=pool,
            requested_guid=guid,
            mtu=mtu,
            addresses=address or None,
            metric=UNSET if kept else _metric(metric),
            routes=_routes(route) or None,
            dns=dns or None,
            dns_search=dns_search or None,
            if_exists=None if if_exists is IfExists.ERROR else if_exists,
        )
        made = client.ask(call)
        _show(made, options.as_json, quiet)


@app.command("open")
@takes_client_options(far=True)
def open_adapter(
    name: Name,
    *,
    pool: Pool = DEFAULT_POOL,
    quiet: Quiet = False,
    options: ClientOptions,
) -> None:
    """Open an adapter that exists, so that the service manages it."""
    from wintun_api.client import operations

    check_output(as_json=options.as_json, quiet=quiet)
    with options.connect() as client:
        opened = client.ask(operations.open_adapter(name, pool=pool))
        _show(opened, options.as_json, quiet)


@app.command()
@takes_client_options(far=True)
def show(
    adapter: Named,
    *,
    options: ClientOptions,
) -> None:
    """Show one adapter."""
    from wintun_api.client import operations

    with options.connect() as client:
        found = client.ask(operations.get_adapter(client.adapter_guid(adapter)))
        if not options.as_json and (impairment := _impaired(client, [found])):
            found["impairment"] = impairment[found["guid"]]
        _show(found, options.as_json)


@app.command()
@takes_client_options(far=True)
def rename(
    adapter: Named,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    *,
    options: ClientOptions,
) -> None:
    """Give an adapter another name."""
    from wintun_api.client import operations

    with options.connect() as client:
        guid = client.adapter_guid(adapter)
        renamed = client.ask(operations.update_adapter(guid, name=name))
        _show(renamed, options.as_json)


@app.command("set")
@takes_client_options(far=True)
def set_adapter(
    adapter: Named,
    *,
    mtu: Mtu = None,
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="An address with its prefix length; all others are removed. Can be repeated."
        ),
    ] = None,
    no_addresses: Annotated[
        bool, typer.Option("--no-addresses", help="Remove all addresses.")
    ] = False,
    metric: Metric = None,
    route: Routes = None,
    no_routes: Annotated[
        bool, typer.Option("--no-routes", help="Remove all routes except those of the system.")
    ] = False,
    dns: Dns = None,
    dns_search: DnsSearch = None,
    no_dns: Annotated[
        bool, typer.Option("--no-dns", help="Remove all DNS servers and search domains.")
    ] = False,
    options: ClientOptions,
) -> None:
    """Change network settings. What you do not give stays as it is."""
    from wintun_api.client import operations

    if address and no_addresses:
        raise typer.BadParameter("--address and --no-addresses cannot be used together.")
    if route and no_routes:
        raise typer.BadParameter("--route and --no-routes cannot be used together.")
    if (dns or dns_search) and no_dns:
        raise typer.BadParameter("--no-dns cannot be used with --dns or --dns-search.")
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
    with options.connect() as client:
        guid = client.adapter_guid(adapter)
        changed = client.ask(operations.update_adapter(guid, **body))
        _show(changed, options.as_json)


@app.command()
@takes_client_options(far=True)
def restore(
    adapter: Named,
    *,
    options: ClientOptions,
) -> None:
    """Undo what other programs have changed: set again what was asked for through the service."""
    from wintun_api.client import operations

    with options.connect() as client:
        guid = client.adapter_guid(adapter)
        restored = client.ask(operations.restore_adapter(guid))
        _show(restored, options.as_json)


@app.command()
@takes_client_options(far=True)
def release(
    adapter: Named,
    *,
    options: ClientOptions,
) -> None:
    """Release an adapter. The system keeps it, except with Wintun 0.14, which removes it."""
    from wintun_api.client import operations

    with options.connect() as client:
        guid = client.adapter_guid(adapter)
        answer = client.ask(operations.release_adapter(guid))
        if options.as_json:
            show_json(answer)
        else:
            typer.echo(
                "Released. The adapter is still there."
                if answer["exists"]
                else "Released. The driver has removed the adapter, as it was no longer in use."
            )


@app.command()
@takes_client_options(far=True)
def delete(
    adapters: SeveralNamed,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also close the sessions of other programs.")
    ] = False,
    options: ClientOptions,
) -> None:
    """Delete adapters. Their sessions end first.

    All of them are looked up first: if one is not there, none is deleted. With --json
    there is one object, or a list of objects for several adapters.
    """
    from wintun_api.client import operations

    with options.connect() as client:
        guids = [client.adapter_guid(adapter) for adapter in adapters]
        answers = []
        for guid in dict.fromkeys(guids):
            answer = client.ask(operations.delete_adapter(guid, force=force or None))
            answers.append(answer)
            if not options.as_json:
                reboot = " Restart the computer to finish it." if answer["reboot_required"] else ""
                which = f" {guid}" if len(adapters) > 1 else ""
                typer.echo(f"Deleted{which}.{reboot}")
        if options.as_json:
            show_json(answers if len(guids) > 1 else answers[0])


def _metric(text: str | None) -> int | None:
    if text is None or text == AUTOMATIC:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"Give --metric as a number or {AUTOMATIC}, not {text!r}.")
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
                f"Write --route as '10.0.0.0/8 via 10.6.7.1 metric 5', not {text!r}."
            )
        routes.append(
            {
                "destination": destination,
                "next_hop": given.get("via"),
                "metric": int(given.get("metric", 0)),
            }
        )
    return routes


def _show(adapter: dict[str, Any], as_json: bool, quiet: bool = False) -> None:
    if as_json:
        show_json(adapter)
        return
    if quiet:
        show_ids([adapter["guid"]])
        return
    difference = adapter["difference"] or {}
    shown = {name: _with_route_texts(members) for name, members in difference.items() if members}
    wanted = _with_route_texts(adapter["wanted"] or {})
    record = _with_route_texts({**adapter, "wanted": wanted or None, "difference": shown or None})
    show_record(record)


def _with_route_texts(settings: dict[str, Any]) -> dict[str, Any]:
    if "routes" not in settings:
        return settings
    return {**settings, "routes": [route_text(route) for route in settings["routes"]]}


def _impaired(client: Client, adapters: list[dict[str, Any]]) -> dict[str, str]:
    """Return what happens to the packets of those adapters whose sessions are impaired."""
    from wintun_api.client import operations

    if not any(one["session"] for one in adapters):
        return {}
    sessions = client.ask(operations.list_sessions())
    said = {one["id"]: one.get("impairment") for one in sessions}
    return {one["guid"]: text for one in adapters if (text := said.get(one["session"]))}


def _row(adapter: dict[str, Any], impaired: Mapping[str, str]) -> tuple[object, ...]:
    names = ("name", "pool", "guid", "state", "mtu", "addresses", "session")
    state = marked(adapter["state"], impaired.get(adapter["guid"]))
    return tuple({**adapter, "state": state}[name] for name in names)


app.command("ls", hidden=True)(list_adapters)
app.command("rm", hidden=True)(delete)
