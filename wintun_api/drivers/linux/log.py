"""The lines a driver's log shows: what this driver did to the kernel, and what it saw."""

from __future__ import annotations

import time

from wintun_api.drivers.base import Logger, LogLevel, LogLine


class DriverLog:
    """Passes lines to the logger that is set, on the thread that causes them.

    Attributes:
        logger: Who gets the lines; None for nobody.
    """

    def __init__(self) -> None:
        self.logger: Logger | None = None

    def info(self, message: str) -> None:
        """Say what was done."""
        self._add(LogLevel.INFO, message)

    def warn(self, message: str) -> None:
        """Say what was lost or refused."""
        self._add(LogLevel.WARN, message)

    def _add(self, level: LogLevel, message: str) -> None:
        logger = self.logger
        if logger is not None:
            logger(LogLine(level, time.time_ns(), message))
