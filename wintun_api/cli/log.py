"""Log lines to standard error, which may be closed or full, or may not be read at all.

A line must never hold up the service, end it, or become a traceback: a thread of its own writes it,
what cannot be written is counted, and the next line that is written says how many are missing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, TextIO

import typer

FORMAT = "%(levelname)s %(name)s: %(message)s"
MAX_LINES = 1000  # that wait to be written
PATIENCE = 1.0  # seconds that the end of the process waits for them


class LogWriter(logging.Handler):
    """Writes log lines to standard error while that accepts them. Any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque()
        self._missing = 0
        self._busy = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line for the writer."""
        try:
            line = self.format(record) + "\n"
        except Exception as error:  # noqa: BLE001 - arguments that do not fit their message
            line = f"ERROR {__name__}: a log line could not be formatted: {error!r}\n"
        with self._changed:
            if len(self._lines) >= MAX_LINES:
                self._missing += 1
                return
            self._lines.append(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write, name="log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Wait until the lines are written, for a limited time."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while (self._lines or self._busy) and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._lines:
                    self._changed.wait()
                line, missing = self._lines.popleft(), self._missing
                self._busy = True
            if missing:
                line = f"WARNING {__name__}: {missing} lines could not be written.\n{line}"
            written = _put(line)
            with self._changed:
                self._missing = self._missing - missing if written else self._missing + 1


class Unfailing:
    """Standard error that drops what cannot be written, as there is nowhere else to report it.

    A full disk must not change what a command does, nor its exit code.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, or drop it."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is still buffered, or drop it."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def configure_logging(level: str) -> None:
    """Write log lines to standard error: our own from `level` on, warnings of other libraries."""
    writer = LogWriter()
    writer.setFormatter(logging.Formatter(FORMAT))
    logging.raiseExceptions = False  # handlers of libraries may meet the same closed descriptors
    logging.basicConfig(handlers=[writer], level=logging.WARNING)
    logging.getLogger("wintun_api").setLevel(level.upper())


def tell(text: str, *, err: bool = True) -> None:
    """Print a line, unless it cannot be written."""
    with suppress(OSError, ValueError):
        typer.echo(text, err=err)


def settle() -> None:
    """Drop what standard output and standard error did not accept.

    Python would try once more when it ends, and exit with code 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)


def _put(line: str) -> bool:
    """Write a line directly, without the buffer of the stream if it has one.

    A thread that waits inside the stream holds its lock, which the end of the process needs.
    """
    stream = sys.stderr
    if stream is None:
        return False
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    try:
        if raw is None:
            stream.write(line)
            stream.flush()
            return True
        data = line.replace("\n", os.linesep).encode("utf-8", "replace")
        while data:
            written = raw.write(data)
            if not written:  # it does not block, and is full
                return False
            data = data[written:]
    except (OSError, ValueError):
        return False
    return True
