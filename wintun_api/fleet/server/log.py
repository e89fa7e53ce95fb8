"""The lines of nats-server that concern its user: warnings and errors, at a bounded rate."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from contextlib import suppress
from typing import Final

logger = logging.getLogger(__name__)

READY: Final = "Server is ready"
LIMIT: Final = 20  # lines in a period; each message of a client can cause one
PERIOD: Final = 10.0  # seconds
MAX_LINE: Final = 500  # characters of a line that is passed on
READ_AT_ONCE: Final = 64 * 1024  # bytes, and at most so many of a line
PATIENCE: Final = 1.0  # seconds after the server's end

_LINE: Final = re.compile(r"\[\d+\] (?:\S+ \S+ )?\[(?P<level>[A-Z]{3})\] (?P<said>.*)")
_LEVELS: Final = {"WRN": logging.WARNING, "ERR": logging.WARNING, "FTL": logging.ERROR}


class ServerLog:
    """Read what a server writes until its end, and pass on what matters. Event loop only.

    Attributes:
        ready: Set once the server has said that it takes connections.
        last: The last error, which says why it has ended; empty if there was none.
    """

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self.ready = asyncio.Event()
        self.last = ""
        self._passed: deque[float] = deque()
        self._left_out = 0
        self._reading = asyncio.ensure_future(self._read(stream))

    async def ended(self) -> None:
        """Wait until everything is read that the server has written, for a limited time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.wait([self._reading])
        self._reading.cancel()
        self._tell_left_out()

    async def _read(self, stream: asyncio.StreamReader) -> None:
        begun = b""
        while chunk := await stream.read(READ_AT_ONCE):
            *lines, begun = (begun + chunk).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace"))
            begun = begun[:READ_AT_ONCE]
        if begun:
            self._take(begun.decode("utf-8", "replace"))

    def _take(self, line: str) -> None:
        found = _LINE.match(line)
        # What is not a line of its log is about what has ended it, such as a wrong configuration.
        level, said = (found["level"], found["said"]) if found else ("FTL", line.strip())
        if level == "INF" and said.startswith(READY):
            self.ready.set()
        if level not in _LEVELS or not said:
            return
        said = said[:MAX_LINE]
        if level != "WRN":
            self.last = said
        if self._may_pass():
            logger.log(_LEVELS[level], "nats-server: %s", said)
        else:
            self._left_out += 1

    def _may_pass(self) -> bool:
        now = time.monotonic()
        while self._passed and now - self._passed[0] >= PERIOD:
            self._passed.popleft()
        if len(self._passed) >= LIMIT:
            return False
        self._tell_left_out()
        self._passed.append(now)
        return True

    def _tell_left_out(self) -> None:
        if self._left_out:
            logger.warning("nats-server: %d more lines are left out.", self._left_out)
            self._left_out = 0
