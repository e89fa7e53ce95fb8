"""Write the driver's log: what this driver did in the kernel, and what it noticed."""

from __future__ import annotations

import time

from wintun_api.drivers.base import Logger, LogLevel, LogLine


class DriverLog:
    """Pass lines to the logger, on the thread that causes them.

    Attributes:
        logger: The function that gets the lines; None drops them.
    """

    def __init__(self) -> None:
        self.logger: Logger | None = None

    def info(self, message: str) -> None:
        """Log what was done."""
        self._add(LogLevel.INFO, message)

    def warn(self, message: str) -> None:
        """Log what was lost or refused."""
        self._add(LogLevel.WARN, message)

    def _add(self, level: LogLevel, message: str) -> None:
        logger = self.logger
        if logger is not None:
            logger(LogLine(level, time.time_ns(), message))
