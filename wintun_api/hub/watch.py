"""Watch a session's descriptor with the event loop; no thread is then needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Watch:
    """Drain a session whenever its descriptor is readable. Event loop thread only.

    A watched descriptor is level-triggered: packets that a drain leaves are drained next time.
    """

    def __init__(
        self, fileno: int, drain: Callable[[], object], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._fileno = fileno
        self._drain = drain
        self._loop = loop
        self._running = False
        self._paused = False

    @property
    def active(self) -> bool:
        """Whether it drains: it was started and is not paused or halted."""
        return self._running and not self._paused

    def start(self) -> None:
        """Begin to watch."""
        self._running = True
        self._loop.add_reader(self._fileno, self._drain)  # -> Pump._drain

    def pause(self) -> None:
        """Leave new packets in the kernel's queue. Idempotent."""
        if self._running and not self._paused:
            self._paused = True
            self._loop.remove_reader(self._fileno)

    def resume(self) -> None:
        """Watch again. Idempotent."""
        if self._running and self._paused:
            self._paused = False
            self._loop.add_reader(self._fileno, self._drain)

    def halt(self) -> None:
        """Stop watching. Idempotent."""
        if self._running:
            self._running = False
            if not self._paused:
                self._loop.remove_reader(self._fileno)

    stop = halt
