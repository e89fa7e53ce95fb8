"""`capture --network`: the packets of the hosts of a network, which their agents capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wintun_api.choices import CaptureDirection, Tap
from wintun_api.cli.capture_source import Fault, Packets, Which
from wintun_api.cli.fleet_options import EXTRA, FleetOptions, connected, network_in
from wintun_api.cli.output import fail, printable
from wintun_api.cli.recording import record

if TYPE_CHECKING:
    from wintun_api.fleet.bus.seam import Bus
    from wintun_api.fleet.captures.merging import Matches
    from wintun_api.fleet.captures.reading import Choice


@dataclass(frozen=True, slots=True)
class Hosts:
    """Say whose packets are read.

    Attributes:
        network: The network; None where it is this machine's service that captures.
        hosts: Names or ids of its hosts; none for all of them.
        until: When the file ends; None for never.
        fleet: The bus, and the key.
    """

    network: str | None
    hosts: Sequence[str]
    until: str | None
    fleet: FleetOptions

    def fault(self, which: Which, packets: Packets) -> Fault | None:
        """Return what is wrong with it, and with what does not go with it."""
        if self.network is None:
            fleet = self.fleet
            if self.hosts or self.until or fleet != FleetOptions(None, None, None, None):
                return (
                    "--host, --until, --bus, --key and their folders belong to --network.",
                    "For example: wintun-api capture --network lab --host NAME",
                )
            return None
        if which.is_given:
            return (
                "--network cannot be used with sessions, --adapter, --pool or --all.",
                "Choose hosts of the network with --host NAME, or leave the others out.",
            )
        if packets.tap is Tap.BEFORE or packets.marks:
            return (
                "--tap before and --marks are not known of the packets of a network.",
                "Leave them out.",
            )
        return None


def capture_network(
    network: str, hosts: Hosts, packets: Packets, write: Path | None, *, as_json: bool
) -> None:
    """Write or show the captures of a network until they end, or a signal ends them."""
    from wintun_api.cli.fleet_failure import fleet_failures

    chosen = network_in(network)
    with fleet_failures(EXTRA):
        from wintun_api.fleet.captures.reading import opened
        from wintun_api.fleet.captures.remarks import remarks
        from wintun_api.fleet.keys.rights import Role
        from wintun_api.fleet.storage import READER

        async def connect() -> Bus:
            line = await hosts.fleet.key_for(
                chosen, READER, role=Role.READER, name="wintun-api capture"
            )
            return await connected(line, "wintun-api capture")

        with opened(connect, chosen, _choice(hosts, packets)) as opening:
            for one in opening.unknown:
                said = f"No host called {one} has joined now; what it has left is read."
                typer.echo(printable(said), err=True)
            failed = False
            try:
                record(write, opening.chunks, as_json=as_json, several=True, tell=opening.stop)
            except typer.Exit:
                failed = True
                raise
            finally:
                for one in remarks(opening.reading.merging, failed=failed):
                    typer.echo(one, err=True)


def _choice(hosts: Hosts, packets: Packets) -> Choice:
    from wintun_api.fleet.captures.reading import Choice

    injected = {CaptureDirection.INJECTED: True, CaptureDirection.RECEIVED: False}
    return Choice(
        hosts=tuple(hosts.hosts),
        since=packets.since,
        until=hosts.until,
        seconds=packets.seconds,
        count=packets.count,
        injected=injected.get(packets.direction),
        matches=None if packets.filter is None else _matches(packets.filter),
        filter=packets.filter or "",
        snaplen=packets.snaplen,
    )


def _matches(expression: str) -> Matches:
    """Compile a filter; one that is wrong ends the command with a mark at the place."""
    from wintun_api.cli import filter_fault
    from wintun_api.errors import FilterUnavailable, InvalidFilter
    from wintun_api.fleet.captures.reading import matching

    try:
        return matching(expression)
    except InvalidFilter as error:
        filter_fault.refuse(error)
    except FilterUnavailable as error:
        fail(str(error), error.hint)
