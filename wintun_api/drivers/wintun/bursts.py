"""Receive and send packets of a ring: with ctypes per packet, or with one C call per burst.

Receive and Release, and Allocate and Send, are each called in one method: no pointer leaves it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from ctypes import byref, string_at
from functools import partial
from itertools import repeat
from time import time_ns
from typing import Final, Protocol, TypeAlias

from wintun_api.drivers.windows.foreign import DWORD, copy_bytes
from wintun_api.drivers.windows.win32 import ERROR_INVALID_DATA
from wintun_api.drivers.wintun.abi import SessionHandle
from wintun_api.drivers.wintun.library import PacketAddresses, WintunLibrary
from wintun_api.errors import InvalidPacket
from wintun_api.limits import MAX_PACKET
from wintun_api.native import Speedups
from wintun_api.packet.block import Block
from wintun_api.packet.check import TOO_LONG
from wintun_api.packet.stamps import Stamps

MAX_COUNT: Final = 1024  # the largest number of packets that a C call receives
ENOUGH: Final = 1024 * 1024  # the approximate bytes that it receives, which a ring lacks meanwhile

# Packets in order, and the error number of the call behind them; None where the limit ended it.
Received: TypeAlias = "tuple[Sequence[bytes], int | None]"

# What `receive_burst` of the extension returns.
Answer: TypeAlias = "tuple[bytes, int, int, int | None, int]"

# How many packets were sent, and the error number of the next one's call; None if all were sent.
Sent: TypeAlias = "tuple[int, int | None]"


class RingCalls(Protocol):
    """Receive and send packets of one session. One thread at a time; no call blocks.

    An error number is as the library left it (Win32: GetLastError), also that of an empty or a
    full ring. It is a value beside the packets before it, and is never raised.
    """

    def receive(self, limit: int) -> Received:
        """Receive up to `limit` packets; fewer only if a call returned NULL.

        A packet that is said to be larger than any IP packet counts as a corrupt ring (13). Every
        packet is given back to the ring, also if this raises.
        """

    def receive_stamped(self, limit: int) -> tuple[Received, Stamps | None]:
        """Receive as `receive` does, and note when each packet came; None if there is none."""

    def send(self, packets: Sequence[bytes]) -> Sent:
        """Send packets in order, up to the first one for which a call returns NULL.

        Raises:
            InvalidPacket: A packet is longer than the ring's records may be; none was sent.
        """


class PythonCalls:
    """Make two foreign calls per packet."""

    def __init__(self, library: WintunLibrary, session: SessionHandle) -> None:
        functions = library.functions
        size = DWORD()
        self._receiving = (
            functions["WintunReceivePacket"],
            functions["WintunReleaseReceivePacket"],
            session,
            size,
            byref(size),
        )
        self._sending = (
            functions["WintunAllocateSendPacket"],
            functions["WintunSendPacket"],
            session,
        )
        self._last_error = library.last_error

    def receive(self, limit: int) -> Received:
        """Receive up to `limit` packets (wintun.h: WintunReceivePacket)."""
        return self._take(limit, None)

    def receive_stamped(self, limit: int) -> tuple[Received, Stamps | None]:
        """Receive as `receive` does, and read the clock after each packet."""
        readings: list[int] = []
        received = self._take(limit, readings)
        return received, Stamps.of(readings) if readings else None

    def _take(self, limit: int, readings: list[int] | None) -> Received:
        receive, release, session, size, reference = self._receiving
        packets: list[bytes] = []
        append = packets.append
        for _ in repeat(None, limit):
            address = receive(session, reference)
            if address is None:
                return packets, self._last_error()
            try:
                length = size.value
                if length > MAX_PACKET:
                    return packets, ERROR_INVALID_DATA
                if readings is not None:
                    readings.append(time_ns())
                append(string_at(address, length))
            finally:
                release(session, address)  # a packet kept stalls the whole ring
        return packets, None

    def send(self, packets: Sequence[bytes]) -> Sent:
        """Send packets (wintun.h: WintunAllocateSendPacket, WintunSendPacket)."""
        (allocate, send, session), copy = self._sending, copy_bytes
        if type(packets) is not Block and len(packets) > 1:  # a block has 16-bit lengths
            longest = max(map(len, packets))
            if longest > MAX_PACKET:
                raise _too_long(longest)
        sent = 0
        for packet in packets:
            # Nothing may fail between Allocate and Send: an unsent packet blocks all later ones.
            content = packet if type(packet) is bytes else bytes(packet)
            size = len(content)
            if size > MAX_PACKET:
                raise _too_long(size)
            address = allocate(session, size)
            if address is None:
                return sent, self._last_error()
            copy(address, content, size)
            send(session, address)
            sent += 1
        return sent, None


class NativeCalls:
    """Receive or send a burst with one call of the C extension, which is short.

    For a single packet, and for an empty ring, that is faster than the foreign calls too.
    """

    def __init__(
        self, speedups: Speedups, addresses: PacketAddresses, session: SessionHandle
    ) -> None:
        at, handle = addresses, session.value or 0
        self._receive = partial(
            speedups.receive_burst, at.receive, at.release, at.last_error, handle
        )
        self._send = partial(speedups.send_burst, at.allocate, at.send, at.last_error, handle)
        self._lengths = array("H", bytes(2 * MAX_COUNT))
        self._times = array("I", bytes(4 * MAX_COUNT))
        self._length = array("H", bytes(2))

    def receive(self, limit: int) -> Received:
        """Receive up to `limit` packets; more than one come in one piece."""
        answer = self._receive(limit, ENOUGH, self._lengths, None)
        memory, count, _, failure, _ = answer
        if count <= 1:
            return ([memory] if count else []), failure
        return self._with_rest(answer, limit, None)[0]

    def receive_stamped(self, limit: int) -> tuple[Received, Stamps | None]:
        """Receive as `receive` does, and read the clock after each packet."""
        answer = self._receive(limit, ENOUGH, self._lengths, self._times)
        return self._with_rest(answer, limit, self._times)

    def send(self, packets: Sequence[bytes]) -> Sent:
        """Send packets that lie in one piece, or are copied into one."""
        try:
            if len(packets) == 1 and type(packets) is not Block:
                self._length[0] = len(packets[0])
                return self._send(packets[0], 0, self._length)
            block = Block.of(packets)
        except OverflowError:  # lengths are 16-bit numbers
            raise _too_long(max(map(len, packets))) from None
        return self._send(block.memory, block.start, block.lengths)

    def _with_rest(
        self, answer: Answer, limit: int, times: array[int] | None
    ) -> tuple[Received, Stamps | None]:
        # Fewer packets than the limit mean that the ring was empty, after which its event is
        # waited for. So what one call leaves is received now.
        blocks: list[Block] = []
        stamps: list[Stamps] = []
        while True:
            memory, count, size, failure, first = answer
            if count:
                blocks.append(Block(memory, self._lengths[:count], size))
                if times is not None:
                    stamps.append(Stamps(first, times[:count]))
            limit -= count
            if not limit or failure is not None:
                break
            answer = self._receive(limit, ENOUGH, self._lengths, times)
        packets = Block.joined(blocks) if blocks else []
        return (packets, failure), Stamps.joined(stamps) if stamps else None


def calls_of(
    library: WintunLibrary, session: SessionHandle, speedups: Speedups | None
) -> RingCalls:
    """Return the calls of a session: in C if there is an extension, and functions that C can call.

    Raises:
        DriverUnavailable: The library cannot be used here.
    """
    addresses = library.packet_addresses if speedups is not None else None
    if speedups is None or addresses is None:
        return PythonCalls(library, session)
    return NativeCalls(speedups, addresses, session)


def _too_long(size: int) -> InvalidPacket:
    # The library would write past its ring.
    return InvalidPacket(TOO_LONG, f"{size} bytes are more than {MAX_PACKET}.")
