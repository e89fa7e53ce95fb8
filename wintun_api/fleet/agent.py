"""All of it for one network: what `wintun-api join` runs.

The agent outlives its service, its session and its server: it comes back to each of them by itself,
and tells every change as an event, to its caller and on the bus.
"""

from __future__ import annotations

import asyncio
import platform
import random
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Interface, ip_interface
from typing import TYPE_CHECKING, Final

from wintun_api import __version__
from wintun_api.client.backoff import Backoff
from wintun_api.client.problems import ClientError
from wintun_api.fleet.accounts import Cause
from wintun_api.fleet.allowance import Allow
from wintun_api.fleet.arriving import Arriving
from wintun_api.fleet.attachment import BACKOFF, Attachment
from wintun_api.fleet.backlog import DEFAULT_BYTES, Policy
from wintun_api.fleet.bus.seam import Bus, Change, Subscription, Take
from wintun_api.fleet.capturing import CaptureOrder, Capturing
from wintun_api.fleet.card import MAX_PREFIXES, Card, CardAdapter
from wintun_api.fleet.claims import About, Claims, Standing, Verdict, of_addresses
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.events import Announcements, EventKind, OnEvent
from wintun_api.fleet.grouping import Grouping
from wintun_api.fleet.inventory import LIFETIME, RENEWAL, RETURN, Appearance, Host, Inventory
from wintun_api.fleet.leaving import Leaving
from wintun_api.fleet.losses import Losses, told, totals_of
from wintun_api.fleet.network import Network, Prefix
from wintun_api.fleet.problems import BusDenied, BusUnavailable, KeyInUse
from wintun_api.fleet.remote import Remote
from wintun_api.fleet.reporting import Reporting
from wintun_api.fleet.routes import Routes
from wintun_api.fleet.unreachable import Unreachable

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient, AsyncPacketStream
    from wintun_api.fleet.ledger import Ledger
    from wintun_api.schemas.adapters import Adapter

SUBSCRIPTION: Final = 8 * 1024 * 1024  # bytes of messages that one subscription may hold
LAST_WORDS: Final = 3.0  # seconds that an agent has to delete its claims and its card


@dataclass(frozen=True, slots=True)
class Order:
    """What is joined with what.

    Attributes:
        network: The network.
        adapter: The adapter, by its name or its GUID.
        name: What this host is called.
        prefixes: What is claimed beside the addresses of the adapter.
        policy: What happens to packets for which the bus has no room.
        bus_bytes: How many bytes wait for the bus.
        allow: What operators may ask of the service over the bus; None for nothing.
        capture: Which packets are captured for the network; None for none.
    """

    network: Network
    adapter: str
    name: str
    prefixes: tuple[Prefix, ...] = ()
    policy: Policy = "drop_oldest"
    bus_bytes: int = DEFAULT_BYTES
    allow: Allow | None = None
    capture: CaptureOrder | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done, in seconds.

    Attributes:
        renewal: Between two cards.
        lifetime: Without a card, after which a host is dead.
        patience: That hosts have to come back when this one was away itself.
        telling: Between two rounds of telling other hosts what became of their packets.
        clock: Between two measurements of the clock.
        service: How a service is looked for that has gone.
    """

    renewal: float = RENEWAL
    lifetime: float = LIFETIME
    patience: float = RETURN
    telling: float = 1.0
    clock: float = 60.0
    service: Backoff = BACKOFF


class Agent:
    """Join one adapter with a network, until it is told to stop. Event loop thread only.

    Attributes:
        host: The id of this host.
        ledger: What became of all packets; the caller opens and closes it.
        inventory: The hosts that live.
        claims: The claims of all hosts.
    """

    def __init__(
        self,
        client: AsyncClient,
        bus: Bus,
        host: str,
        order: Order,
        ledger: Ledger,
        *,
        on_event: OnEvent,
        pace: Pace | None = None,
    ) -> None:
        """Take what it works with; `run` does the work, and closes none of it.

        Args:
            client: Reaches the service, with a token of the scopes read, capture and inject.
            bus: The connection.
            host: The id of this host, as its key says.
            order: What is joined with what.
            ledger: Counts.
            on_event: Called with each event, in the event loop.
            pace: How often things are done.
        """
        network, grouping = order.network, Grouping(Routes(), host)
        self.host = host
        self.ledger = ledger
        self._bus = bus
        self._order = order
        self._network = network
        self._pace = pace = pace or Pace()
        self._clock = Clock(bus)
        self._announcements = Announcements(bus, network.events(host), on_event)
        self.inventory = Inventory(
            bus,
            network,
            self._clock,
            self._appeared,
            lifetime=pace.lifetime,
            patience=pace.patience,
        )
        self.claims = Claims(
            bus, network, host, self.inventory, on_verdict=self._judged, on_routes=self._routed
        )
        self._arriving = Arriving(network, host, ledger, grouping)
        self._leaving = Leaving(
            bus, network, host, ledger, grouping, limit=order.bus_bytes, policy=order.policy
        )
        self._leaving.on_unroutable = self._answer
        self._unreachable = Unreachable()
        self._attachment = Attachment(
            client,
            order.adapter,
            overflow=order.policy,
            on_found=self._found,
            on_change=self._attached,
            on_end=self._arriving.settle,
            backoff=pace.service,
        )
        self._remote: Remote | None = None
        if order.allow is not None:
            self._remote = Remote(client, bus, order.allow, self._announcements.tell)
        self._capturing: Capturing | None = None
        if order.capture is not None:
            self._capturing = Capturing(
                client, bus, network, host, order.capture, name=order.name, clock=self._clock
            )
        self._reporting = Reporting(
            client,
            bus,
            network,
            self.inventory,
            lambda: self.claims.routes,
            host=host,
            period=pace.renewal,
        )
        self._losses = Losses(ledger)
        self._subscriptions: list[Subscription] = []
        self._broadcasts: tuple[bytes, ...] = ()
        self._run_id = secrets.token_hex(8)  # tells this agent from another one with the same key
        self._epoch = 0
        self._put_at: float | None = None  # when the last card was put
        self._displaced: asyncio.Future[None] | None = None
        self._renew = asyncio.Event()
        self._ending = False

    async def run(self, stop: asyncio.Event) -> None:
        """Join, and stay until `stop` is set; then delete the claims and the card of this host.

        Raises:
            ClientError: The service refuses, or is not there when the agent starts.
            FleetError: The bus refuses, or is not there when the agent starts; or another agent
                uses the key of this host.
        """
        self._displaced = asyncio.get_running_loop().create_future()
        self._bus.notify(self._noticed)
        await self._attachment.check()
        try:
            await self._begin()
            await self._work(stop)
        finally:
            await self._end()

    async def _work(self, stop: asyncio.Event) -> None:
        assert self._displaced is not None
        rooms = (
            self._keep_card(),
            self._keep_clock(),
            self._tell_hosts(),
            self.claims.keep(),
            self._reporting.keep(),
            self._leaving.send(),
            self._announcements.publish(),
            self._attachment.serve(self._exchange),
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one) for one in rooms]
                stopping = group.create_task(stop.wait())
                await asyncio.wait((stopping, self._displaced), return_when=asyncio.FIRST_COMPLETED)
                for task in (*tasks, stopping):
                    task.cancel()
        except BaseExceptionGroup as failed:
            raise _first(failed) from None
        if self._is_displaced:
            raise KeyInUse(
                f"Another agent has joined {self._network.name} with the key of this host.",
                hint="Make a key for each host: wintun-api join keys",
            )

    # Beginning and end

    async def _begin(self) -> None:
        await self._clock.measure()
        await self.inventory.start()
        # One that was started again before its card has lapsed goes on with the same life.
        self._epoch = self.inventory.epochs.get(self.host) or self._clock.server_ns()
        taken: list[tuple[str, Take]] = [
            (self._network.packets(self.host, "*"), self._arriving.take),
            (self._network.group_packets("*"), self._arriving.take_group),
            (self._network.feedback(self.host, "*"), self._leaving.learn),
        ]
        if self._remote is not None:
            taken.append((self._network.requests(self.host), self._remote.take))
        for subject, take in taken:
            subscription = await self._bus.subscribe(subject, take, limit_bytes=SUBSCRIPTION)
            self._subscriptions.append(subscription)
        await self._put_card()
        await self.claims.start()
        self._claim()
        self._tell(
            EventKind.AGENT_STARTED,
            f"{self._order.name} ({self.host}) has joined {self._network.name} with the adapter "
            f"{self._order.adapter}.",
            host=self.host,
            name=self._order.name,
            network=self._network.name,
            adapter=self._order.adapter,
            server=self._bus.version,
        )
        if self.ledger.recovered:
            self._tell(
                EventKind.PACKETS_LOST,
                told(Cause.UNKNOWN, self.ledger.recovered),
                cause=Cause.UNKNOWN.value,
                count=self.ledger.recovered,
            )

    async def _end(self) -> None:
        """Leave in order as far as the server lets it, in a bounded time."""
        self._ending = True
        self._leaving.clear()
        self._arriving.settle()
        who = f"{self._order.name} ({self.host})"
        try:
            if self._put_at is None:
                return  # it has not joined
            async with asyncio.timeout(LAST_WORDS):
                if self._is_displaced:
                    self._tell(EventKind.AGENT_ENDED, f"{who} has ended.", host=self.host)
                else:
                    await self._tell_senders()
                    await self.claims.release()
                    await (await self._bus.bucket(self._network.hosts)).delete(self.host)
                    self._tell(
                        EventKind.AGENT_ENDED,
                        f"{who} has left {self._network.name}.",
                        host=self.host,
                    )
                await self._announcements.flush()
        except (TimeoutError, BusUnavailable, BusDenied) as error:
            self._tell(
                EventKind.AGENT_ENDED,
                f"{who} has ended, and the bus did not take its leave: the other hosts notice it "
                f"within {self._pace.lifetime:.0f} seconds.",
                host=self.host,
                reason=str(error),
            )
        finally:
            for subscription in self._subscriptions:
                await subscription.aclose()
            if self._remote is not None:
                await self._remote.aclose()
            await self.claims.aclose()
            await self.inventory.aclose()

    # The service

    async def _exchange(self, stream: AsyncPacketStream) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                injecting = group.create_task(self._arriving.inject(stream))
                capturing = self._capturing and group.create_task(
                    self._capturing.run(stream.hello.session)
                )
                await self._leaving.read(stream)
                injecting.cancel()
                if capturing:
                    await asyncio.wait((capturing,), timeout=LAST_WORDS)
                    capturing.cancel()
        except BaseExceptionGroup as failed:
            raise _first(failed) from None

    def _found(self, adapter: Adapter) -> None:
        """Take the settings of the adapter: what it claims, and what its broadcasts are."""
        subnets = [ip_interface(one) for one in adapter.addresses]
        self._broadcasts = tuple(
            one.network.broadcast_address.packed
            for one in subnets
            if isinstance(one, IPv4Interface) and one.network.prefixlen < 31
        )
        self._routed(self.claims.routes)
        if self._epoch:
            self._claim()
            self._renew.set()

    def _attached(self, connected: bool, why: str) -> None:
        self._arriving.reachable = connected
        if connected:
            self._tell(EventKind.SERVICE_CONNECTED, f"Packets are exchanged with {why}.")
        else:
            self._tell(EventKind.SERVICE_LOST, f"No packets are exchanged: {_plain(why)}.")
        self._renew.set()

    def _answer(self, packets: Sequence[bytes]) -> None:
        answers = self._unreachable.answers(packets)
        if answers:
            self._arriving.answer(answers)

    # The card and the claims

    def _claim(self) -> None:
        adapter = self._attachment.adapter
        assert adapter is not None
        prefixes = (*of_addresses(adapter.addresses), *self._order.prefixes)
        about = About(adapter=adapter.name[:128], guid=str(adapter.guid), epoch=self._epoch)
        self.claims.want(prefixes, about)

    async def _keep_card(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pace.renewal * random.uniform(0.8, 1)):  # noqa: S311
                    await self._renew.wait()
            except TimeoutError:
                pass
            self._renew.clear()
            try:
                await self._put_card()
            except BusUnavailable:
                await asyncio.sleep(self._pace.renewal / 10)
                if self._bus.connected:
                    self._renew.set()

    async def _put_card(self) -> None:
        """Put the card; begin another life if the last card was too long ago."""
        now = asyncio.get_running_loop().time()
        # Somewhat early, as the server's clock decides, and it may be ahead.
        if self._put_at is not None and now - self._put_at > 0.9 * self._pace.lifetime:
            self._live_again()
        card = await self._card()
        bucket = await self._bus.bucket(self._network.hosts)
        await bucket.put(self.host, card.encoded())
        self._put_at = now

    def _live_again(self) -> None:
        """Claim everything anew, behind those that have taken it over."""
        self._epoch = max(self._clock.server_ns(), self._epoch + 1)
        self._claim()

    async def _card(self) -> Card:
        adapters: list[CardAdapter] = []
        more = 0
        # Without a service, or with one that hangs, the host lives on: it is looked for.
        with suppress(ClientError, TimeoutError):
            async with asyncio.timeout(self._pace.renewal / 4):
                adapters, more = await self._attachment.card()
        adapter, reading = self._attachment.adapter, self._clock.reading
        assert adapter is not None
        prefixes = (*of_addresses(adapter.addresses), *self._order.prefixes)
        return Card(
            name=self._order.name[:128],
            version=__version__,
            system=f"{platform.system()} {platform.release()}"[:128],
            driver=self._attachment.driver[:128],
            adapter=adapter.name[:128],
            prefixes=[str(one) for one in prefixes[:MAX_PREFIXES]],
            adapters=adapters,
            more_adapters=more,
            attached=self._attachment.connected,
            epoch=self._epoch,
            run=self._run_id,
            clock_offset_ns=None if reading is None else reading.offset_ns,
            clock_error_ns=None if reading is None else reading.error_ns,
            counts=self._counts(),
        )

    def _counts(self) -> dict[str, int]:
        counts = totals_of(self.ledger.accounts())
        counts["uncounted"] = self._leaving.uncounted
        counts["unreadable"] = self._arriving.unreadable
        counts["unrecorded"] = self._arriving.unrecorded
        counts["ignored"] = self.inventory.ignored + self.claims.ignored
        if self._remote is not None:
            counts["requests_forged"] = self._remote.forged
            counts["requests_dropped"] = self._remote.dropped
        if self._capturing is not None:
            counts["captured"] = self._capturing.captured
            counts["captured_dropped"] = self._capturing.dropped
        return counts

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(self._pace.clock)
            try:
                await self._clock.measure()
            except BusUnavailable:
                continue

    def _judged(self, verdict: Verdict) -> None:
        prefix, rival = str(verdict.prefix), verdict.rival
        owner = "" if rival is None else f"{self.inventory.name_of(rival.host)} ({rival.host})"
        data = {"prefix": prefix}
        if rival is not None:
            data |= {"owner": rival.host, "rival": str(rival.prefix)}
        match verdict.standing:
            case Standing.HELD:
                self._tell(EventKind.CLAIM_HELD, f"{prefix} leads to this host.", **data)
            case Standing.REFUSED:
                whose = (
                    ""
                    if rival is None or rival.prefix == verdict.prefix
                    else (f", which has claimed {rival.prefix}")
                )
                self._tell(
                    EventKind.CLAIM_REFUSED,
                    f"{prefix} is refused: it belongs to {owner}{whose}. It is taken over when "
                    "that host is gone.",
                    **data,
                )
            case Standing.TAKEN_OVER:
                self._tell(
                    EventKind.CLAIM_TAKEN_OVER,
                    f"{prefix} leads to this host now: {owner} is gone.",
                    **data,
                )
            case Standing.WITHDRAWN:
                self._tell(EventKind.CLAIM_WITHDRAWN, f"{prefix} is no longer claimed.", **data)
            case Standing.DENIED:
                self._tell(
                    EventKind.CLAIM_DENIED,
                    f"The server does not allow this host to claim {prefix}.",
                    **data,
                )

    def _routed(self, routes: Routes) -> None:
        grouping = Grouping(routes, self.host, self._broadcasts)
        self._leaving.grouping = grouping
        self._arriving.grouping = grouping
        self._reporting.changed()

    # Other hosts

    def _appeared(self, what: Appearance, host: Host) -> None:
        if host.id == self.host:
            self._seen(what, host)
        elif what is not Appearance.RENEWED:
            self._tell(
                EventKind[f"HOST_{what.name}"],
                f"{host.name} ({host.id}) {_HAPPENED[what]}.",
                host=host.id,
                name=host.name,
            )
        self.claims.hosts_changed()
        if what is not Appearance.RENEWED or host.id == self.host:
            self._reporting.changed()

    def _seen(self, what: Appearance, host: Host) -> None:
        """Look at one's own card: it may have lapsed, or be another agent's."""
        ours = host.card is not None and host.card.run == self._run_id
        if what in (Appearance.DIED, Appearance.LEFT):
            if self._epoch and not self._ending:
                self._live_again()
                self._renew.set()
        elif (
            not ours
            and self._put_at is not None
            and self._displaced is not None
            and not self._displaced.done()
        ):
            self._displaced.set_result(None)

    @property
    def _is_displaced(self) -> bool:
        return self._displaced is not None and self._displaced.done()

    async def _tell_hosts(self) -> None:
        """Once a second: tell senders what became of their packets, and others what number is next.

        A host that has lost nothing and sends nothing is told nothing.
        """
        while True:
            await asyncio.sleep(self._pace.telling)
            self._tell_losses(asyncio.get_running_loop().time())
            if self._bus.connected:
                await self._tell_senders()
                await self._leaving.tell_numbers(self.inventory.hosts, self._clock.server_ns())

    async def _tell_senders(self) -> None:
        for sender, feedback in self._arriving.feedback():
            subject = self._network.feedback(sender, self.host)
            await self._bus.publish(subject, feedback.encoded())

    def _tell_losses(self, now: float) -> None:
        for cause, count in self._losses.news(now):
            self._tell(EventKind.PACKETS_LOST, told(cause, count), cause=cause.value, count=count)

    # The bus

    def _noticed(self, change: Change, text: str) -> None:
        self._reporting.changed()
        match change:
            case Change.CONNECTED:
                self.inventory.returned()
                self._renew.set()
                self._tell(EventKind.BUS_CONNECTED, "The bus is connected.", server=text)
            case Change.DISCONNECTED:
                self._tell(
                    EventKind.BUS_DISCONNECTED,
                    f"The bus is not connected: {_plain(text)}. It is tried again.",
                )
            case Change.SLOW:
                self._tell(
                    EventKind.BUS_SLOW,
                    "The server has cut this host off, because it read too slowly. What was lost "
                    "is counted by the numbers of the packets that follow.",
                )
            case Change.DENIED:
                self._tell(EventKind.BUS_DENIED, f"The server does not allow it: {_plain(text)}.")

    def _tell(self, kind: EventKind, text: str, **data: object) -> None:
        self._announcements.tell(kind, text, data)


_HAPPENED: Final = {
    Appearance.JOINED: "has joined",
    Appearance.LEFT: "has left",
    Appearance.DIED: "is gone: it has not renewed its card",
}


def _plain(text: str) -> str:
    """Return a sentence as a part of another one."""
    return (text[:1].lower() + text[1:] if text[1:2].islower() else text).rstrip(".")


def _first(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the exception that has made the others."""
    one = failed.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one
