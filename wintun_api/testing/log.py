"""What a service has logged, as the report of a failing test shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

SHOWN: Final = 64 * 1024  # bytes at the end of the log that are shown; the rest is counted


class ServiceLog:
    """The log of a service, which is a file that grows. `TunService.log` gives it.

    Attributes:
        path: The file. It is removed with the service.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def position(self) -> int:
        """Return how long the log is at present, in bytes."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def text(self, since: int = 0) -> str:
        """Return what was logged after a position: its last 64 KiB, and how much there was before.

        Args:
            since: A position that `position` has returned.
        """
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, 2)
                begin = max(since, end - SHOWN)
                file.seek(begin)
                text = file.read(SHOWN).decode("utf-8", "replace")
        except OSError as error:
            return f"The log cannot be read: {error.strerror}."
        if begin == since:
            return text
        return f"({begin - since} bytes of the log are left out.)\n{text.partition(chr(10))[2]}"
