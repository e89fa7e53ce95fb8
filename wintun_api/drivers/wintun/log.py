"""Receive the library's log: the callback, the recent lines, those of a failed call."""

from __future__ import annotations

import itertools
import time
from collections import deque
from typing import Any

from wintun_api.drivers.base import Logger, LogLevel, LogLine
from wintun_api.drivers.windows.foreign import WideString
from wintun_api.drivers.wintun.abi import Generation, PoolLoggerCallback, TunnelTypeLoggerCallback

RECENT_LINES = 200
FILETIME_OF_1970 = 116_444_736_000_000_000  # FILETIME counts 100 ns since 1601

# The library's threads may log after SetLogger(NULL) has returned, so callbacks are never freed.
_callbacks: list[Any] = []


def unix_ns(filetime: int) -> int:
    """Return a FILETIME as nanoseconds since 1970."""
    return (filetime - FILETIME_OF_1970) * 100


class Log:
    """Receive the library's lines on any thread, keep the recent ones and pass them on.

    Attributes:
        callback: The callback for this generation's WintunSetLogger.
        logger: The function that gets the lines; None drops them.
    """

    def __init__(self, generation: Generation) -> None:
        self.logger: Logger | None = None
        self._lines: deque[tuple[int, LogLine]] = deque(maxlen=RECENT_LINES)
        self._numbers = itertools.count()
        if generation is Generation.POOL:
            self.callback = PoolLoggerCallback(self._on_pool_line)
        else:
            self.callback = TunnelTypeLoggerCallback(self._on_tunnel_type_line)
        _callbacks.append(self.callback)

    def mark(self) -> int:
        """Return a mark for `since`."""
        return next(self._numbers)

    def since(self, mark: int) -> tuple[str, ...]:
        """Return the messages of the lines after the mark, oldest first."""
        return tuple(line.message for number, line in list(self._lines) if number > mark)

    def _on_pool_line(self, level: int, message: WideString) -> None:
        self._add(level, time.time_ns(), message.text)

    def _on_tunnel_type_line(self, level: int, filetime: int, message: WideString) -> None:
        self._add(level, unix_ns(filetime), message.text)

    def _add(self, level: int, time_ns: int, message: str) -> None:
        known = level if level in LogLevel.__members__.values() else LogLevel.ERR
        line = LogLine(LogLevel(known), time_ns, message.rstrip("\r\n"))
        self._lines.append((next(self._numbers), line))
        logger = self.logger
        if logger is not None:
            logger(line)
