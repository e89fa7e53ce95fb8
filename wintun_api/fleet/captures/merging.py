"""The captures of many hosts as one pcapng, in the order of the server's time.

The time of a packet is corrected by the clock of its host, as measured when it was captured: each
message says so, so this holds for hosts that are gone too. Packets wait in a heap until nothing
older is expected. How long, the reader decides; how many, a bound in bytes does. What comes too
late for its place is written all the same, with its own time, and counted.

There is an interface for each host and adapter. Packets that are missing are told in Wireshark's
way: as a drop count at the next packet, and in the statistics of the interface.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from wintun_api.capture import pcapng
from wintun_api.capture.reader import Captured
from wintun_api.fleet.captures.excerpt import Excerpt, Position, excerpt_of
from wintun_api.limits import MAX_COUNT

LIMIT: Final = 64 * 1024 * 1024  # bytes of packets that wait for their place
WEIGHT: Final = 512  # bytes that a packet takes besides its own
MAX_RUNS: Final = 4096  # captures whose numbers are remembered
MAX_INTERFACES: Final = 4096
MAX_NAMESAKES: Final = 16  # ids that are remembered of hosts that call themselves alike
MAX_TIME: Final = 2**63 - 1
TOGETHER: Final = 512  # packets of one host that are written together

INTERRUPTED: Final = (
    "The capture of this host was interrupted here. How many packets are missing is not known."
)

# Returns the places of those packets that are wanted.
Matches: TypeAlias = Callable[[Sequence[bytes], Sequence[int]], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which packets are wanted.

    Attributes:
        hosts: The ids or names of hosts, in small letters; none for all hosts.
        since_ns: The time of the first, by the server's clock.
        until_ns: The time of the last.
        injected: Whether they were injected; None for both directions.
        matches: Chooses by what is in them; None for all.
        filter: The same as an expression, for the file.
        snaplen: The bytes to which they are cut; 0 for all.
        count: How many; None for all.
    """

    hosts: Collection[str] = ()
    since_ns: int = 0
    until_ns: int = MAX_TIME
    injected: bool | None = None
    matches: Matches | None = None
    filter: str = ""
    snaplen: int = 0
    count: int | None = None


@dataclass(slots=True)
class _Interface:
    """An adapter of a host, as the file has it."""

    block: bytes
    number: int = -1  # before it is in the file
    missing: int = 0  # packets that the next one tells to be missing
    interrupted: bool = False
    written: int = 0
    lost: int = 0
    start_ns: int = 0
    end_ns: int = 0

    def lose(self, count: int) -> None:
        """Note that packets are missing."""
        self.missing = min(MAX_COUNT, self.missing + count)
        self.lost = min(MAX_COUNT, self.lost + count)


@dataclass(slots=True)
class _Run:
    """A capture of a session: how far it was read."""

    run: str
    message: int
    passed: int


@dataclass(slots=True)
class _Waiting:
    """A packet that waits for its place."""

    time_ns: int
    interface: _Interface
    packet: Captured
    dropped: int
    comments: tuple[str, ...]


class Merging:
    """Merge messages of captures into one file, which `put` and `take` do in turns.

    Attributes:
        written: How many packets the file has.
        late: How many of them came too late for their place in the order.
        rejected: How many messages were none that an agent writes.
        namesakes: The ids of the hosts of each wanted name, of those that have brought packets.
        forgotten: How many captures were forgotten to follow newer ones: the one that brought
            nothing for longest. What was missing before its next message is not known then.
    """

    def __init__(self, wanted: Wanted, *, limit: int = LIMIT) -> None:
        """Begin with nothing.

        Args:
            wanted: Which packets.
            limit: How many bytes of packets wait for their place.
        """
        self.wanted = wanted
        self.written = 0
        self.late = 0
        self.rejected = 0
        self.forgotten = 0
        self.namesakes: dict[str, set[str]] = {}
        self._limit = limit
        self._size = 0
        self._serial = 0
        # By place: that of a packet's time, or of its arrival where that was earlier, for the clock
        # of a host can be wrong.
        self._heap: list[tuple[int, int, _Waiting]] = []
        self._last_ns = 0
        self._runs: dict[tuple[str, str], _Run] = {}
        self._interfaces: dict[tuple[str, str], _Interface] = {}
        self._introduced = 0
        self._made: list[bytes] = []

    @property
    def oldest_ns(self) -> int | None:
        """The place of the packet that is next; None if none waits."""
        return self._heap[0][0] if self._heap else None

    @property
    def nothing_came(self) -> bool:
        """Whether none of the wanted hosts has brought a packet, wanted or not."""
        return not self._interfaces

    @property
    def complete(self) -> bool:
        """Whether the file has as many packets as are wanted."""
        return self.wanted.count is not None and self.written >= self.wanted.count

    def put(self, host: str, session: str, data: bytes, server_ns: int) -> None:
        """Take a message.

        Args:
            host: The host that has published it.
            session: The session that it is about.
            data: The message.
            server_ns: When the server took it.
        """
        excerpt = excerpt_of(data)
        if excerpt is None:
            self.rejected += 1
            return
        if not self._is_wanted(host, excerpt.position.name):
            return
        interface = self._interface(host, excerpt)
        if interface is None:
            self.rejected += 1
        elif self._follows(host, session, excerpt, interface):
            self._add(interface, excerpt, server_ns)
            while self._size > self._limit:
                self._write(self._heap[0][0])

    def _is_wanted(self, host: str, name: str) -> bool:
        wanted = self.wanted.hosts
        if not wanted or host in wanted:
            return True
        if name.casefold() not in wanted:
            return False
        ids = self.namesakes.setdefault(name.casefold(), set())
        if len(ids) < MAX_NAMESAKES:
            ids.add(host)
        return True

    def _interface(self, host: str, excerpt: Excerpt) -> _Interface | None:
        """Return the interface of a host's adapter; None if there are too many."""
        adapter = excerpt.adapter
        found = self._interfaces.get((host, adapter))
        if found is None and len(self._interfaces) < MAX_INTERFACES:
            name = _plain(excerpt.position.name)
            block = pcapng.interface(
                f"{name}/{_plain(adapter)}",
                snaplen=self.wanted.snaplen,
                description=f"adapter {_plain(adapter)} of host {name}",
                filter=self.wanted.filter,
                comment=f"host {host}; {_about_clock(excerpt.position)}",
            )
            found = self._interfaces[host, adapter] = _Interface(block)
        return found

    def _follows(self, host: str, session: str, excerpt: Excerpt, interface: _Interface) -> bool:
        """Note what is missing before a message; return False if it has come before."""
        position = excerpt.position
        run = self._runs.pop((host, session), None)  # and put back as the newest
        new = _Run(position.run, position.message, excerpt.passed)
        if run is not None and run.run == new.run:
            if new.message <= run.message:
                self._runs[host, session] = run
                return False
            interface.lose(max(0, position.passed - run.passed))
        else:
            interface.interrupted = interface.interrupted or run is not None
            if not new.message:  # of a later one it is not known what came since the beginning
                interface.lose(position.passed)
        self._runs[host, session] = new
        if len(self._runs) > MAX_RUNS:
            del self._runs[next(iter(self._runs))]
            self.forgotten += 1
        return True

    def _add(self, interface: _Interface, excerpt: Excerpt, server_ns: int) -> None:
        """Let the packets of a message wait for their place."""
        offset = excerpt.position.clock_offset_ns or 0
        wanted = self.wanted
        chosen = set(self._chosen(excerpt.packets))
        for index, packet in enumerate(excerpt.packets):
            time_ns = packet.time_ns + offset
            if not wanted.since_ns <= time_ns <= wanted.until_ns:
                continue
            if packet.dropped:
                interface.lose(packet.dropped)
            if index not in chosen:
                continue
            comments = () if packet.comment is None else (packet.comment,)
            if interface.interrupted:
                comments = (*comments, INTERRUPTED)
                interface.interrupted = False
            self._serial += 1
            one = _Waiting(time_ns, interface, packet, interface.missing, comments)
            interface.missing = 0
            heapq.heappush(self._heap, (min(time_ns, server_ns), self._serial, one))
            self._size += WEIGHT + len(packet.data or b"")

    def _chosen(self, packets: Sequence[Captured]) -> Iterator[int]:
        """Yield the places of the packets that the filter and the direction let through."""
        injected, matches = self.wanted.injected, self.wanted.matches
        places: Sequence[int] = range(len(packets))
        if matches is not None and packets:
            data = [one.data or b"" for one in packets]
            originals = [len(one.data or b"") + one.missing for one in packets]
            places = matches(data, originals)
        for index in places:
            if injected is None or packets[index].injected is injected:
                yield index

    # The file

    def take(self, until_ns: int) -> bytes:
        """Return whole blocks of the file: the packets up to a time, oldest first."""
        while self._heap and self._heap[0][0] <= until_ns and not self.complete:
            self._write(until_ns)
        made, self._made = self._made, []
        return b"".join(made)

    def end(self) -> bytes:
        """Return what waits, and the statistics that end the file."""
        blocks = [self.take(MAX_TIME)]
        for one in self._interfaces.values():
            if one.number < 0 and one.lost:
                blocks.append(self._introduce(one))
            if one.number >= 0:
                blocks.append(
                    pcapng.statistics(
                        start_ns=one.start_ns,
                        end_ns=one.end_ns,
                        received=one.written + one.lost,
                        dropped=one.lost,
                        interface=one.number,
                    )
                )
        return b"".join(blocks)

    def _write(self, until_ns: int) -> None:
        """Write the oldest packet, with those of the same interface that follow it."""
        first = self._pop()
        interface, injected = first.interface, bool(first.packet.injected)
        if interface.number < 0:
            self._made.append(self._introduce(interface))
            interface.start_ns = interface.end_ns = first.time_ns
        group, last_ns = [first], first.time_ns
        most = TOGETHER if self.wanted.count is None else self.wanted.count - self.written
        while self._heap and len(group) < min(most, TOGETHER):
            place_ns, _, one = self._heap[0]
            if (
                one.interface is not interface
                or place_ns > until_ns
                or one.packet.injected is not injected
                or one.dropped
                or one.comments
                or one.time_ns < last_ns
            ):
                break
            group.append(self._pop())
            last_ns = one.time_ns
        self._made.append(self._blocks(group, injected=injected))
        self.written += len(group)
        interface.written += len(group)
        interface.start_ns = min(interface.start_ns, first.time_ns)
        interface.end_ns = max(interface.end_ns, last_ns)

    def _pop(self) -> _Waiting:
        _, _, one = heapq.heappop(self._heap)
        self._size -= WEIGHT + len(one.packet.data or b"")
        if one.time_ns < self._last_ns:
            self.late += 1
        else:
            self._last_ns = one.time_ns
        return one

    def _introduce(self, interface: _Interface) -> bytes:
        interface.number = self._introduced
        self._introduced += 1
        return interface.block

    def _blocks(self, group: Sequence[_Waiting], *, injected: bool) -> bytes:
        first, snaplen = group[0], self.wanted.snaplen
        packets = [one.packet.data or b"" for one in group]
        originals = [len(one.packet.data or b"") + one.packet.missing for one in group]
        if snaplen:
            packets = [one[:snaplen] for one in packets]
        return pcapng.packets(
            packets,
            list(map(len, packets)),
            first.time_ns,
            injected=injected,
            original_lengths=originals,
            times=[one.time_ns - first.time_ns for one in group],
            interface=first.interface.number,
            dropped=first.dropped,
            comments={0: first.comments} if first.comments else None,
        )


def _plain(name: str) -> str:
    """Return a name that a stranger has given so that no terminal does anything of it."""
    return "".join(one if one.isprintable() else " " for one in name[:128]).strip() or "?"


def _about_clock(position: Position) -> str:
    offset = position.clock_offset_ns
    if offset is None:
        return "its clock was not measured: these are its own times"
    way = "behind" if offset > 0 else "ahead of"
    error = position.clock_error_ns
    within = "" if error is None else f", to within {abs(error) / 1e6:.3f} ms"
    return (
        f"its clock was {abs(offset) / 1e6:.3f} ms {way} the server's{within}: these are the "
        "server's times"
    )
