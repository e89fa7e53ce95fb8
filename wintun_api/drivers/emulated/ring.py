"""Emulate one packet ring in real memory, and the library's two ends of it.

Layout (wintun's session.c): Head, Tail and Alertable of 32 bits each, then the data. A record is
a 32-bit size and the packet, aligned to 4 bytes. Head and Tail are byte offsets below the capacity;
one unit stays free, so that full and empty differ. A record that begins near the end extends into
64 KiB of slack instead of wrapping. Bit 31 of a size is the library's mark for "not yet released".
"""

from __future__ import annotations

import ctypes

from wintun_api.drivers.windows.win32 import (
    ERROR_BUFFER_OVERFLOW,
    ERROR_HANDLE_EOF,
    ERROR_INVALID_DATA,
    ERROR_NO_MORE_ITEMS,
)
from wintun_api.limits import MAX_PACKET

HEADER = 12
UNIT = 4
SLACK = 0x10000
TERMINATED = 0xFFFFFFFF  # in Head or Tail: the other side is gone
PENDING = 0x80000000

_HEAD, _TAIL, _DATA = 0, 1, 3  # in words


def record_size(size: int) -> int:
    """Return the bytes that a packet of this size takes in a ring."""
    return (size + UNIT + UNIT - 1) & -UNIT


class Ring:
    """Hold the shared memory, with the kernel's two operations: `put` and `take`.

    Attributes:
        capacity: Bytes, a power of two.
        words: The memory as 32-bit words.
        data: The address of the first record.
    """

    __slots__ = ("_bytes", "_memory", "capacity", "data", "mask", "words")

    def __init__(self, capacity: int) -> None:
        size = HEADER + capacity + SLACK
        content = bytearray(size)
        self._memory = (ctypes.c_char * size).from_buffer(content)  # pins the address
        self._bytes = memoryview(content)
        self.words = self._bytes.cast("I")
        self.capacity = capacity
        self.mask = capacity - 1
        self.data = ctypes.addressof(self._memory) + HEADER

    def __len__(self) -> int:
        return len(self._bytes)

    def put(self, packet: bytes) -> bool:
        """Append a packet; return False if there is no room or the other side is gone."""
        words = self.words
        head, tail = words[_HEAD], words[_TAIL]
        size = len(packet)
        needed = record_size(size)
        if head >= self.capacity or tail >= self.capacity:
            return False
        if needed > (head - tail - UNIT) & self.mask:
            return False
        words[_DATA + (tail >> 2)] = size
        start = HEADER + UNIT + tail
        self._bytes[start : start + size] = packet
        words[_TAIL] = (tail + needed) & self.mask
        return True

    def take(self) -> bytes | None:
        """Remove the oldest packet; None when there is none.

        Raises:
            ValueError: A record is longer than the ring's content.
        """
        words = self.words
        head, tail = words[_HEAD], words[_TAIL]
        if head == tail or head >= self.capacity or tail >= self.capacity:
            return None
        size = words[_DATA + (head >> 2)]
        needed = record_size(size)
        if size > MAX_PACKET or needed > (tail - head) & self.mask:
            raise ValueError(f"a record of {size} bytes")
        start = HEADER + UNIT + head
        packet = bytes(self._bytes[start : start + size])
        words[_HEAD] = (head + needed) & self.mask
        return packet

    def stop_producing(self) -> None:
        """Mark that the kernel has stopped writing: what is still queued is lost."""
        self.words[_TAIL] = TERMINATED

    def stop_consuming(self) -> None:
        """Mark that the kernel has stopped reading."""
        self.words[_HEAD] = TERMINATED

    def corrupt(self) -> None:
        """Advance Tail by one unit without a packet, as a race of kernel threads would."""
        tail = self.words[_TAIL]
        self.words[_DATA + (tail >> 2)] = MAX_PACKET + 1
        self.words[_TAIL] = (tail + UNIT) & self.mask


class ReceiveEnd:
    """Implement the library's end of the ring from host to application.

    Packets may be released in any order; Head advances over the unbroken run of released records.
    """

    __slots__ = ("_free", "_next", "_ring", "pending")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._next = 0
        self._free = 0
        self.pending: dict[int, int] = {}  # address -> offset of the record

    def receive(self) -> tuple[int, int]:
        """Return (address, size) of the next packet, or (0, error number)."""
        ring = self._ring
        words, offset = ring.words, self._next
        tail = words[_TAIL]
        if tail >= ring.capacity:
            return 0, ERROR_HANDLE_EOF
        if offset == tail:
            return 0, ERROR_NO_MORE_ITEMS
        word = _DATA + (offset >> 2)
        size = words[word]
        needed = record_size(size)
        if size > MAX_PACKET or needed > (tail - offset) & ring.mask:
            return 0, ERROR_INVALID_DATA
        words[word] = size | PENDING
        self._next = (offset + needed) & ring.mask
        address = ring.data + UNIT + offset
        self.pending[address] = offset
        return address, size

    def release(self, address: int) -> bool:
        """Release a packet; return False if the address does not belong to a held packet."""
        offset = self.pending.pop(address, None)
        if offset is None:
            return False
        ring = self._ring
        words, free = ring.words, self._free
        words[_DATA + (offset >> 2)] &= ~PENDING
        while free != self._next:
            size = words[_DATA + (free >> 2)]
            if size & PENDING:
                break
            free = (free + record_size(size)) & ring.mask
        self._free = free
        if words[_HEAD] < ring.capacity:
            words[_HEAD] = free
        return True


class SendEnd:
    """Implement the library's end of the ring from application to host.

    Packets are sent in the order of allocation; Tail advances over the run of sent records.
    """

    __slots__ = ("_commit", "_next", "_ring", "pending")

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._next = 0
        self._commit = 0
        self.pending: dict[int, int] = {}

    def allocate(self, size: int) -> tuple[int, int]:
        """Return (address, size) of memory for a packet, or (0, error number)."""
        ring = self._ring
        words, offset = ring.words, self._next
        head = words[_HEAD]
        if head >= ring.capacity:
            return 0, ERROR_HANDLE_EOF
        needed = record_size(size)
        if needed > (head - offset - UNIT) & ring.mask:
            return 0, ERROR_BUFFER_OVERFLOW
        words[_DATA + (offset >> 2)] = size | PENDING
        self._next = (offset + needed) & ring.mask
        address = ring.data + UNIT + offset
        self.pending[address] = offset
        return address, size

    def send(self, address: int) -> bool:
        """Commit an allocated packet; return False if the address was not allocated."""
        offset = self.pending.pop(address, None)
        if offset is None:
            return False
        ring = self._ring
        words, commit = ring.words, self._commit
        words[_DATA + (offset >> 2)] &= ~PENDING
        while commit != self._next:
            size = words[_DATA + (commit >> 2)]
            if size & PENDING:
                break
            commit = (commit + record_size(size)) & ring.mask
        self._commit = commit
        if words[_TAIL] < ring.capacity:
            words[_TAIL] = commit
        return True
