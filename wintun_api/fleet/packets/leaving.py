"""From the service to the bus: divide what the host sends, let it wait within a bound, number it.

The policy says what happens to packets for which there is no room. `block` reads no more from the
service then, so that its own queue holds its drain, and the loss moves to the ring, where it is
counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from wintun_api.client.burst import Burst, Loss
from wintun_api.fleet.bus.seam import Bus, Message
from wintun_api.fleet.network import Network, is_host, sender_of
from wintun_api.fleet.packets.accounts import GROUP, OF_LOSS, Cause, feedback_of
from wintun_api.fleet.packets.backlog import DEFAULT_BYTES, Backlog, Next, Policy
from wintun_api.fleet.packets.envelope import ROOM, message, size_of, tail
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.fleet.packets.ledger import Ledger, SentRow
from wintun_api.fleet.problems import LedgerFull
from wintun_api.packet.block import Block

if TYPE_CHECKING:
    from wintun_api.client import AsyncPacketStream

QUIET: Final = 1.0  # seconds without packets for a host, after which it is told the next number
FIRST: Final = 0  # the number of the first packet of a session
GROUP_TAILS: Final = 3  # how often all hosts are told it, as they confirm nothing


class Leaving:
    """Send packets of this host to others. Event loop thread only.

    Attributes:
        grouping: Decides where packets go; the agent replaces it with the routes.
        on_unroutable: Gets some of the packets whose destination no host has.
        uncounted: How often packets were lost, and it is not known how many.
    """

    def __init__(
        self,
        bus: Bus,
        network: Network,
        host: str,
        ledger: Ledger,
        grouping: Grouping,
        *,
        limit: int = DEFAULT_BYTES,
        policy: Policy = "drop_oldest",
    ) -> None:
        """Name what counts and decides; `read` and `send` do the work.

        Args:
            bus: The connection.
            network: The network.
            host: This host.
            ledger: Counts.
            grouping: Decides where packets go.
            limit: How many bytes wait for the bus.
            policy: What happens to packets for which there is no room.
        """
        self.grouping = grouping
        self.on_unroutable: Callable[[Sequence[bytes]], None] = _ignore
        self.uncounted = 0
        self._bus = bus
        self._network = network
        self._host = host
        self._ledger = ledger
        self._policy = policy
        self._backlog = Backlog(self._dropped, limit=limit, policy=policy)
        self._has_read = False
        self._draining = False
        self._refused = asyncio.Event()  # the bus takes no more until it has room
        # When something was sent to a host, and not a tail; an agent before this one may have.
        self._published: dict[str, float] = {to: 0.0 for to, _ in ledger.receivers()}
        self._tails: dict[str, int] = {}  # how many tails have followed

    # From the service

    async def read(self, stream: AsyncPacketStream) -> None:
        """Take what the service gives until the stream ends.

        Raises:
            ClientError: It has ended before its session has.
        """
        hello = stream.hello
        # A session that has begun while this agent runs is the agent's from its first packet on.
        first = FIRST if self._has_read else None
        self._has_read = True
        missed = self._ledger.taken.follow(
            hello.session,
            hello.next_sequence.received,
            adapter=str(hello.adapter.guid),
            handed=hello.handed_before,
            first=first,
        )
        if missed is None:
            self.uncounted += 1
        while items := await stream.several():
            for item in _joined(items):
                self.take(item)
                await self._drain()
                if self._policy == "block":
                    await self._backlog.room()
                elif self._refused.is_set():
                    await asyncio.sleep(0)  # in which the bus may get rid of something

    def take(self, item: Burst | Loss) -> None:
        """Count packets, and let those wait that go somewhere."""
        if isinstance(item, Loss):
            self._lost(item)
            return
        taken = self._ledger.taken
        packets = Block.of(item.packets)
        taken.taken += len(packets)
        groups = self.grouping.leaving(packets)
        for cause, count in groups.lost.items():
            taken.lose(cause, count)
        for to, block in groups.groups.items():
            self._backlog.put(to, block, item.time_ns)
        if groups.unroutable:
            self.on_unroutable(groups.unroutable)

    def _lost(self, loss: Loss) -> None:
        cause = OF_LOSS.get(loss.cause)
        if cause is None or loss.direction != "received":
            return
        if loss.count is None:
            self.uncounted += 1
        else:
            self._ledger.taken.lose(cause, loss.count)

    def _dropped(self, count: int) -> None:
        self._ledger.taken.lose(Cause.BUS_OUT, count)

    # To the bus

    async def send(self) -> None:
        """Publish what the bus does not take at once, until cancelled."""
        while True:
            await self._refused.wait()
            await self._bus.room()
            self._refused.clear()
            await self._drain()

    async def _drain(self) -> None:
        """Publish what waits, until the bus takes no more; one caller at a time does so."""
        if self._draining or self._refused.is_set():
            return
        self._draining = True
        try:
            while (taken := self._backlog.take()) is not None:
                if not await self._publish(taken):
                    self._refused.set()
                    return
        finally:
            self._draining = False

    async def _publish(self, taken: Next) -> bool:
        try:
            row = self._ledger.sent(taken.to)
        except LedgerFull:
            self._backlog.sent(taken)
            self._dropped(taken.count)
            return True
        group = taken.to == GROUP
        data = message(taken.parts, row.next, since=None if group else row.since)
        row.number(taken.count)
        sent = True  # also if this is cancelled: then it may have left
        try:
            sent = await self._bus.publish(self._subject(taken.to), data)
        finally:
            if sent:
                self._backlog.sent(taken)
                self._published[taken.to] = asyncio.get_running_loop().time()
                self._tails.pop(taken.to, None)
            else:
                row.take_back(taken.count)
                self._backlog.put_back(taken)
        return sent

    def _subject(self, to: str) -> str:
        if to == GROUP:
            return self._network.group_packets(self._host)
        return self._network.packets(to, self._host)

    async def tell_numbers(self, live: Collection[str], now_ns: int) -> None:
        """Tell hosts the next number that have got nothing for a second, until they settle it.

        So they learn that the last packets were lost, and tell what became of the others although
        this was told before and lost. Call it once a second.

        Args:
            live: The hosts that live.
            now_ns: The time, in nanoseconds since 1970.
        """
        now = asyncio.get_running_loop().time()
        for to, at in list(self._published.items()):
            row = self._ledger.sent(to)
            if self._knows(to, row):
                del self._published[to]
            elif now - at >= QUIET and (to == GROUP or to in live):
                self._tails[to] = self._tails.get(to, 0) + 1
                first = b"" if to == GROUP or row.since is None else tail(row.since, now_ns)
                await self._bus.publish(self._subject(to), first + tail(row.next, now_ns))

    def _knows(self, to: str, row: SentRow) -> bool:
        """Return whether a host has told everything: what came, and what became of it."""
        if to == GROUP:
            return self._tails.get(to, 0) >= GROUP_TAILS
        return row.confirmed and not row.account().waiting

    def learn(self, message: Message) -> None:
        """Take what became of the packets of this host, as another one reports it."""
        sender = sender_of(message.subject)
        told = feedback_of(message.data)
        if not message.plain or not is_host(sender):
            self._ledger.taken.forged += 1
        elif told is not None and sender != self._host:
            try:
                self._ledger.sent(sender).learn(told)
            except LedgerFull:
                return

    def clear(self, cause: Cause = Cause.BUS_OUT) -> int:
        """Drop what waits, and return how many packets that were; they are counted."""
        count = self._backlog.clear()
        self._ledger.taken.lose(cause, count)
        return count


def _joined(items: Sequence[Burst | Loss]) -> Iterator[Burst | Loss]:
    """Yield losses, and bursts that were joined as far as they fit into one message.

    A host that sends at leisure makes bursts of a few packets. What is done once for a burst costs
    more than the copy.
    """
    blocks: list[Block] = []
    size = time_ns = 0
    for item in items:
        if isinstance(item, Loss):
            yield item
            continue
        block = Block.of(item.packets)
        more = size_of(block)
        if blocks and size + more > ROOM:
            yield Burst(Block.joined(blocks), "received", time_ns, None)
            blocks, size = [], 0
        if not blocks:
            time_ns = item.time_ns
        blocks.append(block)
        size += more
    if blocks:
        yield Burst(Block.joined(blocks), "received", time_ns, None)


def _ignore(_packets: Sequence[bytes]) -> None:
    """Answer nothing."""
