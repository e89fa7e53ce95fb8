"""Emulate a Wintun library with Python functions, bound by the real prototypes.

Calls pass through ctypes both ways: arguments are marshalled, pointers are real addresses, and the
same checks raise. The controls (`controls`) act below this interface.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wintun_api.drivers.base import Unavailable
from wintun_api.drivers.emulated.adapter_calls import PoolCalls, TunnelTypeCalls
from wintun_api.drivers.emulated.controls import Controls
from wintun_api.drivers.emulated.events import WaitBroken
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.emulated.program import Program
from wintun_api.drivers.emulated.session_calls import SessionCalls
from wintun_api.drivers.windows.binding import bind
from wintun_api.drivers.windows.foreign import EventHandle, Prototype
from wintun_api.drivers.windows.win32 import ERROR_INVALID_HANDLE
from wintun_api.drivers.wintun.abi import Generation, prototypes_of
from wintun_api.drivers.wintun.meanings import driver_error


class EmulatedLibrary(Controls):
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
        program = Program(self.machine, generation)
        super().__init__(program, {row.name: row for row in prototypes_of(generation)})
        kinds = {Generation.POOL: PoolCalls, Generation.TUNNEL_TYPE: TunnelTypeCalls}
        self._sessions = SessionCalls(program, rate)
        self._calls = (kinds[generation](program), self._sessions)
        self._functions = bind(
            self._rows.values(), self._python_function, self.last_error, failed=driver_error
        )

    def expect_answers(self) -> None:
        """Let the traffic of sessions that start from now on be with peers that answer.

        The program that has the session answers as they do (`peers`). Without answers the host
        repeats what it asks, and gives up.
        """
        self._sessions.answered = True

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

    @property
    def packet_addresses(self) -> None:
        """Return None: the functions are Python functions, which C code must not call."""
        return None

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
        if self.wait_results:
            return self.wait_results.popleft()
        try:
            return self.machine.events.wait([event.value or 0 for event in events])
        except WaitBroken:
            self._program.last_error = ERROR_INVALID_HANDLE
            raise driver_error("WaitForMultipleObjects", ERROR_INVALID_HANDLE) from None
        except KeyError:
            raise self._bad_event("WaitForMultipleObjects", *events) from None

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
