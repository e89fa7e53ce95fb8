"""The capture that a replay reads: a file, or what another program writes."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wintun_api.cli.output import fail

CHUNK: Final = 65536


class CaptureFile:
    """Hold one opened capture.

    Attributes:
        size: Bytes, of a file; None of a pipe, a terminal or a device, which may have no end.
    """

    def __init__(self, opened: io.BufferedReader) -> None:
        self._opened = opened
        status = os.fstat(opened.fileno())
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None

    def chunks(self) -> Iterator[bytes]:
        """Yield what is there from here on; of a pipe, as soon as something has come."""
        while chunk := self._opened.read1(CHUNK):
            yield chunk

    def rewind(self) -> None:
        """Go back to the beginning. Files only."""
        self._opened.seek(0)


@contextmanager
def opened(path: Path) -> Iterator[CaptureFile]:
    """Open a file; `-` is standard input.

    Raises:
        OSError: It cannot be opened.
    """
    if str(path) != "-":
        with path.open("rb") as file:
            yield CaptureFile(file)
        return
    if sys.stdin is None:
        fail("Standard input is closed.", "Name the file: --pcap FILE")
    if sys.stdin.isatty():
        fail(
            "Standard input is a terminal, and a capture cannot be typed.",
            "Pipe a file into it: cat FILE | wintun-api inject SESSION --pcap -",
        )
    assert isinstance(sys.stdin.buffer, io.BufferedReader)
    yield CaptureFile(sys.stdin.buffer)
