"""End a file that was not ended as usual: its disk was full, or the service was killed.

It is cut to its last whole block and gets the statistics of its interfaces. On a full disk they,
and the index of the capture, take the place of the last packets, which then count as lost: files
that say what is missing are worth more than a few packets. These functions may block, so they run
on other threads than the event loop's.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from wintun_api import files
from wintun_api.capture import pcapng
from wintun_api.hub.named_captures.scan import REFUSED, Scan, scanned
from wintun_api.hub.named_captures.view import FileView

# The comment of an interface may become longer by so many bytes when packets are cut off.
_GROWTH: Final = 128
# What a full disk gets back for the index, but not more than an eighth of the file.
_INDEX: Final = 16384


@dataclass(frozen=True, slots=True)
class Ended:
    """Hold what a file has.

    Attributes:
        size: Its bytes.
        found: What its blocks have, without the statistics that were added.
        lost: Packets that are missing, as its blocks and its statistics say.
    """

    size: int
    found: Scan
    lost: int

    def view(self, file: FileView) -> FileView:
        """Return what a file is of which this was known before."""
        return replace(
            file,
            packets=self.found.packets.total(),
            lost=self.lost,
            bytes=self.size,
            first_ns=self.found.first_ns,
            last_ns=self.found.last_ns,
            complete=True,
        )


def end(path: Path, offered: Sequence[int] = (), *, full: bool = False) -> Ended | None:
    """End a file and say what it has; None if it is not a file that the service began.

    A file that is whole and has all statistics is only read.

    Args:
        path: The file.
        offered: For each interface, the packets that came while the file was written; none if only
            the file itself is known.
        full: Whether the disk is full.

    Raises:
        UntrustedFile: Another user may have written it, or it is not a file.
        OSError: It cannot be read or written.
    """
    with files.opened(path, change=True) as descriptor:
        size_before = os.fstat(descriptor).st_size
        found = scanned(partial(os.read, descriptor))
        if not found.size:
            return None
        blocks = _statistics(found, offered)
        if blocks and (full or not _put(descriptor, found.size, blocks)):
            os.lseek(descriptor, 0, os.SEEK_SET)
            spare = _GROWTH * found.interfaces + min(_INDEX, size_before // 8)
            room = size_before - len(blocks) - spare
            less = scanned(partial(os.read, descriptor), room)
            blocks = _statistics(less, offered) if less.size else b""
            if blocks and _put(descriptor, less.size, blocks):
                found = less
            else:
                blocks = b""
        size = found.size + len(blocks)
        if blocks or size != size_before:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
    after = sum(_after(found, number, offered) for number in range(found.interfaces))
    return Ended(size, found, found.dropped.total() + (after if blocks else 0))


def _after(found: Scan, number: int, offered: Sequence[int]) -> int:
    """Return how many packets of an interface were lost after its last one."""
    if number >= len(offered) or number in found.ended:
        return 0
    return max(offered[number] - found.packets[number] - found.dropped[number], 0)


def _statistics(found: Scan, offered: Sequence[int]) -> bytes:
    """Return the statistics of the interfaces that have none."""
    blocks = b""
    for number in range(found.interfaces):
        after = _after(found, number, offered)
        if number not in found.ended and (after or found.first_ns is not None):
            dropped = found.dropped[number] + after
            blocks += pcapng.statistics(
                interface=number,
                start_ns=found.first_ns or 0,
                end_ns=found.last_ns or 0,
                received=found.packets[number] + dropped,
                dropped=dropped,
                comment=REFUSED.format(after) if after else "",
            )
    return blocks


def _put(descriptor: int, at: int, blocks: bytes) -> bool:
    """Write blocks at a place; return whether the disk has taken all of them."""
    written = 0
    try:
        os.lseek(descriptor, at, os.SEEK_SET)
        while written < len(blocks):
            written += os.write(descriptor, blocks[written:])
    except OSError:
        return False
    return True
