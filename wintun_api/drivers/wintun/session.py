"""Exchange IP packets with one adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from types import MappingProxyType

from wintun_api.drivers.windows.win32 import (
    ERROR_BUFFER_OVERFLOW,
    ERROR_NO_MORE_ITEMS,
)
from wintun_api.drivers.wintun.abi import SessionHandle
from wintun_api.drivers.wintun.bursts import RingCalls
from wintun_api.drivers.wintun.library import WintunLibrary
from wintun_api.drivers.wintun.meanings import driver_error
from wintun_api.errors import DriverError, SessionEnded, carried_code
from wintun_api.packet.stamps import Stamps

NONE_REFUSED: Mapping[str, int] = MappingProxyType({})


class WintunSession:
    """Run a session. It owns its handle and a quit event, and closes both in `end`.

    If it cannot be created (wintun.h: WintunGetReadWaitEvent fails), the caller keeps the handle.

    Packet calls come from one thread at a time and never block; `wait_readable` is called on one
    waiter thread, `interrupt` on any thread.

    Args:
        library: The library that started the session.
        handle: The session.
        capacity: The capacity of its rings in bytes.
        calls: Receives and sends its packets.

    Attributes:
        stamped: Whether the clock is read after each packet.
    """

    def __init__(
        self, library: WintunLibrary, handle: SessionHandle, capacity: int, calls: RingCalls
    ) -> None:
        functions = library.functions
        self._library = library
        self._handle: SessionHandle | None = handle
        self._capacity = capacity
        self._receive, self._send = calls.receive, calls.send
        self._receive_stamped = calls.receive_stamped
        self.stamped = False
        self._stamps: Stamps | None = None
        self._end = functions["WintunEndSession"]
        self._failure: DriverError | None = None
        self._send_failure: DriverError | None = None
        self._quit_lock = Lock()
        # Manual reset: an interrupt stays. First in the set: it wins over packets.
        library.clear_last_error()
        self._quit = library.create_event(manual_reset=True)
        try:
            library.clear_last_error()
            read_wait = functions["WintunGetReadWaitEvent"](handle)
        except BaseException:
            library.close_handle(self._quit)
            raise
        self._events = (self._quit, read_wait)

    @property
    def capacity(self) -> int:
        """Ring capacity in bytes."""
        return self._capacity

    @property
    def refused(self) -> Mapping[str, int]:
        """Return {}: Windows does not report what happens to a packet that was sent."""
        return NONE_REFUSED

    @property
    def truncated(self) -> int:
        """Return 0: the length of a packet is known, so it is always read completely."""
        return 0

    @property
    def offload(self) -> bool:
        """Return False: Windows segments what is sent into an adapter by itself."""
        return False

    @property
    def merged(self) -> int:
        """Return 0: Windows counts every packet."""
        return 0

    @property
    def stamps(self) -> Stamps | None:
        """When the packets of the last `receive_packets` were received, if it was `stamped`."""
        return self._stamps

    def fileno(self) -> int | None:
        """Return None: Windows has events, not descriptors."""
        return None

    def wait_readable(self) -> bool:
        """Block until the read-wait event is set (wintun.h: WintunGetReadWaitEvent) or `interrupt`.

        Raises:
            SessionEnded: The session was ended.
            DriverError: The wait failed or returned an unexpected result.
        """
        if self._handle is None:
            raise SessionEnded
        self._library.clear_last_error()
        index = self._library.wait_for_multiple_objects(self._events)
        if index not in (0, 1):  # WAIT_ABANDONED, WAIT_TIMEOUT: it would look like an interrupt
            raise driver_error("WaitForMultipleObjects", index)
        return index == 1

    def interrupt(self) -> None:
        """Make this and every later `wait_readable` return False. Any thread; idempotent."""
        with self._quit_lock:
            if self._handle is not None:
                self._library.set_event(self._quit)

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Drain up to `limit` packets (wintun.h: WintunReceivePacket).

        Raises:
            SessionEnded: The adapter is gone (38), or the session was ended.
            RingCorrupt: The ring is inconsistent (13).
        """
        if self._handle is None:
            raise SessionEnded
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self.stamped:
            received, self._stamps = self._receive_stamped(limit)
        else:
            received = self._receive(limit)
        packets, code = received
        if code is None or code == ERROR_NO_MORE_ITEMS:
            return packets
        if carried_code(code) != ERROR_NO_MORE_ITEMS:
            failure = driver_error("WintunReceivePacket", code)
            if not packets:
                raise failure
            self._failure = failure  # packets drained before are not lost
        return packets

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Send until the ring is full (wintun.h: WintunAllocateSendPacket, WintunSendPacket).

        Raises:
            SessionEnded: The adapter is gone (38), or the session was ended.
            InvalidPacket: A packet is longer than the ring's records may be; none was sent.
        """
        if self._handle is None:
            raise SessionEnded
        if self._send_failure is not None:
            failure, self._send_failure = self._send_failure, None
            raise failure
        sent, code = self._send(packets)
        if code is None or code == ERROR_BUFFER_OVERFLOW:
            return sent
        if carried_code(code) != ERROR_BUFFER_OVERFLOW:
            failure = driver_error("WintunAllocateSendPacket", code)
            if not sent:
                raise failure
            self._send_failure = failure  # packets sent before it must not be sent again
        return sent

    def pause(self) -> None:
        """Do nothing: what waits in the ring is not known."""

    def quiesce(self) -> None:
        """Do nothing: Windows cannot stop the host from sending."""

    def end(self) -> None:
        """End the session (wintun.h: WintunEndSession); no thread may be inside another call."""
        with self._quit_lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            try:
                self._end(handle)
            finally:
                self._library.close_handle(self._quit)
