"""Emulate a Wintun library with Python functions, bound by the real prototypes.

Calls pass through ctypes both ways: arguments are marshalled, pointers are real addresses, and the
same checks raise. The controls for tests act below this interface.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any
from uuid import UUID

from wintun_api.drivers.base import LogLevel, Unavailable
from wintun_api.drivers.emulated.adapter_calls import PoolCalls, TunnelTypeCalls
from wintun_api.drivers.emulated.events import WaitBroken
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.link import Link
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.emulated.program import Program
from wintun_api.drivers.emulated.session_calls import SessionCalls
from wintun_api.drivers.windows.binding import bind
from wintun_api.drivers.windows.events import EVENT_PROTOTYPES
from wintun_api.drivers.windows.foreign import EventHandle, Prototype
from wintun_api.drivers.windows.win32 import ERROR_INVALID_HANDLE
from wintun_api.drivers.wintun.abi import Generation, prototypes_of
from wintun_api.drivers.wintun.meanings import driver_error

WINDOWS_FUNCTIONS = {*(row.name for row in EVENT_PROTOTYPES), "GetIfEntry2"}


class EmulatedLibrary:
    """Emulate a checked build of either generation, loaded by one program on one machine.

    Args:
        generation: The generation, which decides the functions.
        machine: The machine on which it runs; a new one by default.
        rate: Packets per second of background traffic on every session.
    """

    def __init__(
        self,
        generation: Generation = Generation.POOL,
        machine: Machine | None = None,
        *,
        rate: float = 0.0,
    ) -> None:
        self.machine = machine or Machine()
        self._generation = generation
        self._program = Program(self.machine, generation)
        kinds = {Generation.POOL: PoolCalls, Generation.TUNNEL_TYPE: TunnelTypeCalls}
        self._calls = (kinds[generation](self._program), SessionCalls(self._program, rate))
        self._rows = {row.name: row for row in prototypes_of(generation)}
        self._functions = bind(
            self._rows.values(), self._python_function, self.last_error, failed=driver_error
        )
        self._wait_results: deque[int] = deque()

    # The interface of a library.

    @property
    def path(self) -> str | None:
        """Return None: there is no file."""
        return None

    @property
    def generation(self) -> Generation:
        """The generation it emulates."""
        return self._generation

    def unavailable_reason(self) -> Unavailable | None:
        """Return None: it works everywhere."""
        return None

    def elevated(self) -> bool:
        """Return True: nothing needs a right."""
        return True

    def endangered(self) -> list[str]:
        """Return []: there is nothing to load."""
        return []

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The bound functions by exported name."""
        return self._functions

    def last_error(self) -> int:
        """Return this thread's error number."""
        return self._program.last_error

    def clear_last_error(self) -> None:
        """Set this thread's error number to 0."""
        self._program.last_error = 0

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Create an event that is not set."""
        self.run_fault("CreateEventW")
        return EventHandle(self.machine.events.create(manual_reset=manual_reset))

    def set_event(self, event: EventHandle) -> None:
        """Set an event."""
        self.run_fault("SetEvent")
        try:
            self.machine.events.set(event.value or 0)
        except KeyError:
            raise self._bad_event("SetEvent", event) from None

    def close_handle(self, event: EventHandle) -> None:
        """Close an event's handle; closing it while a thread waits for it is misuse."""
        self.run_fault("CloseHandle")
        try:
            waited_for = self.machine.events.close(event.value or 0)
        except KeyError:
            raise self._bad_event("CloseHandle", event) from None
        if waited_for:
            self._program.refuse("CloseHandle", "a thread was waiting for the event")

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Block until one is set; return the index of the first such."""
        self.run_fault("WaitForMultipleObjects")
        if self._wait_results:
            return self._wait_results.popleft()
        try:
            return self.machine.events.wait([event.value or 0 for event in events])
        except WaitBroken:
            self._program.last_error = ERROR_INVALID_HANDLE
            raise driver_error("WaitForMultipleObjects", ERROR_INVALID_HANDLE) from None
        except KeyError:
            raise self._bad_event("WaitForMultipleObjects", *events) from None

    # The controls for tests. An adapter is given by its alias or GUID.

    @property
    def misuse(self) -> list[str]:
        """What would have gone wrong in wintun.dll; empty for a correct program."""
        return self._program.misuse

    def fail_next(self, function: str, code: int, times: int = 1) -> None:
        """Fail the next calls of a function with this last error; 0 for a failure without one.

        The functions are the exports, and of Windows CreateEventW, SetEvent, CloseHandle,
        WaitForMultipleObjects and GetIfEntry2 (counters); as with `delay_next` and `hold_next`.

        Raises:
            ValueError: The function of this generation cannot fail.
        """
        if function not in WINDOWS_FUNCTIONS and self._rows[function].restype is None:
            raise ValueError(f"{function} returns nothing, so it cannot fail.")
        for _ in range(times):
            self._program.faults.fail(function, code)

    def delay_next(self, function: str, seconds: float) -> None:
        """Make the next call of a function take that long, without the GIL or the lock."""
        self._program.faults.delay(function, seconds)

    def hold_next(self, function: str, then: int | None = None) -> Event:
        """Make the next call of a function wait until the returned event is set.

        With `then` it fails after that, with this last error.
        """
        return self._program.faults.hold(function, then)

    def raise_next(self, function: str, error: BaseException) -> None:
        """Raise this in the next call of a function, as a defect below the seam would."""

        def step() -> None:
            raise error

        self._program.faults.add(function, step)

    def answer_next_wait(self, result: int) -> None:
        """Let the next WaitForMultipleObjects return this at once."""
        self._wait_results.append(result)

    def break_wait(self, adapter: str | UUID) -> None:
        """Make the wait for an adapter's packets fail now (6), and every later one."""
        with self.machine.lock:
            for session in self._program.sessions.values():
                if session.device is self.machine.device(adapter):
                    self.machine.events.break_waits(session.read_wait_event)

    def log(self, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Log a line now, in this thread, as the library's own threads do."""
        self._program.log(level, message)

    def log_next(self, function: str, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Log a line during the next call of a function."""
        self._program.faults.add(function, lambda: self._program.log(level, message, function))

    def corrupt_ring(self, adapter: str | UUID) -> None:
        """Make the ring from host to application inconsistent (13)."""
        with self.machine.lock:
            link = self._link(adapter)
            link.received.corrupt()
            link.wake()

    def hold_consumer(self, adapter: str | UUID) -> None:
        """Stop the host from taking packets, so that the ring to it fills (111)."""
        with self.machine.lock:
            self._link(adapter).hold(held=True)

    def release_consumer(self, adapter: str | UUID) -> None:
        """Let the host take packets again; it catches up at once."""
        with self.machine.lock:
            self._link(adapter).hold(held=False)

    def exit_process(self) -> None:
        """End the program: the system closes all its handles."""
        self._program.exit()

    def open_handles(self) -> tuple[int, int]:
        """Return how many adapter and session handles the program holds."""
        return len(self._program.adapters), len(self._program.sessions)

    def run_fault(self, function: str) -> None:
        """Execute the planned step for the next call of a Windows function.

        Raises:
            DriverError: The step is a failure.
        """
        if self._program.faults.armed:
            try:
                self._program.faults.run(function)
            except CallFailed as failed:
                if failed.code:
                    self._program.last_error = failed.code
                raise driver_error(function, self._program.last_error) from None

    def _link(self, adapter: str | UUID) -> Link:
        link = self.machine.device(adapter).link
        if link is None:
            raise ValueError(f"{adapter} has no session.")
        return link

    def _python_function(self, row: Prototype) -> Callable[..., Any]:
        for calls in self._calls:
            function = getattr(calls, row.name, None)
            if function is not None:
                return self._program.guard(row.name, function, void=row.restype is None)
        raise NotImplementedError(row.name)

    def _bad_event(self, function: str, *events: EventHandle) -> Exception:
        handles = ", ".join(f"{event.value or 0:#x}" for event in events)
        self._program.refuse(function, f"{handles}: no event has this handle, or it was closed")
        return driver_error(function, ERROR_INVALID_HANDLE)
