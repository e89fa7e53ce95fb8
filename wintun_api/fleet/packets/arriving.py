"""From the bus to the service: take what other hosts send, and account for each packet.

A message is counted when it comes, before anything is done with it. Its packets wait here, within a
bound, until the service takes them; what became of them is counted as the service says it, in the
order in which they were given to it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from wintun_api.errors import FrameError
from wintun_api.fleet.bus.seam import Message
from wintun_api.fleet.network import MAX_MESSAGE, Network, is_host, sender_of
from wintun_api.fleet.packets.accounts import Cause, Feedback
from wintun_api.fleet.packets.envelope import read, size_of
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.fleet.packets.ledger import ArrivedRow, Ledger
from wintun_api.fleet.problems import LedgerFull
from wintun_api.packet.block import Block

if TYPE_CHECKING:
    from wintun_api.client import Accounts, AsyncPacketStream

WAITING: Final = 4 * 1024 * 1024  # bytes of packets that wait for the service
REPEATS: Final = 3  # how often a sender is told what has not changed, as a message may be lost


class Arriving:
    """Take packets of other hosts, and inject them. Event loop thread only.

    Attributes:
        grouping: Decides which sources belong to their sender; the agent replaces it with the
            routes.
        reachable: Whether the service can be given packets; the agent says so.
        unreadable: How many messages could not be read.
        unrecorded: How many messages came from hosts for which the ledger has no room.
    """

    def __init__(
        self,
        network: Network,
        host: str,
        ledger: Ledger,
        grouping: Grouping,
        *,
        limit: int = WAITING,
    ) -> None:
        """Name what counts and decides; `take` and `inject` do the work.

        Args:
            network: The network.
            host: This host.
            ledger: Counts.
            grouping: Decides which sources belong to their sender.
            limit: How many bytes of packets wait for the service.
        """
        self.grouping = grouping
        self.reachable = False
        self.unreadable = 0
        self.unrecorded = 0
        self._network = network
        self._host = host
        self._ledger = ledger
        self._limit = limit
        self._waiting: deque[tuple[ArrivedRow | None, Block]] = deque()
        self._bytes = 0
        self._given: deque[tuple[ArrivedRow | None, int]] = deque()  # to the service, not answered
        self._something = asyncio.Event()
        self._untold: Counter[str] = Counter()  # how often each sender is still to be told

    # From the bus

    def take(self, message: Message) -> None:
        """Take a message of another host for this one."""
        self._take(message, group=False)

    def take_group(self, message: Message) -> None:
        """Take a message of another host for all hosts."""
        self._take(message, group=True)

    def _take(self, message: Message, *, group: bool) -> None:
        sender = sender_of(message.subject)
        if sender == self._host and group:
            return  # it is this host's own
        if not message.plain or not is_host(sender) or sender == self._host:
            self._ledger.taken.forged += 1
            return
        try:
            batches = read(message.data)
            row = self._ledger.arrived(sender, group=group)
        except FrameError:
            self.unreadable += 1
            return
        except LedgerFull:
            self.unrecorded += 1
            return
        for batch in batches:
            block = Block.of(batch.packets)
            late = row.take(batch.sequence, len(block)).late
            if late:
                block = block.part(late, len(block))
            if not block:
                continue
            good, lost = self.grouping.arriving(block, sender)
            for cause, count in lost.items():
                row.lose(cause, count)
            if good:
                self._keep(row, good)
        if not group:
            self._untold[sender] = REPEATS

    def _keep(self, row: ArrivedRow | None, packets: Block) -> bool:
        """Let packets wait for the service; count them where they cannot."""
        size = size_of(packets)
        if self.reachable and self._bytes + size <= self._limit:
            self._waiting.append((row, packets))
            self._bytes += size
            self._something.set()
            return True
        if row is not None:
            row.lose(Cause.BUS_IN if self.reachable else Cause.FAILED, len(packets))
        return False

    def answer(self, packets: Sequence[bytes]) -> bool:
        """Inject packets of the agent itself; return whether there is room for them."""
        return self._keep(None, Block.of(packets))

    # To the service

    async def inject(self, stream: AsyncPacketStream) -> None:
        """Give packets to the service until it takes no more; `settle` comes after the stream.

        Raises:
            ClientError: The stream has ended.
        """
        stream.on_accounts = self._account
        while True:
            if not self._waiting:
                self._something.clear()
                await self._something.wait()
            await stream.put(self._next())

    def _next(self) -> Block:
        """Return packets for one message to the service, and note whose they are."""
        blocks: list[Block] = []
        used = 0
        while self._waiting:
            row, block = self._waiting[0]
            size = size_of(block)
            if blocks and used + size > MAX_MESSAGE:
                break
            used += size
            self._bytes -= size
            self._waiting.popleft()
            self._given.append((row, len(block)))
            blocks.append(block)
        return Block.joined(blocks)

    def settle(self) -> None:
        """Give a cause to what waits, and to what the service can no longer answer."""
        while self._waiting:
            row, block = self._waiting.popleft()
            self._bytes -= size_of(block)
            if row is not None:
                row.lose(Cause.FAILED, len(block))
        for row, count in self._answered(sum(count for _, count in self._given)):
            if row is not None:
                row.lose(Cause.FAILED, count)

    def _account(self, accounts: Accounts) -> None:
        """Count what became of the packets that were given first.

        Where an answer is about packets of several hosts, and some were lost, the first ones are
        counted as delivered: the service does not say which they were.
        """
        if accounts.accepted == accounts.total:
            for row, count in self._answered(accounts.accepted):
                if row is not None:
                    row.deliver(count)
            return
        for cause, number in (
            (None, accounts.accepted),
            (Cause.REJECTED, sum(accounts.rejected.values())),
            (Cause.REFUSED, sum(accounts.refused.values())),
            (Cause.RING_FULL, accounts.ring_full),
            (Cause.FAILED, accounts.failed),
            (Cause.UNKNOWN, accounts.unknown),
        ):
            for row, count in self._answered(number):
                if row is None:
                    continue
                if cause is None:
                    row.deliver(count)
                else:
                    row.lose(cause, count)

    def _answered(self, number: int) -> Iterator[tuple[ArrivedRow | None, int]]:
        """Yield whose the packets were that were given first, and forget them."""
        while number > 0 and self._given:
            row, count = self._given.popleft()
            if count > number:
                self._given.appendleft((row, count - number))
                count = number
            number -= count
            if row is not None:
                self._untold[row.host] = REPEATS
            yield row, count

    # To the senders

    def feedback(self) -> Iterator[tuple[str, Feedback]]:
        """Yield each sender that is to be told something now, and what became of its packets."""
        for sender, row in self._ledger.senders():
            if self._untold[sender] > 0:
                self._untold[sender] -= 1
                yield sender, row.feedback()
