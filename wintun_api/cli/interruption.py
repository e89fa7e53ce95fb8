"""Ctrl-C and SIGTERM while a command has work that should not be torn."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self, TypeAlias

import typer

from wintun_api.cli.exit_codes import signal_code

_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | signal.Handlers | None


class Interruption:
    """Raise KeyboardInterrupt for both signals, but not in the middle of what is held.

    So the answer of a request is still counted, and what has come is still written. A second signal
    does not wait for it. A KeyboardInterrupt that leaves the context ends the command with the exit
    code of its signal. Outside the main thread, where no handler can be set, the signals do what
    they did before.

    Attributes:
        signal: The signal that came; None before.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._held = False
        self._tell: Callable[[], object] | None = None
        self._before: dict[int, _Handler] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._come)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is KeyboardInterrupt and self.signal is not None:
            raise typer.Exit(signal_code(self.signal)) from None

    def _come(self, number: int, _frame: FrameType | None) -> None:
        again = self.signal is not None
        self.signal = number
        if again or not (self._held or self._tell):
            raise KeyboardInterrupt
        if self._tell is not None:
            self._tell()

    @contextmanager
    def told(self, tell: Callable[[], object]) -> Iterator[None]:
        """Call `tell` when a signal comes in place of raising, so that an event loop ends in order.

        A second signal raises KeyboardInterrupt.
        """
        self._tell = tell
        try:
            yield
        finally:
            self._tell = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold a signal back until what is done here has ended.

        Raises:
            KeyboardInterrupt: At the end: a signal has come.
        """
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self.signal is not None:
            raise KeyboardInterrupt
