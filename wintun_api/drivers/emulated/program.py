"""Emulate the program that loaded the library: its handles, last error, logger and misuse."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wintun_api.drivers.base import LogLevel
from wintun_api.drivers.emulated.faults import CallFailed, Faults
from wintun_api.drivers.emulated.link import Link
from wintun_api.drivers.emulated.machine import Device, Machine
from wintun_api.drivers.emulated.ring import ReceiveEnd, SendEnd
from wintun_api.drivers.windows.win32 import ERROR_INVALID_HANDLE
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.log import FILETIME_OF_1970

MAX_GIVEN_BACK = 4096  # handles whose end is remembered; the oldest are forgotten first


@dataclass(eq=False, slots=True)
class OpenAdapter:
    """Hold what an adapter handle refers to."""

    device: Device
    created: bool
    within_callback: bool = False


@dataclass(eq=False, slots=True)
class OpenSession:
    """Hold what a session handle refers to."""

    device: Device
    link: Link
    receive_end: ReceiveEnd
    send_end: SendEnd
    read_wait_event: int


class Program:
    """Hold the state of one process. Handles are never reused and have more than 32 bits.

    Attributes:
        misuse: One sentence for each call that would have corrupted memory, leaked or blocked.
        adapters: Adapter handles.
        sessions: Session handles.
    """

    def __init__(self, machine: Machine, generation: Generation) -> None:
        self.machine = machine
        self.generation = generation
        self.faults = Faults()
        self.misuse: list[str] = []
        self.adapters: dict[int, OpenAdapter] = {}
        self.sessions: dict[int, OpenSession] = {}
        self.logger: Any = None
        self._errors = threading.local()
        self._handles = itertools.count(0x7FF6_1000_0000, 0x40)
        self._given_back: dict[int, str] = {}

    @property
    def last_error(self) -> int:
        """This thread's error number; a successful call does not change it."""
        return getattr(self._errors, "code", 0)

    @last_error.setter
    def last_error(self, code: int) -> None:
        self._errors.code = code & 0xFFFFFFFF

    def new_handle(self) -> int:
        """Return a handle never used before."""
        return next(self._handles)

    def give_back(self, handle: int, function: str) -> None:
        """Remember which function closed a handle, to report later use of it."""
        self.adapters.pop(handle, None)
        self.sessions.pop(handle, None)
        self._given_back[handle] = function
        if len(self._given_back) > MAX_GIVEN_BACK:
            del self._given_back[next(iter(self._given_back))]

    def refuse(self, function: str, sentence: str) -> CallFailed:
        """Record misuse and return the failure to raise."""
        self.misuse.append(f"{function}: {sentence}")
        return CallFailed(ERROR_INVALID_HANDLE, sentence)

    def adapter(self, function: str, handle: int | None) -> OpenAdapter:
        """Return what an adapter handle refers to.

        Raises:
            CallFailed: The handle is not valid, which is misuse.
        """
        found = self.adapters.get(handle or 0)
        if found is None:
            raise self.refuse(function, self._stale("adapter", handle))
        return found

    def session(self, function: str, handle: int | None) -> OpenSession:
        """Return what a session handle refers to.

        Raises:
            CallFailed: The handle is not valid, which is misuse.
        """
        found = self.sessions.get(handle or 0)
        if found is None:
            raise self.refuse(function, self._stale("session", handle))
        return found

    def close_session(self, handle: int) -> None:
        """Unregister a session's rings and close its event."""
        session = self.sessions[handle]
        device = session.device
        if device.link is session.link:
            device.link.terminate()
            device.link = None
        if device.remove_with_session:
            try:
                self.machine.remove(device)
            except CallFailed as failed:  # the device stays; the call has no way to say so
                self.log(LogLevel.ERR, failed.sentence, "WintunEndSession")
        if self.machine.events.close(session.read_wait_event):
            self.refuse("WintunEndSession", "a thread was waiting for the read-wait event")

    def exit(self) -> None:
        """End the process: the system closes all handles without reporting leaks."""
        with self.machine.lock:
            for handle in list(self.sessions):
                self.close_session(handle)
                self.give_back(handle, "the end of the process")
            for handle, adapter in list(self.adapters.items()):
                if adapter.created and not adapter.device.persistent:
                    self.machine.remove(adapter.device)
                self.give_back(handle, "the end of the process")
            self.logger = None

    def log(self, level: LogLevel, message: str, function: str = "") -> None:
        """Call the logger, in this thread; the last error stays as it is."""
        logger = self.logger
        if not logger:
            return
        if self.generation is Generation.POOL:
            logger(int(level), f"{function}: {message}" if function else message)
        else:
            logger(int(level), time.time_ns() // 100 + FILETIME_OF_1970, message)

    def guard(self, name: str, function: Callable[..., Any], *, void: bool) -> Callable[..., Any]:
        """Wrap an exported function: lock, planned faults, last error, log.

        ctypes would print a Python function's exception and continue; here it is misuse.
        """
        failed = None if void else 0
        faults, lock = self.faults, self.machine.lock

        def call(*arguments: Any) -> Any:
            try:
                if faults.armed:
                    faults.run(name)
                with lock:
                    return function(*arguments)
            except Exception as error:  # noqa: BLE001  it would vanish in ctypes
                self._failed(name, error)
                return failed

        return call

    def _failed(self, name: str, error: Exception) -> None:
        if not isinstance(error, CallFailed):
            error = self.refuse(name, f"raised {error!r}")
        if error.code:  # a failure without a number leaves the old one, in wintun.dll too
            self.last_error = error.code
        if error.sentence:
            self.log(LogLevel.ERR, f"{error.sentence} (Code 0x{error.code:08X})", name)

    def _stale(self, kind: str, handle: int | None) -> str:
        if handle is None:
            return f"the {kind} handle is NULL"
        if handle in self._given_back:
            return f"the {kind} handle was given back by {self._given_back[handle]}"
        return f"{handle:#x} is not a valid {kind} handle"
