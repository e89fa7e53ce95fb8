"""`wintun-api join keys`: make the keys with which hosts join a network."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wintun_api.cli.bus import BusData, laboratory_in, new_plan, with_networks
from wintun_api.cli.fleet_options import check_name, prefix_in
from wintun_api.cli.log import tell
from wintun_api.cli.options import Json, as_path
from wintun_api.cli.output import fail, printable, show_json
from wintun_api.cli.table import show_table
from wintun_api.fleet.keys.rights import Role

if TYPE_CHECKING:
    from wintun_api.fleet.keys.identity import KeyLine
    from wintun_api.fleet.network import Prefix
    from wintun_api.fleet.server.laboratory import Laboratory
    from wintun_api.fleet.server.plan import PlannedNetwork, User

COLUMNS = ("Id", "Role", "Name", "May claim")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The key to be made."""

    role: Role
    name: str
    servers: tuple[str, ...]
    prefixes: tuple[Prefix, ...]


def _networks(context: typer.Context, incomplete: str) -> list[str]:
    """Return the networks of the bus that begin so; none, whatever goes wrong."""
    from contextlib import suppress

    with suppress(Exception):
        plan = laboratory_in(context.params.get("data_dir")).plan()
        names = [one.network.name for one in plan.networks]
        return [name for name in names if name.startswith(incomplete)]
    return []


def keys(
    *,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NETWORK",
            help="The network; it can be left out where the bus has only one.",
            autocompletion=_networks,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(metavar="NAME", help="A name for the host, by which you find its key again."),
    ] = "",
    role: Annotated[
        Role,
        typer.Option(
            help="What the key is for: host joins with an adapter, operator asks the services of "
            "hosts, reader reads captures and the inventory.",
        ),
    ] = Role.HOST,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=as_path,
            help="Write the key to a new file that only this user can read; - stands for standard "
            "output.",
        ),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            metavar="URL",
            help="The URL at which the host reaches the bus, such as tls://hub.example.com:4222. "
            "It is needed where the bus has another address for the host than for this machine, as "
            "behind NAT. Only loopback addresses may be nats://, without TLS. Can be repeated.",
        ),
    ] = None,
    prefix: Annotated[
        list[str] | None,
        typer.Option(
            "--prefix",
            metavar="PREFIX",
            help="Let the host claim this and nothing else: each address of its adapter, such as "
            "10.7.0.2/32, and each network behind it, just as wintun-api join --prefix has it. "
            "By default it may claim everything that no other host has. Can be repeated.",
        ),
    ] = None,
    show_list: Annotated[
        bool, typer.Option("--list", help="List the keys that were made, without their secrets.")
    ] = False,
    revoke: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Revoke a key, by its id or its name. Its host is cut off at once, and others "
            "can have its addresses.",
        ),
    ] = None,
    print_config: Annotated[
        bool,
        typer.Option(
            "--print-config",
            help="Print the accounts of the network, with the public keys made so far, for the "
            "configuration of a NATS server that another team operates.",
        ),
    ] = False,
    prepare: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Make the buckets and the stream of the network on such a server, when its "
            "configuration has these accounts.",
        ),
    ] = None,
    data_dir: BusData = None,
    as_json: Json = False,
) -> None:
    """Make a key with which a host joins a network, and print it as one line.

    The line is a secret: it is shown only this once. Copy it to a file on the host, and
    run wintun-api join there with --key. A bus that runs accepts the key at once.

    The key goes to standard output; the id of the host goes to standard error.
    """
    import asyncio

    from wintun_api.cli.fleet_failure import fleet_failures

    if sum((show_list, revoke is not None, print_config, prepare is not None)) > 1:
        raise typer.BadParameter("Give only one of --list, --revoke, --print-config and --prepare.")
    other = show_list or revoke is not None or print_config or prepare is not None
    if other and (server or prefix):
        raise typer.BadParameter("--server and --prefix belong to a new key.")
    if prefix and role is not Role.HOST:
        raise typer.BadParameter(f"A {role} claims nothing.", param_hint="--prefix")
    check_name(name)
    if output is not None and str(output) == "-":
        output = None  # standard output, as for other commands
    wanted = _Wanted(role, name, tuple(server or ()), tuple(map(prefix_in, prefix or ())))
    with fleet_failures("fleet-server"):
        laboratory = laboratory_in(data_dir)
        if print_config or prepare is not None:
            asyncio.run(_begin(laboratory, network))
        chosen = _chosen(laboratory, network)
        if show_list:
            _show_keys(chosen, as_json=as_json)
        elif revoke is not None:
            _revoke(laboratory, chosen, revoke, as_json=as_json)
        elif print_config:
            _print_config(chosen)
        elif prepare is not None:
            _prepare(laboratory, chosen, prepare, as_json=as_json)
        else:
            _make(laboratory, chosen, wanted, output, as_json=as_json)


async def _begin(laboratory: Laboratory, network: str | None) -> None:
    """Plan a network for a server that is there already, if nothing is planned yet."""
    if not laboratory.has_plan():
        laboratory.prepare()
        async with laboratory.changing():
            laboratory.write(with_networks(new_plan(), [network] if network else None))


def _chosen(laboratory: Laboratory, network: str | None) -> PlannedNetwork:
    plan = laboratory.plan()
    if network is not None:
        return plan.find(network)
    if len(plan.networks) != 1:
        names = ", ".join(one.network.name for one in plan.networks)
        raise typer.BadParameter(
            f"The bus has several networks: {names}. Say which one.", param_hint="--network"
        )
    return plan.networks[0]


def _make(
    laboratory: Laboratory,
    chosen: PlannedNetwork,
    wanted: _Wanted,
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    import asyncio

    from wintun_api.fleet.server.issuing import issue, issue_to

    if output is not None and output.exists():
        fail(f"{output} is there already.", "Give another file with --output, or delete this one.")
    options: dict[str, Any] = {
        "role": wanted.role,
        "name": wanted.name,
        "servers": wanted.servers,
        "prefixes": wanted.prefixes,
    }
    if output is None:
        if sys.stdout is None:
            fail("Standard output is closed.", "Give a file with --output instead.")
        line = asyncio.run(issue(laboratory, chosen.network.name, **options))
        _show_key(laboratory, line, wanted, as_json=as_json)
    else:
        line = asyncio.run(issue_to(output, laboratory, chosen.network.name, **options))
        if as_json:
            show_json(_as_json(line, wanted, output))
    if not as_json:
        typer.echo(_next_step(line, wanted.role, output), err=True)
    for unknown in _not_certified(laboratory, wanted.servers):
        tell(
            f"Warning: the certificate of this bus does not have the name {unknown}, so hosts "
            f"refuse it there. Start the bus with --hostname {unknown}."
        )


def _show_key(laboratory: Laboratory, line: KeyLine, wanted: _Wanted, *, as_json: bool) -> None:
    """Write the key to standard output, and take it back where that fails: it is kept nowhere."""
    import asyncio

    from wintun_api.fleet.problems import FleetError
    from wintun_api.fleet.server.issuing import revoke

    try:
        if as_json:
            show_json(_as_json(line, wanted, None))
        else:
            typer.echo(line.encode())
        sys.stdout.flush()
    except OSError as error:
        made = line.identity.host
        try:
            asyncio.run(revoke(laboratory, line.network.name, made))
        except (FleetError, OSError):
            hint = (
                f"The key {made} is still valid. Revoke it with: wintun-api join keys --network "
                f"{line.network.name} --revoke {made}"
            )
        else:
            hint = "It was revoked again. Give a file with --output instead."
        fail(f"The key cannot be written to standard output: {error.strerror or error}.", hint)


def _not_certified(laboratory: Laboratory, servers: tuple[str, ...]) -> list[str]:
    """Return the names in these URLs that the bus of this machine has no certificate for."""
    from wintun_api.fleet.urls import check_servers, host_in, is_loopback

    listening = laboratory.plan().listening
    if not (servers and listening.tls):
        return []  # it is another server, whose certificate is not known here
    names = {host_in(one): None for one in check_servers(servers)}
    known = {one.lower() for one in listening.reached_at}
    return [one for one in names if one not in known and not is_loopback(one)]


def _as_json(line: KeyLine, wanted: _Wanted, output: Path | None) -> dict[str, Any]:
    made = {
        "id": line.identity.host,
        "network": line.network.name,
        "role": wanted.role,
        "name": wanted.name,
        "servers": line.servers,
        "prefixes": list(map(str, wanted.prefixes)),
    }
    return {**made, "key": line.encode()} if output is None else {**made, "file": str(output)}


def _next_step(line: KeyLine, role: Role, output: Path | None) -> str:
    where = "the line to a file" if output is None else f"{output}"
    said = f"The id of this {role} is {line.identity.host}."
    if role is not Role.HOST:
        return printable(f"{said} Copy {where} to where it is needed.")
    return printable(
        f"{said} Copy {where} to the host, and run there: "
        f"wintun-api join {line.network.name} --adapter ADAPTER --key FILE"
    )


def _show_keys(chosen: PlannedNetwork, *, as_json: bool) -> None:
    if as_json:
        show_json([_user_as_json(user) for user in chosen.users])
    elif chosen.users:
        show_table(COLUMNS, list(map(_row, chosen.users)))
    else:
        typer.echo(f"No keys were made for {chosen.network.name}.", err=True)


def _row(user: User) -> tuple[object, ...]:
    everything = "everything" if user.role is Role.HOST else ""
    return (user.id, user.role, user.name, list(map(str, user.prefixes)) or everything)


def _user_as_json(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "role": user.role,
        "name": user.name,
        "prefixes": list(map(str, user.prefixes)),
        "public_key": user.public_key,
    }


def _revoke(laboratory: Laboratory, chosen: PlannedNetwork, user: str, *, as_json: bool) -> None:
    import asyncio

    from wintun_api.fleet.members.inventory import LIFETIME
    from wintun_api.fleet.server import issuing

    gone = asyncio.run(issuing.revoke(laboratory, chosen.network.name, user))
    if as_json:
        show_json({"revoked": gone.user.id})
    else:
        typer.echo(f"Revoked {gone.user.id}.")
    if gone.user.role is not Role.HOST:
        return
    if gone.kept:
        tell(
            f"Warning: what the host has claimed could not be deleted. {gone.kept} Other hosts can "
            f"have its addresses in {LIFETIME:.0f} seconds."
        )
    elif as_json:
        return
    elif gone.running:
        typer.echo("Other hosts can have the addresses of the host now.", err=True)
    else:
        typer.echo(
            "The bus does not run here: its next start deletes what the host has claimed. For a "
            "server of another team, print the new accounts with --print-config.",
            err=True,
        )


def _print_config(chosen: PlannedNetwork) -> None:
    from wintun_api.fleet.server.configuration import accounts, as_text

    typer.echo(as_text({"accounts": accounts([chosen])}), nl=False)


def _prepare(laboratory: Laboratory, chosen: PlannedNetwork, url: str, *, as_json: bool) -> None:
    import asyncio

    from wintun_api.fleet.server.administration import prepare_at
    from wintun_api.fleet.urls import check_servers

    plan, server = laboratory.plan(), check_servers([url])[0]
    own = server in (*plan.listening.urls, plan.listening.own_url)
    ca = laboratory.trusted(plan) if own else None
    asyncio.run(prepare_at(server, chosen, plan.bounds, ca))
    if as_json:
        show_json({"prepared": chosen.network.name, "server": server})
    else:
        typer.echo(printable(f"The network {chosen.network.name} is ready at {server}."))
