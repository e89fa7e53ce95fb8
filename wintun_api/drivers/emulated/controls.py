"""The controls of an emulated library: planned failures, and what a machine does by itself.

They act below the library's functions, so a program meets them as it meets the faults of the real
DLL. An adapter is given by its alias or GUID.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from uuid import UUID

from wintun_api.drivers.base import LogLevel
from wintun_api.drivers.emulated.faults import Gate
from wintun_api.drivers.emulated.link import Link
from wintun_api.drivers.emulated.program import Program
from wintun_api.drivers.windows.events import EVENT_PROTOTYPES
from wintun_api.drivers.windows.foreign import Prototype

WINDOWS_FUNCTIONS = {*(row.name for row in EVENT_PROTOTYPES), "GetIfEntry2"}


class Controls:
    """Control what happens to the program that has loaded the library.

    Args:
        program: The program.
        rows: The prototypes of the library's functions, by name.

    Attributes:
        wait_results: What the next waits return at once.
    """

    def __init__(self, program: Program, rows: Mapping[str, Prototype]) -> None:
        self._program = program
        self._rows = rows
        self.wait_results: deque[int] = deque()

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

    def hold_next(self, function: str, then: int | None = None) -> Gate:
        """Make the next call of a function wait until the returned gate is set.

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
        self.wait_results.append(result)

    def break_wait(self, adapter: str | UUID) -> None:
        """Make the wait for an adapter's packets fail now (6), and every later one."""
        with self._program.machine.lock:
            for session in self._program.sessions.values():
                if session.device is self._program.machine.device(adapter):
                    self._program.machine.events.break_waits(session.read_wait_event)

    def log(self, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Log a line now, in this thread, as the library's own threads do."""
        self._program.log(level, message)

    def log_next(self, function: str, message: str, level: LogLevel = LogLevel.INFO) -> None:
        """Log a line during the next call of a function."""
        self._program.faults.add(function, lambda: self._program.log(level, message, function))

    def corrupt_ring(self, adapter: str | UUID) -> None:
        """Make the ring from host to application inconsistent (13)."""
        with self._program.machine.lock:
            link = self._link(adapter)
            link.received.corrupt()
            link.wake()

    def hold_consumer(self, adapter: str | UUID) -> None:
        """Stop the host from taking packets, so that the ring to it fills (111)."""
        with self._program.machine.lock:
            self._link(adapter).hold(held=True)

    def release_consumer(self, adapter: str | UUID) -> None:
        """Let the host take packets again; it catches up at once."""
        with self._program.machine.lock:
            self._link(adapter).hold(held=False)

    def exit_process(self) -> None:
        """End the program: the system closes all its handles."""
        self._program.exit()

    def open_handles(self) -> tuple[int, int]:
        """Return how many adapter and session handles the program holds."""
        return len(self._program.adapters), len(self._program.sessions)

    def _link(self, adapter: str | UUID) -> Link:
        link = self._program.machine.device(adapter).link
        if link is None:
            raise ValueError(f"{adapter} has no session.")
        return link
