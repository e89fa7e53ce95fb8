"""A disk that hangs."""

from __future__ import annotations

import threading
from pathlib import Path

from wintun_api.api.data_directory import write_private


class Disk:
    """A disk that takes an index, or keeps the writer waiting until it is let go."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.asked = threading.Event()

    def write(self, path: Path, text: str) -> None:
        """Write it, once the disk is free."""
        self.asked.set()
        assert self.free.wait(60)
        write_private(path, text)

    def stick(self) -> None:
        """Let the next writing wait."""
        self.asked.clear()
        self.free.clear()
