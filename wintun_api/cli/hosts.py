"""`wintun-api hosts`: the hosts that have joined a network."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from wintun_api.cli.bus import DEFAULT_NETWORK
from wintun_api.cli.fleet_options import (
    EXTRA,
    FleetOptions,
    connected,
    network_in,
    takes_fleet_options,
)
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.options import Json
from wintun_api.cli.output import counted, show_json
from wintun_api.cli.table import show_table

if TYPE_CHECKING:
    from wintun_api.fleet.bus.seam import Bus
    from wintun_api.fleet.members.card import Card
    from wintun_api.fleet.network import Network

COLUMNS: Final = (
    "Name",
    "Id",
    "Adapter",
    "Addresses",
    "Refused",
    "Sent",
    "Injected",
    "Lost",
    "Clock",
    "Driver",
    "Version",
)
LEAST: Final = ("Version", "Driver", "Clock", "Refused")
SHOWN: Final = 3  # causes of loss
PAUSE: Final = 1.0  # seconds between two tables
CLEAR: Final = "\x1b[H\x1b[2J"


@takes_fleet_options
def hosts(
    network: Annotated[
        str, typer.Argument(metavar="NETWORK", help="The name of the network.")
    ] = DEFAULT_NETWORK,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again whenever it changes, until Ctrl-C.")
    ] = False,
    fleet: FleetOptions,
    as_json: Json = False,
) -> None:
    """List the hosts that have joined a network, with what became of their packets.

    Refused are addresses that another host had claimed before. Sent are packets that went
    to the bus, Injected are those from other hosts that reached the adapter, and Lost are
    those that this host knows to be lost: before the bus, and after it. They are counted
    since the first run with the key of the host, and each host tells them every 10 seconds.
    Clock says how far the clock of the host is ahead of the server's.

    With --watch and --json, every change is one line with all hosts.
    """
    import asyncio

    from wintun_api.cli.fleet_failure import fleet_failures

    with fleet_failures(EXTRA), Interruption() as interruption:
        chosen = network_in(network)
        asyncio.run(_run(chosen, fleet, interruption, watch=watch, as_json=as_json))
        if interruption.signal is not None:
            raise KeyboardInterrupt


async def _run(
    network: Network, fleet: FleetOptions, interruption: Interruption, *, watch: bool, as_json: bool
) -> None:
    import asyncio

    from wintun_api.fleet.keys.rights import Role
    from wintun_api.fleet.race import first_of
    from wintun_api.fleet.storage import READER

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    with interruption.told(lambda: loop.call_soon_threadsafe(stop.set)):
        line = await fleet.key_for(network, READER, role=Role.READER, name="wintun-api hosts")
        bus = await connected(line, "wintun-api hosts")
        try:
            view = View(bus, network)
            await view.start()
            try:
                _show(view.known(), watch=watch, as_json=as_json)
                while watch and not stop.is_set():
                    await first_of(view.changed.wait(), stop.wait())
                    if stop.is_set():
                        break
                    view.changed.clear()
                    _show(view.known(), watch=watch, as_json=as_json)
                    await first_of(asyncio.sleep(PAUSE), stop.wait())
            finally:
                await view.aclose()
        finally:
            await bus.aclose()


@dataclass(frozen=True, slots=True)
class Known:
    """A host as it is shown.

    Attributes:
        id: Its id.
        card: What it says of itself; None if that cannot be read.
        seconds: How old its card is.
        prefixes: What leads to it.
        refused: What it has claimed and another host has.
    """

    id: str
    card: Card | None
    seconds: float
    prefixes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """Return it for programs."""
        card = {} if self.card is None else self.card.model_dump(mode="json", exclude={"run"})
        claimed, more_claimed = card.pop("prefixes", None), card.pop("more_prefixes", None)
        return {
            "id": self.id,
            "seconds": round(self.seconds, 1),
            "prefixes": self.prefixes,
            "refused": self.refused,
            "claimed": claimed,
            "more_claimed": more_claimed,
            **card,
        }

    def row(self) -> tuple[object, ...]:
        """Return it for people, in the order of `COLUMNS`."""
        if self.card is None:
            return ("?", self.id, "?", self.prefixes, self.refused, *"??????")
        card, counts = self.card, self.card.counts
        adapter = card.adapter if card.attached else f"{card.adapter} (no session)"
        return (
            card.name,
            self.id,
            adapter,
            self.prefixes,
            self.refused,
            counts.get("sent", 0),
            counts.get("delivered", 0),
            _lost(counts),
            _clock(card),
            card.driver,
            card.version,
        )


class View:
    """The hosts of a network, their claims, and whether something has changed.

    Attributes:
        changed: Set when something has changed.
    """

    def __init__(self, bus: Bus, network: Network) -> None:
        import asyncio

        from wintun_api.fleet.clock import Clock
        from wintun_api.fleet.members.claims import Claims
        from wintun_api.fleet.members.inventory import Appearance, Host, Inventory
        from wintun_api.fleet.members.routes import Routes

        self.changed = asyncio.Event()

        def appeared(_what: Appearance, host: Host) -> None:
            self.changed.set()
            self.claims.host_changed(host.id)

        def routed(_routes: Routes) -> None:
            self.changed.set()

        self.clock = Clock(bus)
        self.inventory = Inventory(bus, network, self.clock, appeared)
        self.claims = Claims(bus, network, "", self.inventory, on_verdict=_ignore, on_routes=routed)
        bus.notify(lambda *_: self.inventory.returned())

    async def start(self) -> None:
        """Take what is there.

        Raises:
            FleetError: The bus refuses, or does not answer.
        """
        await self.clock.measure()
        await self.inventory.start()
        await self.claims.start()
        self.changed.clear()

    async def aclose(self) -> None:
        """Take no more changes."""
        await self.claims.aclose()
        await self.inventory.aclose()

    def known(self) -> list[Known]:
        """Return the hosts, by their names."""
        now = self.clock.server_ns()
        found = {
            one.id: Known(one.id, one.card, max(0.0, (now - one.renewed_ns) / 1e9))
            for one in self.inventory.hosts.values()
        }
        for prefix, host in self.claims.routes.owners.items():
            if host in found:
                found[host].prefixes.append(str(prefix))
        for claim in self.claims.refused:
            if claim.host in found:
                found[claim.host].refused.append(str(claim.prefix))
        return sorted(found.values(), key=lambda one: (one.card.name if one.card else "", one.id))


def _show(known: list[Known], *, watch: bool, as_json: bool) -> None:
    if as_json:
        documents = [one.json() for one in known]
        if watch:
            typer.echo(json.dumps(documents))
        else:
            show_json(documents)
        return
    if watch and sys.stdout.isatty():
        typer.echo(CLEAR, nl=False)
    if known:
        show_table(COLUMNS, _rows(known), LEAST)
    else:
        typer.echo("No host has joined.", err=True)
    if watch and sys.stdout.isatty():
        typer.echo(f"{counted(len(known), 'host')}; Ctrl-C ends.")


def _rows(known: Iterable[Known]) -> list[tuple[object, ...]]:
    return [one.row() for one in known]


def _lost(counts: Mapping[str, int]) -> str:
    lost = Counter({name: count for name, count in counts.items() if name.startswith("lost_")})
    uncounted = counts.get("uncounted", 0)
    times = f"; {uncounted} uncounted" if uncounted else ""
    if not lost.total():
        return f"0{times}"
    shown = lost.most_common(SHOWN)
    more = len(lost) > SHOWN
    unknown = ("lost_unknown", lost["lost_unknown"])
    if unknown[1] and unknown not in shown:
        shown[-1] = unknown  # it says that the accounts are not complete
    causes = [f"{count} {name.removeprefix('lost_').replace('_', ' ')}" for name, count in shown]
    return ", ".join(causes) + (" ..." if more else "") + times


def _clock(card: Card) -> str:
    if card.clock_offset_ns is None:
        return "?"
    return f"{-card.clock_offset_ns / 1e6:+.1f} ms"


def _ignore(_verdict: object) -> None:
    """Claim nothing."""
