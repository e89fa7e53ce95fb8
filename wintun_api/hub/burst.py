"""Carry the packets of one drain or injection in one piece from the ring to the sockets."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, TypeVar
from weakref import ref

from wintun_api.packet.block import Block, measured

T = TypeVar("T")

# Memory that CPython 3.11 to 3.13 uses for a queued burst, and for a packet that is its own object:
# objects with their headers, list entries, lengths. Measured with tracemalloc.
BURST_OVERHEAD: Final = 640
PACKET_OVERHEAD: Final = 80
LENGTH: Final = 2  # a packet in a block has a length of 16 bits
COLUMN: Final = 4  # bytes of an offset or a time of a packet
COMMENT: Final = 256  # bytes of the comments on a packet

# Encoded forms are kept for so many bursts, so that readers at about the same position share them.
FORMED: Final = 8


class Form(StrEnum):
    """Name the encoded forms that readers share."""

    BATCH = "batch"  # v1.batch, for a message of several bursts
    BATCH_FRAME = "batch frame"  # v1.batch in the frame of a WebSocket message
    TIMED_BATCH = "timed batch"  # the same two with a time for each packet
    TIMED_BATCH_FRAME = "timed batch frame"
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
        time_ns: Nanoseconds since 1970, to which `times` are added.
        injected: Whether a client injected them; otherwise they were received from the host.
        original_lengths: Bytes of each before `cut`; None if nothing was cut.
        offsets: How much the number of each packet is more than `sequence`, ascending from 0; None
            if the numbers have no gaps.
        times: How many nanoseconds after `time_ns` each packet was read or written, as numbers of
            32 bits; None if all have the time of the burst.
        comments: What happened to packets, by index; None if there is nothing to tell, or no reader
            wants to know it (`hub.marks`).
        shared: Whether several readers may ask for its forms, so that these are worth keeping.
    """

    __slots__ = (
        "__weakref__",
        "_choices",
        "_cuts",
        "_forms",
        "comments",
        "count",
        "injected",
        "lengths",
        "offsets",
        "original_lengths",
        "packets",
        "sequence",
        "shared",
        "size",
        "time_ns",
        "times",
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
        offsets: Sequence[int] | None = None,
        times: Sequence[int] | None = None,
        comments: Mapping[int, tuple[str, ...]] | None = None,
    ) -> None:
        self.packets = packets
        self.lengths = lengths
        self.count = len(packets)
        self.size = size
        self.sequence = sequence
        self.time_ns = time_ns
        self.injected = injected
        self.original_lengths = original_lengths
        self.offsets = offsets
        self.times = times
        self.comments = comments
        self.shared = True
        self._forms: dict[Form, Any] | None = None
        self._cuts: dict[int, Burst] | None = None
        self._choices: dict[object, Burst | None] | None = None

    def __len__(self) -> int:
        return self.count

    @property
    def kept(self) -> int:
        """Bytes of memory that the burst uses while it is queued, without its forms."""
        packets = self.packets
        if type(packets) is Block:
            return BURST_OVERHEAD + len(packets.memory) + (LENGTH + self.columns) * self.count
        return BURST_OVERHEAD + self.size + (PACKET_OVERHEAD + self.columns) * self.count

    @property
    def columns(self) -> int:
        """Bytes of memory that the offset, the time and the comments of a packet use."""
        size = COLUMN * ((self.offsets is not None) + (self.times is not None))
        return size if self.comments is None else size + COMMENT

    def fitting(self, room: int, lengths: Iterable[int]) -> int:
        """Return how many packets a part of the burst can have that uses at most `room` bytes.

        Args:
            room: What `kept` of the part may be.
            lengths: The lengths of the packets, from the first or from the last one on.
        """
        room -= BURST_OVERHEAD
        overhead = PACKET_OVERHEAD + self.columns
        count = 0
        for length in lengths:
            room -= length + overhead
            if room < 0:
                break
            count += 1
        return count

    @property
    def last(self) -> int:
        """The number of the last packet."""
        return self.number(self.count - 1)

    @property
    def first_ns(self) -> int:
        """The time of the first packet, in nanoseconds since 1970."""
        return self.time_ns + self.times[0] if self.times else self.time_ns

    @property
    def last_ns(self) -> int:
        """The time of the last packet, likewise."""
        return self.time_ns + self.times[-1] if self.times else self.time_ns

    def between(self, since_ns: int, until_ns: int) -> Burst | None:
        """Return the packets of this time, with both ends; None if there are none."""
        if self.first_ns >= since_ns and self.last_ns <= until_ns:
            return self
        if not self.times:
            return None
        start = bisect_left(self.times, since_ns - self.time_ns)
        stop = bisect_right(self.times, until_ns - self.time_ns)
        return self.part(start, stop) if start < stop else None

    def since(self, number: int) -> Burst | None:
        """Return the packets with this number and later ones; None if there are none."""
        start = number - self.sequence
        if self.offsets is not None:
            start = bisect_left(self.offsets, start)
        if start <= 0:
            return self
        return self.part(start, self.count) if start < self.count else None

    def number(self, index: int) -> int:
        """Return the number of the packet at `index`."""
        offsets = self.offsets
        return self.sequence + (index if offsets is None else offsets[index])

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
        self._forms = self._cuts = self._choices = None
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

    def choice(self, key: object, choose: Callable[[Burst], Burst | None]) -> Burst | None:
        """Return `choose(self)`, made once per key and shared by all readers, like `form`.

        It is some of the packets as another burst, None for none of them, or the burst itself.
        """
        if not self.shared:
            return choose(self)
        choices = self._choices
        if choices is None:
            self._keep()
            choices = self._choices = {}
        if key in choices:
            # The burst itself is not kept in itself, so that it is freed as soon as it was read.
            made = choices[key]
            return self if made is _WHOLE else made
        made = choose(self)
        choices[key] = _WHOLE if made is self else made
        return made

    def _keep(self) -> None:
        """Note that this burst has forms, and forget those of the oldest one that has."""
        if self._forms is None and self._cuts is None and self._choices is None:
            _formed.append(ref(self))
            if len(_formed) > FORMED and (oldest := _formed.popleft()()) is not None:
                oldest.forget()

    def part(self, start: int, stop: int) -> Burst:
        """Return the packets from `start` to `stop`, at least one, as a new burst."""
        packets = self.packets
        taken: Sequence[bytes]
        if type(packets) is Block:
            taken = packets.part(start, stop)
            lengths: Sequence[int] = taken.lengths
        else:
            taken, lengths = packets[start:stop], self.lengths[start:stop]
        offsets, first = self.offsets, self.number(start)
        if offsets is not None:
            offsets = _from_first(offsets[start:stop])
        return Burst(
            taken,
            lengths,
            sum(lengths),
            first,
            self.time_ns,
            injected=self.injected,
            original_lengths=_part(self.original_lengths, start, stop),
            offsets=offsets,
            times=_part(self.times, start, stop),
            comments=_comments_at(self.comments, range(start, stop)),
        )

    def chosen(self, indices: Sequence[int], packets: Sequence[bytes] | None = None) -> Burst:
        """Return the packets at these places, ascending and at least one, as a new burst.

        They keep their numbers and times.

        Args:
            indices: The places.
            packets: The packets at them, if they are known already.
        """
        if packets is None:
            mine = self.packets
            packets = [mine[index] for index in indices]
        lengths, size = measured(packets)
        offsets = self.offsets
        numbers = indices if offsets is None else [offsets[index] for index in indices]
        burst = Burst(
            packets,
            lengths,
            size,
            self.number(indices[0]),
            self.time_ns,
            injected=self.injected,
            original_lengths=_at(self.original_lengths, indices),
            offsets=_from_first(numbers),
            times=_at(self.times, indices),
            comments=_comments_at(self.comments, indices),
        )
        burst.shared = self.shared
        return burst


def _part(column: Sequence[int] | None, start: int, stop: int) -> Sequence[int] | None:
    return None if column is None else column[start:stop]


def _at(column: Sequence[int] | None, indices: Sequence[int]) -> array[int] | None:
    return None if column is None else array("I", map(column.__getitem__, indices))


def _comments_at(
    comments: Mapping[int, tuple[str, ...]] | None, indices: Iterable[int]
) -> Mapping[int, tuple[str, ...]] | None:
    if comments is None:
        return None
    found = {place: comments[at] for place, at in enumerate(indices) if at in comments}
    return found or None


def _from_first(numbers: Sequence[int]) -> array[int] | None:
    """Return ascending numbers as offsets from the first; None if they have no gaps."""
    first = numbers[0]
    if numbers[-1] - first == len(numbers) - 1:
        return None
    return array("I", [number - first for number in numbers])


_WHOLE: Final = Burst((), (), 0, 0, 0, injected=False)  # stands for all packets of any burst

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
        original_lengths=burst.lengths
        if burst.original_lengths is None
        else burst.original_lengths,
        offsets=burst.offsets,
        times=burst.times,
        comments=burst.comments,
    )
