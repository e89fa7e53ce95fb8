"""Implement the session functions, which are the same in both generations.

Methods have the names of the exports, because they are bound by name.
"""

from __future__ import annotations

from math import inf
from typing import Any

from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.link import Link
from wintun_api.drivers.emulated.program import OpenSession, Program
from wintun_api.drivers.emulated.ring import ReceiveEnd, SendEnd
from wintun_api.drivers.emulated.traffic import AnsweredTraffic, Traffic
from wintun_api.drivers.windows.win32 import (
    ERROR_ALREADY_INITIALIZED,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_PARAMETER,
    ERROR_NO_MORE_ITEMS,
)
from wintun_api.drivers.wintun.abi import AdapterHandle, SessionHandle
from wintun_api.limits import MAX_PACKET, MAX_RING_CAPACITY, MIN_RING_CAPACITY

# ruff: noqa: N802  the exports' names

TOLERANT_DRIVER = (0, 14)  # skips packets that are not IP; older ones stop consuming


class SessionCalls:
    """Implement the sessions of one program. Every method runs under the machine's lock.

    Args:
        program: The program that has the sessions.
        rate: Packets per second of background traffic on every session; 0 for none.

    Attributes:
        answered: Whether the traffic of sessions that start from now on is with peers that answer.
    """

    def __init__(self, program: Program, rate: float) -> None:
        self._program = program
        self._sessions = program.sessions
        self._machine = program.machine
        self._rate = rate
        self.answered = False

    def WintunStartSession(self, handle: AdapterHandle, capacity: int) -> int:
        """Register rings with the device."""
        program, events = self._program, self._machine.events
        device = program.adapter("WintunStartSession", handle.value).device
        if device.removed:
            raise CallFailed(ERROR_FILE_NOT_FOUND, "The adapter was removed")
        if not device.enabled:
            raise CallFailed(ERROR_FILE_NOT_FOUND, "The adapter is disabled")
        valid = MIN_RING_CAPACITY <= capacity <= MAX_RING_CAPACITY
        if not valid or capacity & (capacity - 1):
            raise CallFailed(ERROR_INVALID_PARAMETER, f"{capacity:#x} is not a valid ring capacity")
        if device.link is not None:
            raise CallFailed(ERROR_ALREADY_INITIALIZED, "The adapter has a session")
        event = events.create(manual_reset=False)
        link = Link(
            capacity,
            device.host,
            device.counters,
            lambda: events.set(event),
            tolerant=(self._machine.driver_version or TOLERANT_DRIVER) >= TOLERANT_DRIVER,
        )
        device.link = link
        events.links[event] = link
        if self._rate > 0:
            kind = AnsweredTraffic if self.answered else Traffic
            events.sources[event] = kind(device, self._rate)
        session = program.new_handle()
        self._sessions[session] = OpenSession(
            device, link, ReceiveEnd(link.received), SendEnd(link.sent), event
        )
        return session

    def WintunEndSession(self, handle: SessionHandle) -> None:
        """Unregister the rings and free everything."""
        program = self._program
        session = program.session("WintunEndSession", handle.value)
        for count, what in (
            (len(session.receive_end.pending), "received packets were never released"),
            (len(session.send_end.pending), "allocated packets were never sent"),
        ):
            if count:
                program.refuse("WintunEndSession", f"{count} {what}")
        program.close_session(handle.value or 0)
        program.give_back(handle.value or 0, "WintunEndSession")

    def WintunGetReadWaitEvent(self, handle: SessionHandle) -> int:
        """Return the handle of the auto-reset event."""
        return self._program.session("WintunGetReadWaitEvent", handle.value).read_wait_event

    def WintunReceivePacket(self, handle: SessionHandle, size: Any) -> int:
        """Return the next packet's address; 0 with error 259 if there is none."""
        session = self._sessions.get(handle.value or 0)
        if session is None:
            session = self._program.session("WintunReceivePacket", handle.value)
        address, number = session.receive_end.receive()
        if not address:
            if number == ERROR_NO_MORE_ITEMS and (self._rate > 0 or session.link.due() < inf):
                self._machine.events.run_source(session.read_wait_event)
                address, number = session.receive_end.receive()
            if not address:
                self._program.last_error = number
                return 0
        size[0] = number
        return address

    def WintunReleaseReceivePacket(self, handle: SessionHandle, address: int | None) -> None:
        """Release a packet."""
        session = self._sessions.get(handle.value or 0)
        if session is None:
            session = self._program.session("WintunReleaseReceivePacket", handle.value)
        if not session.receive_end.release(address or 0):
            raise self._program.refuse(
                "WintunReleaseReceivePacket",
                f"{address or 0:#x} is not a held packet: it was released before, or is foreign",
            )

    def WintunAllocateSendPacket(self, handle: SessionHandle, size: int) -> int:
        """Return memory for a packet; 0 with error 111 if the ring is full."""
        session = self._sessions.get(handle.value or 0)
        if session is None:
            session = self._program.session("WintunAllocateSendPacket", handle.value)
        if size > MAX_PACKET:
            raise self._program.refuse("WintunAllocateSendPacket", f"{size} bytes overrun the ring")
        address, code = session.send_end.allocate(size)
        if not address:
            self._program.last_error = code
        return address

    def WintunSendPacket(self, handle: SessionHandle, address: int | None) -> None:
        """Commit a packet; the host takes it at once unless it is held."""
        session = self._sessions.get(handle.value or 0)
        if session is None:
            session = self._program.session("WintunSendPacket", handle.value)
        if not session.send_end.send(address or 0):
            raise self._program.refuse(
                "WintunSendPacket",
                f"{address or 0:#x} is not an allocated packet: sent before, or foreign",
            )
        session.link.consume()
