"""All of it for one network: what `wintun-api join` runs.

The agent outlives its service, its session and its server: it comes back to each of them by itself,
and tells every change as an event, to its caller and on the bus. It begins with the adapter: it
joins when the service has it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from wintun_api.fleet.agent.confirming import Confirming
from wintun_api.fleet.agent.exchange import Exchange
from wintun_api.fleet.agent.order import Order, Pace
from wintun_api.fleet.agent.presence import Presence
from wintun_api.fleet.agent.reporting import Reporting
from wintun_api.fleet.agent.rivals import Rival, Rivals
from wintun_api.fleet.agent.sentences import (
    about_bus,
    about_claim,
    about_host,
    about_rival,
    about_service,
    about_wait,
)
from wintun_api.fleet.bus.seam import Bus, Change, Subscription, Take
from wintun_api.fleet.captures.capturing import Capturing
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.events import Announcements, EventKind, OnEvent
from wintun_api.fleet.members.claims import Claims, Verdict
from wintun_api.fleet.members.inventory import Appearance, Host, Inventory
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.losses import UNCOUNTED, Losses, told, totals_of
from wintun_api.fleet.problems import (
    AdapterMissing,
    BusDenied,
    BusUnavailable,
    KeyInUse,
    SessionMissing,
)
from wintun_api.fleet.race import cause_of, first_of
from wintun_api.fleet.remote.remote import Remote
from wintun_api.fleet.service.attachment import Attachment

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient
    from wintun_api.fleet.packets.ledger import Ledger
    from wintun_api.schemas.adapters import Adapter

SUBSCRIPTION: Final = 8 * 1024 * 1024  # bytes of messages that one subscription may hold
LAST_WORDS: Final = 3.0  # seconds that an agent has to delete its claims and its card


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
        network, pace = order.network, pace or Pace()
        self.host = host
        self.ledger = ledger
        self._bus = bus
        self._order = order
        self._network = network
        self._pace = pace
        self._clock = Clock(bus)
        self._announcements = Announcements(bus, network.events(host), on_event)
        self.inventory = Inventory(
            bus,
            network,
            self._clock,
            self._appeared,
            own=self.host,
            lifetime=pace.lifetime,
            patience=pace.patience,
        )
        self.claims = Claims(
            bus, network, host, self.inventory, on_verdict=self._judged, on_routes=self._routed
        )
        self._remote: Remote | None = None
        if order.allow is not None:
            self._remote = Remote(client, bus, order.allow, self._announcements.tell)
        self._capturing: Capturing | None = None
        if order.capture is not None:
            self._capturing = Capturing(
                client, bus, network, host, order.capture, name=order.name, clock=self._clock
            )
        self._exchange = Exchange(bus, host, order, ledger, self._capturing)
        self._attachment = Attachment(
            client,
            order.adapter,
            overflow=order.policy,
            on_found=self._found,
            on_change=self._attached,
            on_wait=self._waits,
            on_end=self._exchange.arriving.settle,
            backoff=pace.service,
            restoring=pace.restoring,
        )
        self._presence = Presence(
            bus,
            host,
            order,
            pace,
            clock=self._clock,
            inventory=self.inventory,
            claims=self.claims,
            attachment=self._attachment,
            counts=self._counts,
        )
        self._confirming = Confirming(
            bus,
            network,
            host,
            self._exchange,
            inventory=self.inventory,
            clock=self._clock,
            period=pace.telling,
        )
        self._reporting = Reporting(
            client,
            bus,
            network,
            self.inventory,
            routes=lambda: self.claims.routes,
            refused=lambda: self.claims.refused,
            host=host,
            period=pace.renewal,
        )
        self._rivals = Rivals(client, host, period=pace.renewal, on_rival=self._shared)
        self._losses = Losses(ledger)
        self._subscriptions: list[Subscription] = []
        self._dropped = 0  # messages that subscriptions had dropped when they ended

    async def run(self, stop: asyncio.Event) -> None:
        """Join, and stay until `stop` is set; then delete the claims and the card of this host.

        It waits for an adapter, and for a session, that the service does not have yet.

        Raises:
            ClientError: The service refuses, or is not there when the agent starts.
            FleetError: The bus refuses, or is not there when the agent starts; or another agent
                uses the key of this host, or its adapter.
        """
        self._bus.notify(self._noticed)
        await self._attachment.check()
        try:
            found = await first_of(self._attachment.find(), stop.wait()) == 0
            if found:
                await self._rivals.check(self._adapter_name())
                await self._begin()
                await self._work(stop)
        finally:
            await self._end()

    async def _work(self, stop: asyncio.Event) -> None:
        rooms = (
            self._presence.keep(),
            self._clock.keep(self._pace.clock),
            self._confirming.keep(),
            self._tell_losses(),
            self.claims.keep(),
            self._reporting.keep(),
            self._rivals.keep(self._adapter_name),
            self._exchange.leaving.send(),
            self._announcements.publish(),
            self._attachment.serve(self._exchange.run),
        )
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one) for one in rooms]
                await first_of(stop.wait(), self._presence.displaced.wait())
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as failed:
            raise cause_of(failed) from None
        if self._presence.displaced.is_set():
            raise KeyInUse(
                f"Another agent has joined {self._network.name} with the key of this host.",
                hint="Make a key for each host: wintun-api join keys",
            )

    # Beginning and end

    async def _begin(self) -> None:
        await self._clock.measure()
        await self.inventory.start()
        await self.claims.start()  # before packets come: their sources are looked up there
        taken: list[tuple[str, Take]] = [
            (self._network.packets(self.host, "*"), self._exchange.arriving.take),
            (self._network.group_packets("*"), self._exchange.arriving.take_group),
            (self._network.feedback(self.host, "*"), self._exchange.leaving.learn),
        ]
        if self._remote is not None:
            taken.append((self._network.requests(self.host), self._remote.take))
        for subject, take in taken:
            try:
                subscription = await self._bus.subscribe(subject, take, limit_bytes=SUBSCRIPTION)
            except BusDenied as error:
                raise BusDenied(
                    "The key does not allow to join with an adapter: it was made for a reader or "
                    "an operator, or its rights have changed.",
                    subject=error.subject,
                    hint="Make one for a host where the bus is: wintun-api join keys --network "
                    f"{self._network.name}",
                ) from error
            self._subscriptions.append(subscription)
        await self._presence.begin()
        self._presence.claim()
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
            self._tell_lost(Cause.UNKNOWN, self.ledger.recovered)

    async def _end(self) -> None:
        """Leave in order as far as the server lets it, in a bounded time."""
        self._presence.end()
        self._exchange.end()
        who = f"{self._order.name} ({self.host})"
        try:
            if not self._presence.joined:
                return
            async with asyncio.timeout(LAST_WORDS):
                if self._presence.displaced.is_set():
                    self._tell_end(f"{who} has ended.")
                else:
                    await self._presence.leave()
                    await self._confirming.tell_senders()
                    await self._unsubscribe()
                    self._tell_end(f"{who} has left {self._network.name}.")
                await self._announcements.flush()
        except (TimeoutError, BusUnavailable, BusDenied) as error:
            self._tell_end(
                f"{who} has ended, and the bus did not take its leave: the other hosts notice it "
                f"within {self._pace.lifetime:.0f} seconds.",
                reason=str(error),
            )
        finally:
            await self._unsubscribe()
            if self._remote is not None:
                await self._remote.aclose()
            await self.claims.aclose()
            await self.inventory.aclose()
            if self._presence.joined and not self._presence.displaced.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WORDS):
                        await self._reporting.end()

    async def _unsubscribe(self) -> None:
        while self._subscriptions:
            subscription = self._subscriptions.pop()
            await subscription.aclose()
            self._dropped += subscription.dropped_messages

    def _tell_end(self, text: str, **more: str) -> None:
        """Tell that the agent has ended, with all that it has counted."""
        self._tell(EventKind.AGENT_ENDED, text, host=self.host, counts=self._counts(), **more)

    # What the rooms tell each other

    def _found(self, adapter: Adapter) -> None:
        self._exchange.addressed(adapter.addresses, self.claims.routes)
        self._reporting.changed()
        self._presence.claim()
        self._presence.renew()

    def _attached(self, connected: bool, why: str) -> None:
        self._exchange.arriving.reachable = connected
        self._announcements.tell(*about_service(connected, why))
        self._presence.renew()

    def _shared(self, rival: Rival) -> None:
        self._announcements.tell(*about_rival(self._adapter_name(), rival))

    def _adapter_name(self) -> str:
        adapter = self._attachment.adapter
        return self._order.adapter if adapter is None else adapter.name

    def _waits(self, missing: AdapterMissing | SessionMissing) -> None:
        self._exchange.arriving.reachable = False
        self._announcements.tell(*about_wait(missing))
        self._presence.renew()

    def _judged(self, verdict: Verdict) -> None:
        self._announcements.tell(*about_claim(verdict, self.inventory.name_of))
        self._reporting.changed()

    def _routed(self, routes: Routes) -> None:
        self._exchange.routed(routes)
        self._reporting.changed()

    def _appeared(self, what: Appearance, host: Host) -> None:
        if host.id == self.host:
            self._presence.seen(what, host)
        elif what is not Appearance.RENEWED:
            self._announcements.tell(*about_host(what, host))
        self.claims.host_changed(host.id)
        if what is not Appearance.RENEWED or host.id == self.host:
            self._reporting.changed()

    def _noticed(self, change: Change, text: str) -> None:
        self._reporting.changed()
        if change is Change.CONNECTED:
            self.inventory.returned()
            self.claims.returned()
            self._presence.renew()
        self._announcements.tell(*about_bus(change, text))

    # What is counted

    async def _tell_losses(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._pace.telling)
            if self._losses.is_news(self._exchange.leaving.uncounted, loop.time()):
                self._tell(EventKind.PACKETS_LOST, UNCOUNTED, cause=None, count=None)
            for cause, count in self._losses.news(loop.time()):
                self._tell_lost(cause, count)

    def _tell_lost(self, cause: Cause, count: int) -> None:
        self._tell(EventKind.PACKETS_LOST, told(cause, count), cause=cause.value, count=count)

    def _counts(self) -> dict[str, int]:
        accounts = self.ledger.accounts()
        counts = totals_of(accounts)
        counts["late"] = sum(one.late for one in accounts.arrived)
        counts["uncounted"] = self._exchange.leaving.uncounted
        counts["unreadable"] = self._exchange.arriving.unreadable
        counts["unrecorded"] = self._exchange.arriving.unrecorded
        counts["ignored"] = self.inventory.ignored + self.claims.ignored
        counts["surplus"] = self.claims.surplus
        counts["forgotten"] = self.inventory.forgotten
        counts["unanswered"] = self._exchange.unreachable.silent
        dropped = sum(one.dropped_messages for one in self._subscriptions)
        counts["messages_dropped"] = self._dropped + dropped
        counts["events_dropped"] = self._announcements.dropped
        counts["reports_failed"] = self._reporting.failed
        if self._remote is not None:
            counts["requests_forged"] = self._remote.forged
            counts["requests_dropped"] = self._remote.dropped
            counts["answers_dropped"] = self._remote.given_up
        if self._capturing is not None:
            counts["captured"] = self._capturing.captured
            counts["captured_dropped"] = self._capturing.dropped
        return counts

    def _tell(self, kind: EventKind, text: str, **data: object) -> None:
        self._announcements.tell(kind, text, data)
