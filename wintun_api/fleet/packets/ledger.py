"""Counters that outlive the process that counts, however it ends.

They lie in a file that is mapped into memory, so that each has its newest value in the file as soon
as it is counted, and `kill -9` loses none. A table of rows: the first describes the file, the
second is about what the service gave to the agent, each other one about a pair of hosts. A counter
is one word of 64 bits, which a process that is killed has written or not.

In every row one counter leads, and is written before those that say what became of the packets. So
a process that dies between leaves packets without a cause, never with two; when the file is opened
again they are `unknown`:

    taken       taken    = numbers of all pairs + near causes + in the backlog
    arrived     expected = base + delivered + far causes + not acknowledged by the service
    sent        next     = start + settled + what the receiver has told + not told yet

Only a crash of the whole system can lose counts, and rows that no longer add up are mended so that
they do.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Final, Self, final, overload

from wintun_api import files
from wintun_api.errors import StorageFailed
from wintun_api.fleet.packets.accounts import (
    BEFORE,
    FAR,
    GROUP,
    NEAR,
    Accounts,
    Arrived,
    Cause,
    Feedback,
    Sent,
    Taken,
)
from wintun_api.fleet.packets.envelope import BEGINNING, Step, first_number, step
from wintun_api.fleet.problems import LedgerFull, LedgerInUse
from wintun_api.lock_file import LockFile

LAYOUT: Final = 1
ROWS: Final = 4096
WORDS: Final = 32  # of a row
SIZE: Final = ROWS * WORDS * 8

# In the byte order of the machine, as the counters are.
_HEAD: Final = b"wtledger" + struct.pack("=3Q", LAYOUT, ROWS, WORDS)
_NAME: Final = 16  # bytes of a host's name
_FREE, _SENT, _ARRIVED, _GROUP = range(4)  # what a row is about: its first word


class _Number:
    """A counter of a row."""

    __slots__ = ("_at",)

    def __init__(self, at: int) -> None:
        self._at = at

    @overload
    def __get__(self, row: None, kind: type) -> Self: ...
    @overload
    def __get__(self, row: _Row, kind: type) -> int: ...
    def __get__(self, row: _Row | None, kind: type) -> Self | int:
        return self if row is None else row.words[self._at]

    def __set__(self, row: _Row, value: int) -> None:
        row.words[self._at] = value


class _Row:
    """A row of the table: a piece of the mapped memory."""

    __slots__ = ("words",)

    def __init__(self, words: memoryview[int]) -> None:
        self.words = words

    def _all(self, places: Mapping[Cause, int]) -> dict[Cause, int]:
        return {cause: self.words[at] for cause, at in places.items()}


def _places(causes: Sequence[Cause], first: int) -> dict[Cause, int]:
    return {cause: first + offset for offset, cause in enumerate(causes)}


@final
class TakenRow(_Row):
    """Count what the service gave to the agent.

    Attributes:
        taken: How many packets.
        forged: How many messages came in another's name.
    """

    __slots__ = ()

    taken = _Number(0)
    forged = _Number(1)
    _causes: ClassVar = _places((*NEAR, *BEFORE), 2)
    # The session of the service that packets come from, the number with which it was begun to read
    # it, how many packets had been counted until then, the adapter, and one more than what the host
    # had handed to the adapter before the session began; 0 if that is not known.
    _session = _Number(2 + len(NEAR) + len(BEFORE))
    _origin = _Number(3 + len(NEAR) + len(BEFORE))
    _counted = _Number(4 + len(NEAR) + len(BEFORE))
    _adapter = _Number(5 + len(NEAR) + len(BEFORE))
    _handed = _Number(6 + len(NEAR) + len(BEFORE))

    def follow(
        self,
        session: str,
        number: int,
        *,
        adapter: str = "",
        handed: int | None = None,
        first: int | None = None,
    ) -> int | None:
        """Go on with a session, and count what it had while no agent read; return how many.

        The packets of a session have numbers, lost ones too. What lies between those that were
        counted and the next one was `away`, also if the agent was killed meanwhile. Between two
        sessions, the counter of the host tells the same: also what a service had that was killed,
        and what came while there was none.

        Args:
            session: The id of the session that is read now.
            number: The number that its next packet will have.
            adapter: The GUID of its adapter.
            handed: How many packets the host had handed to the adapter before the session began;
                None if it does not count them.
            first: The number with which counting begins where that is not known; None if the
                packets that the session had until now are not the agent's.

        Returns:
            How many packets were missed; None if it is not known. What is known of them is counted.
            What another adapter has had meanwhile is not missed.
        """
        name, device = _word_of(session), _word_of(adapter)
        counts = self._all(self._causes)
        total = self.taken + sum(counts[cause] for cause in BEFORE)
        missed = number - self._origin - total + self._counted
        if self._session == name and missed >= 0:
            self.lose(Cause.AWAY, missed)
            return missed
        same = self._adapter in (0, device)
        known = self._session not in (0, name) and self._handed > 0 and same
        if known and handed is not None:
            missed += handed - self._handed + 1
            known = missed >= 0  # else the adapter is a new one, or packets came in large pieces
        if not known or handed is None:
            known, missed = False, 0 if first is None else number - first
        begin = number - missed  # before 0 if packets of the time before the session are missed
        self._session = 0  # no session, until all of it is written
        self._origin = max(0, begin)
        self._counted = total + max(0, -begin)
        self._adapter = device
        self._handed = 0 if handed is None else handed + 1
        self._session = name
        self.lose(Cause.AWAY, missed)
        return missed if known or not total or not same else None

    def lose(self, cause: Cause, count: int) -> None:
        """Count packets that were not given to the bus, or that the service never gave."""
        self.words[self._causes[cause]] += count

    def account(self, numbered: int) -> Taken:
        """Return what was counted; the rows of the receivers say how many were numbered."""
        counts = self._all(self._causes)
        near = {cause: counts[cause] for cause in NEAR}
        before = {cause: counts[cause] for cause in BEFORE}
        return Taken(self.taken, numbered, near, before, self.forged)

    def mend(self, numbered: int) -> int:
        """Give packets that were in the backlog of a process that died their cause."""
        missing = self.account(numbered).waiting
        if missing >= 0:
            self.lose(Cause.UNKNOWN, missing)
            return missing
        self.taken -= missing
        return 0


class _PairRow(_Row):
    """A row about a pair of hosts: what it is about, and the name of the other host."""

    __slots__ = ()

    _kind = _Number(0)

    @property
    def host(self) -> str:
        """The other host."""
        return bytes(self.words[1:3]).rstrip(b"\0").decode("ascii", "replace")

    def _begin(self, kind: int, host: str) -> None:
        name = memoryview(host.encode("ascii").ljust(_NAME, b"\0")).cast("Q")
        self.words[1:3] = name
        self._kind = kind  # last: a row that is not complete is free


@final
class SentRow(_PairRow):
    """Count the packets for one host.

    Attributes:
        start: The number of the first packet.
        next: The number that the next packet will have.
        base: The number at which its receiver has begun to count; 0 if it has told nothing yet.
        expected: The number that the receiver expects next, as far as it has told.
    """

    __slots__ = ()

    start = _Number(3)
    next = _Number(4)
    base = _Number(5)
    expected = _Number(6)
    _delivered = _Number(7)
    _told: ClassVar = _places(FAR, 8)
    # What became of the packets before `base`, by a receiver that has lost its ledger since.
    _settled_delivered = _Number(8 + len(FAR))
    _settled: ClassVar = _places(FAR, 9 + len(FAR))

    def begin(self, host: str, number: int) -> None:
        """Make a free row one about the packets for a host."""
        self.start = number
        self.next = number
        self._begin(_SENT, host)

    def number(self, count: int) -> int:
        """Give numbers to packets that are published now, and return the first one."""
        first = self.next
        self.next = first + count
        return first

    def take_back(self, count: int) -> None:
        """Forget the numbers that were given last: the bus has not taken these packets."""
        self.next -= count

    @property
    def since(self) -> int | None:
        """The first number, as long as the receiver has told nothing; see `envelope.message`."""
        return None if self.base else self.start

    @property
    def confirmed(self) -> bool:
        """Whether the receiver knows of every packet that was sent, so that it needs no tail."""
        return self.expected == self.next

    def learn(self, told: Feedback) -> bool:
        """Take what the receiver tells; return whether it can be true of these packets.

        Numbers that were never given are ignored: they are about packets before this ledger was
        begun, or they are a lie, which harms these accounts alone.
        """
        if not self.start <= told.base <= told.expected <= self.next or not told.base:
            return False
        if told.base != self.base:
            self._settle(told.base)
        elif told.expected < self.expected:
            return False
        self.expected = told.expected
        self._delivered = told.delivered
        for cause, count in told.causes.items():
            self.words[self._told[cause]] = count
        return True

    def account(self) -> Sent:
        """Return what was counted."""
        told, settled = self._all(self._told), self._all(self._settled)
        causes = {cause: told[cause] + settled[cause] for cause in FAR}
        delivered = self._delivered + self._settled_delivered
        return Sent(self.host, self.next - self.start, delivered, causes)

    def mend(self) -> None:
        """Let what is told add up again, after a process died while it wrote that."""
        if not self.start <= self.base <= self.expected <= self.next:
            self.next = max(self.next, self.start)
            self._clear(self._told)
            self._delivered = 0
            self.base = self.expected = 0
        elif self._delivered + sum(self._all(self._told).values()) > self.expected - self.base:
            self._clear(self._told)
            self._delivered = 0
        before = self.base - self.start if self.base else 0
        missing = before - self._settled_delivered - sum(self._all(self._settled).values())
        if missing < 0:
            self._clear(self._settled)
            self._settled_delivered, missing = 0, before
        self.words[self._settled[Cause.UNKNOWN]] += missing

    def _settle(self, base: int) -> None:
        """Keep what became of the packets before `base`, where the receiver begins anew."""
        before = base - self.start
        if self.base and self.expected <= base:
            self._settled_delivered += self._delivered
            for cause in FAR:
                self.words[self._settled[cause]] += self.words[self._told[cause]]
        else:
            self._settled_delivered = 0
            self._clear(self._settled)
        known = self._settled_delivered + sum(self._all(self._settled).values())
        self.words[self._settled[Cause.UNKNOWN]] += before - known
        self._delivered = 0
        self._clear(self._told)
        self.expected = base
        self.base = base

    def _clear(self, places: Mapping[Cause, int]) -> None:
        for at in places.values():
            self.words[at] = 0


@final
class ArrivedRow(_PairRow):
    """Count the packets of one host.

    Attributes:
        base: The number of the first packet that was counted.
        expected: The number after the last one; 0 if there was none.
        delivered: How many were injected.
        late: How many came after they were counted as lost.
    """

    __slots__ = ("_owed",)

    base = _Number(3)
    expected = _Number(4)
    delivered = _Number(5)
    late = _Number(6)
    _causes: ClassVar = _places(FAR, 7)

    def __init__(self, words: memoryview[int]) -> None:
        super().__init__(words)
        self._owed = 0  # packets of a beginning that is over, which the service still has

    def begin(self, host: str, *, group: bool) -> None:
        """Make a free row one about the packets of a host."""
        self._begin(_GROUP if group else _ARRIVED, host)

    def take(self, first: int, count: int, *, gap: Cause = Cause.BUS) -> Step:
        """Count a batch that has come, before anything is done with it.

        Of its packets, those that are late were counted before: they must not be used. All others
        have to be given to `deliver` or `lose` later.

        Args:
            first: The number of its first packet.
            count: How many packets it has.
            gap: Why packets before it are missing, if some are.
        """
        found = step(self.expected or None, first, count)
        if found.begins:
            self._owed += self.account().waiting
            self._restart(first)
        self.expected = max(self.expected, first + count)
        if found.lost:
            self.lose(gap, found.lost, owed=False)
        if found.late:
            self.late += found.late
        return found

    def deliver(self, count: int) -> None:
        """Count packets that were injected."""
        self.delivered += self._of_this_beginning(count)

    def lose(self, cause: Cause, count: int, *, owed: bool = True) -> None:
        """Count packets that were not injected."""
        self.words[self._causes[cause]] += self._of_this_beginning(count) if owed else count

    def feedback(self) -> Feedback:
        """Return what to tell the sender."""
        return Feedback(
            base=self.base,
            expected=self.expected,
            delivered=self.delivered,
            **{cause.value: count for cause, count in self._all(self._causes).items()},
        )

    def account(self) -> Arrived:
        """Return what was counted since the sender's numbers have begun."""
        return Arrived(
            self.host,
            self._kind == _GROUP,
            self.expected - self.base,
            self.delivered,
            self._all(self._causes),
            self.late,
        )

    def mend(self) -> int:
        """Give packets that a process which died had given to its service their cause."""
        missing = self.account().waiting
        if 0 <= missing < BEGINNING:
            self.lose(Cause.UNKNOWN, missing)
            return missing
        self._restart(self.expected)
        return 0

    def _restart(self, number: int) -> None:
        """Begin anew, in an order that `mend` can complete wherever it is interrupted."""
        self.expected = number
        self.base = number
        self.delivered = 0
        for at in self._causes.values():
            self.words[at] = 0

    def _of_this_beginning(self, count: int) -> int:
        """Leave out packets of a beginning that is over; the service answers in order."""
        if not self._owed:
            return count
        old = min(self._owed, count)
        self._owed -= old
        return count - old


@final
class Ledger:
    """The counters of a host in one network. Event loop thread only; close it.

    Attributes:
        taken: The counters of what the service gave to the agent.
        recovered: How many packets the last agent left without a cause; they are `unknown` now.
        set_aside: Where a file of another version was moved to; None if there was none.
    """

    def __init__(
        self, memory: mmap.mmap, lock: LockFile, set_aside: Path | None, clock: Callable[[], float]
    ) -> None:
        self.set_aside = set_aside
        self._memory = memory
        self._lock = lock
        self._clock = clock
        self._words = memoryview(memory).cast("Q")
        self._sent: dict[str, SentRow] = {}
        self._arrived: dict[tuple[str, bool], ArrivedRow] = {}
        self._free: list[int] = []
        self.taken = TakenRow(self._row(1))
        self._read()
        self.recovered = self._mend()

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], float] = time.time) -> Ledger:
        """Open the ledger in a file, or make one, and mend what a process that died has left.

        A file that is not a ledger of this version is kept beside the new one: `set_aside`.

        Args:
            path: The file, in a directory of this user alone.
            clock: Gives the time in seconds since 1970, from which a pair has its first number.

        Raises:
            LedgerInUse: Another agent counts in it.
            UntrustedFile: Another user may have written it.
            StorageFailed: The disk does not take it.
        """
        try:
            lock = _locked(path.with_name(f"{path.name}.lock"))
            try:
                set_aside = _prepare(path)
                with files.opened(path, change=True) as descriptor:
                    memory = mmap.mmap(descriptor, SIZE)
            except BaseException:
                lock.close()
                raise
        except OSError as error:
            raise StorageFailed(
                f"The ledger {path} cannot be written: {error.strerror or error}.",
                hint="Make room on the disk, or choose another data directory.",
            ) from error
        return cls(memory, lock, set_aside, clock)

    def sent(self, to: str = GROUP) -> SentRow:
        """Return the row about the packets for a host, or about those for all hosts.

        Raises:
            LedgerFull: There is no room for another pair of hosts.
        """
        row = self._sent.get(to)
        if row is None:
            row = SentRow(self._row(self._unused()))
            row.begin(to, first_number(self._clock()))
            self._sent[to] = row
        return row

    def arrived(self, sender: str, *, group: bool = False) -> ArrivedRow:
        """Return the row about the packets of a host: those for this host, or those for all.

        Raises:
            LedgerFull: There is no room for another pair of hosts.
        """
        row = self._arrived.get((sender, group))
        if row is None:
            row = ArrivedRow(self._row(self._unused()))
            row.begin(sender, group=group)
            self._arrived[sender, group] = row
        return row

    def receivers(self) -> Iterator[tuple[str, SentRow]]:
        """Yield the hosts that packets were sent to, and their rows; `GROUP` is among them."""
        return iter(self._sent.items())

    def senders(self) -> Iterator[tuple[str, ArrivedRow]]:
        """Yield the hosts that have sent packets to this one, and their rows."""
        return ((host, row) for (host, group), row in self._arrived.items() if not group)

    def accounts(self) -> Accounts:
        """Return what became of all packets."""
        return Accounts(
            self.taken.account(self._numbered()),
            tuple(row.account() for row in self._sent.values()),
            tuple(row.account() for row in self._arrived.values()),
        )

    def close(self) -> None:
        """Write everything to the disk, and let another agent count. Idempotent."""
        if self._memory.closed:
            return
        with suppress(OSError):
            self._memory.flush()
        for row in (self.taken, *self._sent.values(), *self._arrived.values()):
            row.words.release()
        self._words.release()
        self._memory.close()
        self._lock.close()

    def _row(self, at: int) -> memoryview[int]:
        return self._words[at * WORDS : (at + 1) * WORDS]

    def _unused(self) -> int:
        if not self._free:
            raise LedgerFull(
                f"The ledger has rows for {ROWS - 2} pairs of hosts, and all of them are in use.",
                hint="Stop the agent and delete its ledger, if the hosts of old are gone.",
            )
        return self._free.pop()

    def _read(self) -> None:
        for at in range(2, ROWS):
            words = self._row(at)
            if words[0] == _SENT:
                sent = SentRow(words)
                self._sent[sent.host] = sent
            elif words[0] in (_ARRIVED, _GROUP):
                arrived = ArrivedRow(words)
                self._arrived[arrived.host, words[0] == _GROUP] = arrived
            else:
                words.release()
                self._free.append(at)
        self._free.reverse()  # the first is taken first

    def _mend(self) -> int:
        for sent in self._sent.values():
            sent.mend()
        recovered = sum(row.mend() for row in self._arrived.values())
        return recovered + self.taken.mend(self._numbered())

    def _numbered(self) -> int:
        return sum(row.next - row.start for row in self._sent.values())


def _locked(path: Path) -> LockFile:
    lock = LockFile.open(path)
    try:
        free = lock.take()
    except BaseException:
        lock.close()
        raise
    if not free:
        lock.close()
        raise LedgerInUse(
            "Another agent has joined this network with the same key.",
            hint="Stop it, or make another key for this one: wintun-api join keys",
        )
    return lock


def _word_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _prepare(path: Path) -> Path | None:
    """Let a file be a ledger of this version; return where another one went that was there."""
    aside = None
    try:
        with files.opened(path) as descriptor:
            fits = os.fstat(descriptor).st_size == SIZE and os.read(descriptor, len(_HEAD)) == _HEAD
        if fits:
            return None
        aside = path.with_name(f"{path.name}.old")
        path.replace(aside)
    except FileNotFoundError:
        pass
    files.remove_leftovers(path.parent, path.name)
    # All of it is written, so that the disk has room for what is counted later.
    files.replace(path, _HEAD.ljust(SIZE, b"\0"))
    return aside
