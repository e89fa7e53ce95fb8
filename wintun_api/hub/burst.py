"""Carry the packets of one drain or injection in one piece from the ring to the sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar
from weakref import ref

from wintun_api.packet.block import Block

T = TypeVar("T")

# Memory that CPython 3.11 to 3.13 uses for a queued burst, and for a packet that is its own object:
# objects with their headers, list entries, lengths. Measured with tracemalloc.
BURST_OVERHEAD: Final = 640
PACKET_OVERHEAD: Final = 80
LENGTH: Final = 2  # a packet in a block has a length of 16 bits

# Encoded forms are kept for so many bursts, so that readers at about the same position share them.
FORMED: Final = 8


class Form(StrEnum):
    """Name the encoded forms that readers share."""

    BATCH = "batch"  # v1.batch, for a message of several bursts
    BATCH_FRAME = "batch frame"  # v1.batch in the frame of a WebSocket message
    PACKET_FRAMES = "packet frames"  # v1.raw: a frame for each packet
    PCAPNG = "pcapng"  # blocks of a capture


class Burst:
    """Hold the packets of one drain or one injection; immutable, encoded once per form.

    Attributes:
        packets: The packets in order.
        lengths: Bytes of each packet.
        count: Number of packets.
        size: Bytes of all packets.
        sequence: Number of the first packet, per session and direction.
        time_ns: Nanoseconds since 1970.
        injected: Whether a client injected them; otherwise they were received from the host.
        original_lengths: Bytes of each before `cut`; None if nothing was cut.
        shared: Whether it may have several readers, so that its forms are worth keeping.
    """

    __slots__ = (
        "__weakref__",
        "_cuts",
        "_forms",
        "count",
        "injected",
        "lengths",
        "original_lengths",
        "packets",
        "sequence",
        "shared",
        "size",
        "time_ns",
    )

    def __init__(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        sequence: int,
        time_ns: int,
        *,
        injected: bool,
        original_lengths: Sequence[int] | None = None,
    ) -> None:
        self.packets = packets
        self.lengths = lengths
        self.count = len(packets)
        self.size = size
        self.sequence = sequence
        self.time_ns = time_ns
        self.injected = injected
        self.original_lengths = original_lengths
        self.shared = True
        self._forms: dict[Form, Any] | None = None
        self._cuts: dict[int, Burst] | None = None

    def __len__(self) -> int:
        return self.count

    @property
    def kept(self) -> int:
        """Bytes of memory that the burst uses while it is queued, without its forms."""
        packets = self.packets
        if type(packets) is Block:
            return BURST_OVERHEAD + len(packets.memory) + LENGTH * self.count
        return BURST_OVERHEAD + self.size + PACKET_OVERHEAD * self.count

    @property
    def pieces(self) -> Sequence[bytes | memoryview]:
        """The packets one after another, in as few pieces as possible without a copy."""
        packets = self.packets
        return (packets.payload,) if type(packets) is Block else packets

    def form(self, form: Form, make: Callable[[Burst], T]) -> T:
        """Return `make(self)`, computed once per form and shared by all readers.

        The forms of the last `FORMED` bursts are kept. For a reader that is further behind they are
        computed again, so that queued bursts do not keep several copies of themselves.
        """
        if not self.shared:
            return make(self)
        forms = self._forms
        if forms is None:
            self._keep()
            forms = self._forms = {}
        made: T | None = forms.get(form)
        if made is None:
            made = forms[form] = make(self)
        return made

    def forget(self) -> None:
        """Drop all encoded forms and keep only the packets."""
        self._forms = self._cuts = None
        packets = self.packets
        if type(packets) is Block:
            packets.forget()

    def settle(self) -> None:
        """Keep no more memory than about twice the packets' size; done before it is queued."""
        packets = self.packets
        if type(packets) is Block:
            self.packets = packets.compact()

    def cut(self, snaplen: int) -> Burst:
        """Return the burst with at most `snaplen` bytes of each packet; 0 keeps all."""
        if not snaplen:
            return self
        cuts = self._cuts
        if cuts is None:
            self._keep()
            cuts = self._cuts = {}
        made = cuts.get(snaplen)
        if made is None:
            made = cuts[snaplen] = _cut(self, snaplen)
        return made

    def _keep(self) -> None:
        """Note that this burst has forms, and forget those of the oldest one that has."""
        if self._forms is None and self._cuts is None:
            _formed.append(ref(self))
            if len(_formed) > FORMED and (oldest := _formed.popleft()()) is not None:
                oldest.forget()

    def part(self, start: int, stop: int) -> Burst:
        """Return the packets from `start` to `stop` as a new burst."""
        packets = self.packets
        taken: Sequence[bytes]
        if type(packets) is Block:
            taken = packets.part(start, stop)
            lengths: Sequence[int] = taken.lengths
        else:
            taken, lengths = packets[start:stop], self.lengths[start:stop]
        first = self.sequence + start
        return Burst(taken, lengths, sum(lengths), first, self.time_ns, injected=self.injected)


# The bursts whose forms are kept while a reader has them queued. A burst that all readers took at
# once is freed at once, and the next one is read into the same memory, which is in the caches.
# Event loop thread only, like all of the hub.
_formed: deque[ref[Burst]] = deque()


def _cut(burst: Burst, snaplen: int) -> Burst:
    packets = [packet[:snaplen] for packet in burst.packets]
    lengths = list(map(len, packets))
    return Burst(
        packets,
        lengths,
        sum(lengths),
        burst.sequence,
        burst.time_ns,
        injected=burst.injected,
        original_lengths=burst.lengths,
    )
