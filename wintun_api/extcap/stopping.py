"""Wireshark asks to stop with a signal, which comes at any moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

STOPS: Final = ("SIGINT", "SIGTERM", "SIGBREAK")  # not every system has all of them


class Stopped(BaseException):
    """Wireshark asks to stop."""


class Stopping:
    """What a signal does: it ends what waits, or tells an event loop to end.

    An exception that a handler raises while an event loop runs lands in one of its tasks, which
    may keep it for itself.

    Attributes:
        asked: Whether a signal has come.
    """

    def __init__(self) -> None:
        self.asked = False
        self._tell: Callable[[], object] | None = None

    def listen(self) -> None:
        """Take the signals over."""
        _on_stop(self._come)

    def ignore(self) -> None:
        """Ignore the signals from now on."""
        _on_stop(signal.SIG_IGN)

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self._tell is None:
            raise Stopped
        self._tell()

    @contextmanager
    def told(self, tell: Callable[[], object]) -> Iterator[None]:
        """Call a function when a signal comes, in place of raising; it must not block."""
        self._tell = tell
        try:
            yield
        finally:
            self._tell = None

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Raise again for a while, inside of `told`, because something may block.

        Raises:
            Stopped: A signal has come, or came before.
        """
        tell = self._tell
        try:
            self._tell = None
            if self.asked:
                raise Stopped
            yield
        finally:
            self._tell = tell


def _on_stop(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for name in STOPS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)
