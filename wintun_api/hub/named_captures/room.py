"""Count the bytes that all captures take on the disk, within one limit."""

from __future__ import annotations


class Room:
    """Share a number of bytes among captures. Event loop thread only.

    Bytes count from when they are given to a writer, so that the limit is never exceeded.

    Attributes:
        limit: The bytes that all captures may take.
        used: The bytes that they take.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0

    @property
    def free(self) -> int:
        """The bytes that are left, which are less than none if the limit was lowered."""
        return self.limit - self.used

    def take(self, size: int) -> None:
        """Count bytes that are about to be written."""
        self.used += size

    def give(self, size: int) -> None:
        """Count bytes that were deleted, or could not be written."""
        self.used -= size
