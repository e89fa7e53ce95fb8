"""Put the packets of one capture into files, one after the other, within what it may have.

Blocks are collected in the file that is open and given to the writer by `flush`. Everything that a
limit counts is planned when blocks are made, and the writer keeps the order: it deletes a file just
before it begins the one that needs its room. So the disk never has more than the limits allow, nor
much less, however much waits for it. A view shows what the disk has.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from wintun_api.choices import StopReason
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.named_captures.definition import Definition
from wintun_api.hub.named_captures.portion import INTERFACE, STATISTICS, fitting
from wintun_api.hub.named_captures.room import Room
from wintun_api.hub.named_captures.scan import EARLIER
from wintun_api.hub.named_captures.view import FileView
from wintun_api.hub.named_captures.writer import Begin, Blocks, Delete, End, Mend, Outcome, Writer
from wintun_api.limits import MAX_CAPTURE_FILES

# What the capture itself lost: its queue was full, or it ended with packets in it.
OWN_QUEUE: Final = (Cause.QUEUE, Cause.ENDED)
TOO_MANY_FILES: Final = f"It has {MAX_CAPTURE_FILES} files, which is the limit."


@dataclass(slots=True)
class _Planned:
    """Hold a file as it will be when the writer has done what it was given.

    Attributes:
        number: Its number.
        blocks: Makes its blocks.
        size: Bytes of its blocks.
        packets: Packets in them.
        interfaces: The sessions that it has an interface of, with the names of their adapters.
        parts: Blocks that were not given to the writer yet, and their packets.
    """

    number: int
    blocks: PcapngFile
    size: int = 0
    packets: int = 0
    interfaces: set[tuple[str, str]] = field(default_factory=set)
    parts: list[bytes] = field(default_factory=list)
    part_packets: int = 0
    part_lost: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


class Filing:
    """Keep the files of one capture. Event loop thread only.

    Args:
        definition: What the capture was asked for.
        room: The bytes that all captures may take.
        writer: Writes the files.
        reach: Called once when the capture has all that it may have; it takes no more then.
        now_ns: Nanoseconds since 1970.

    Attributes:
        sated: Whether it takes no more packets.
        made: Packets that were made into blocks.
        written: Packets that the disk has, or had in files that were deleted.
        lost: Packets that were lost before they came here.
        unwritten: Those of them for which the capture had no room, because the disk was too slow.
        deleted: Files that were deleted to stay within the limits.
        kept: Bytes of the blocks of all files that are kept, when the writer is done.
    """

    def __init__(
        self,
        definition: Definition,
        room: Room,
        writer: Writer,
        reach: Callable[[StopReason, str], None],
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._definition = definition
        self._room = room
        self._writer = writer
        self._reach = reach
        self._now_ns = now_ns
        self._views: dict[int, FileView] = {}  # of the files that the disk has
        self._planned: dict[int, _Planned] = {}  # all that it will have
        self._doomed: dict[int, _Planned] = {}  # those that the writer will delete
        self._file: _Planned | None = None  # the one that packets are added to
        self._number = 0  # of the last file that was planned
        self._size = 0  # bytes of the blocks of all files
        self._interfaces: set[str] = set()
        self.sated = False
        self.made = self.written = self.lost = self.unwritten = self.deleted = self.kept = 0

    @property
    def views(self) -> tuple[FileView, ...]:
        """The files that are on the disk, oldest first."""
        return tuple(self._views.values())

    @property
    def interfaces(self) -> int:
        """Sessions of which it has had packets."""
        return len(self._interfaces)

    @property
    def open(self) -> int | None:
        """The number of the file that packets are added to; None if there is none."""
        return None if self._file is None else self._file.number

    @property
    def unfinished(self) -> int | None:
        """The number of the first file that the disk does not have completely; None without one."""
        complete = [view.number for view in self._views.values() if view.complete]
        return min((self._doomed | self._planned).keys() - complete, default=None)

    # Packets

    def add(self, source: Source, burst: Burst, losses: Sequence[Loss] = ()) -> None:
        """Add a burst to as many files as it needs, unless a limit is reached before its end.

        Args:
            source: The session that it is from.
            burst: The packets.
            losses: What was lost before the first of them.
        """
        if self.sated:
            return
        limit = self._definition.stop.packets
        start = 0
        while start < burst.count and not self.sated:
            most = burst.count - start
            if limit is not None:
                most = min(most, limit - self.made)
            count = self._fitting(source, burst, start, most)
            if not count:
                continue  # there is another file now, or more room; or it is sated
            whole = not start and count == burst.count
            self._put_packets(source, burst if whole else burst.part(start, start + count), losses)
            losses = ()
            start += count
            if limit is not None and self.made >= limit:
                self._stop(StopReason.PACKETS)

    def lose(self, source: Source, losses: Sequence[Loss]) -> None:
        """Add losses of a session after which nothing has come yet."""
        if losses and not self.sated and self._room_for(source):
            file = self._file
            assert file is not None
            self._note(file, source, losses)
            self._put(file, file.blocks.lose(source, losses))

    def end_of(self, source: Source) -> None:
        """Add the statistics of a session that has ended."""
        file = self._file
        if file is not None:
            self._put(file, file.blocks.end_of(source))

    def flush(self) -> None:
        """Give the blocks that were made to the writer."""
        file = self._file
        if file is None or not file.parts:
            return
        data, file.parts = b"".join(file.parts), []
        packets, lost = file.part_packets, file.part_lost
        self._writer.give(Blocks(file.number, data, packets, lost, file.first_ns, file.last_ns))
        file.part_packets, file.part_lost, file.first_ns, file.last_ns = 0, 0, None, None

    def _note(self, file: _Planned, source: Source, losses: Sequence[Loss]) -> None:
        """Note that a file has something of a session."""
        self._interfaces.add(source.session)
        file.interfaces.add((source.session, source.name))
        lost = sum(loss.count for loss in losses)
        self.lost += lost
        self.unwritten += sum(loss.count for loss in losses if loss.cause in OWN_QUEUE)
        file.part_lost += lost

    def _put_packets(self, source: Source, burst: Burst, losses: Sequence[Loss]) -> None:
        file = self._file
        assert file is not None
        self._note(file, source, losses)
        file.packets += burst.count
        file.part_packets += burst.count
        file.first_ns = burst.first_ns if file.first_ns is None else file.first_ns
        file.last_ns = burst.last_ns
        self.made += burst.count
        self._put(file, file.blocks.add(source, burst, losses))

    def _put(self, file: _Planned, blocks: bytes) -> None:
        file.parts.append(blocks)
        self._count(file, len(blocks))

    def _count(self, file: _Planned, size: int) -> None:
        file.size += size
        self._size += size
        self.kept += size
        self._room.take(size)

    # Limits

    def _room_for(self, source: Source) -> bool:
        """Return whether there is a file for the losses of a session."""
        if self._file is not None and self._file_limit is not None:
            used = self._file.size + self._reserved(self._file, source)
            if used > self._file_limit:
                self.rotate()
        return self._file is not None or self.begin()

    def _fitting(self, source: Source, burst: Burst, start: int, most: int) -> int:
        """Return how many packets the file takes; 0 after more room was made, or it is sated."""
        if self._file is None and not self.begin():
            return 0
        file = self._file
        assert file is not None
        definition, keep = self._definition, self._definition.keep
        reserved = self._reserved(file, source)

        def fits(limit: int, used: int) -> int:
            return fitting(burst, definition.snaplen, limit - used - reserved, start, most)

        if (limit := self._file_limit) is not None:
            count = fits(limit, file.size)
            if not count and file.packets:
                self.end(last=False)
                return 0
            most = max(count, 1)  # a file has one packet at least, however large
        if definition.stop.bytes is not None:
            most = fits(definition.stop.bytes, self._size)
            if not most:
                return self._stop(StopReason.BYTES)
        if keep.bytes is not None:
            most = fits(keep.bytes, self.kept)
            if not most:
                return 0 if self._delete_oldest() else self._stop(StopReason.KEEP)
        most = fits(self._room.limit, self._room.used)
        if not most and not (keep and self._delete_oldest()):
            return self._stop(StopReason.TOTAL)
        return most

    def _reserved(self, file: _Planned, source: Source) -> int:
        """Return the bytes that a file needs besides the packets of a session."""
        reserved = STATISTICS * (len(file.interfaces) + 1)
        if (source.session, source.name) not in file.interfaces:
            reserved += INTERFACE + len(self._definition.filter.encode())
        return reserved

    @property
    def _file_limit(self) -> int | None:
        """The bytes of a file; a quarter of what is kept if only time rotates files."""
        rotate, keep = self._definition.rotate, self._definition.keep
        if rotate.bytes is None and rotate.seconds is not None and keep.bytes is not None:
            return keep.bytes // 4
        return rotate.bytes

    def _stop(self, reason: StopReason, detail: str = "") -> int:
        self.sated = True
        self._reach(reason, detail)
        return 0

    # Files

    def begin(self) -> bool:
        """Begin the next file; return False, sated, if there can be no other one."""
        keep = self._definition.keep
        most = min(keep.files or MAX_CAPTURE_FILES, MAX_CAPTURE_FILES)
        while len(self._planned) >= most:
            if not keep or not self._delete_oldest():
                self._stop(StopReason.KEEP, TOO_MANY_FILES)
                return False
        self._number += 1
        blocks = PcapngFile(
            snaplen=self._definition.snaplen,
            filter=self._definition.filter,
            marks=self._definition.marks,
        )
        self._file = self._planned[self._number] = _Planned(self._number, blocks)
        earlier = self.made, self.lost, self.unwritten
        first = blocks.begin(EARLIER.format(*earlier) if any(earlier) else "")
        self._count(self._file, len(first))
        self._writer.give(Begin(self._number, first, self._now_ns()))
        return True

    def end(self, *, last: bool = True) -> None:
        """Complete the file that is open; `last` if no other one follows."""
        file = self._file
        assert file is not None
        self._put(file, file.blocks.end())
        self.flush()
        self._file = None
        self._writer.give(End(file.number, last))

    def rotate(self) -> None:
        """Complete the file that is open, if it has packets; the next packet begins another."""
        if self._file is not None and self._file.packets:
            self.end(last=False)

    def fail(self, number: int | None = None, missed: Mapping[str, int] | None = None) -> None:
        """Add no more; what the disk has stays.

        Args:
            number: The file that does not get all of its packets; it gets statistics that say so.
                None if there is none.
            missed: Packets that did not come here any more, by session.
        """
        self.sated = True
        self._file = None
        known = self._doomed | self._planned
        if number not in known:
            return
        file = known[number]
        offered = [count for _, count in file.blocks.offered]
        interfaces = {session: index for index, (session, _) in enumerate(file.blocks.offered)}
        rest = list((missed or {}).items())
        for later in known.values():
            if later.number > file.number:
                rest += later.blocks.offered
        for session, count in rest:
            if session in interfaces:
                offered[interfaces[session]] += count
        self._writer.give(Mend(file.number, offered))

    def release(self) -> None:
        """Give the room back that is not needed, because it was not written."""
        self._room.give(self.kept - sum(view.bytes for view in self._views.values()))

    def note(self, outcome: Outcome) -> None:
        """Take note of what the writer did."""
        match outcome.step:
            case Begin() as step if outcome.error is None:
                self._views[step.number] = FileView(
                    number=step.number, begun_ns=step.begun_ns, bytes=outcome.written
                )
            case Blocks() as step if step.number in self._views:
                self.written += outcome.packets
                file = self._views[step.number]
                self._views[step.number] = replace(
                    file,
                    bytes=file.bytes + outcome.written,
                    packets=file.packets + outcome.packets,
                    lost=file.lost + step.lost,
                    first_ns=step.first_ns if file.first_ns is None else file.first_ns,
                    last_ns=file.last_ns if step.last_ns is None else step.last_ns,
                )
            case End() as step if step.number in self._views:
                self._views[step.number] = replace(self._views[step.number], complete=True)
            case Mend() as step if step.number in self._views:
                file = self._views[step.number]
                mended = outcome.mended
                view = replace(file, complete=True) if mended is None else mended.view(file)
                self._views[step.number] = view
                self.written += view.packets - file.packets
            case Delete() as step if not outcome.skipped:
                del self._views[step.number], self._doomed[step.number]
                self.deleted += 1

    def _delete_oldest(self) -> bool:
        """Delete the oldest file, unless packets are added to it; return whether one was."""
        oldest = next(iter(self._planned.values()), None)
        if oldest is None or oldest is self._file:
            return False
        self._doomed[oldest.number] = self._planned.pop(oldest.number)
        self.kept -= oldest.size
        self._room.give(oldest.size)
        self._writer.give(Delete(oldest.number))
        return True
