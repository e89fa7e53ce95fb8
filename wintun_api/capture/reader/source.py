"""The bytes of a capture that have come, and the place up to which they were read."""

from __future__ import annotations

from collections.abc import Iterator


class Source:
    """Collect chunks until there are as many bytes as a reader needs.

    No more is kept than one chunk and what the reader asks for.

    Attributes:
        data: The bytes that have come and that are kept.
        at: The index in `data` of the next byte to read; the reader moves it.
        chunks: What has not come yet.
        cut: Whether the bytes ended in the middle of what was asked for.
    """

    __slots__ = ("_before", "at", "chunks", "cut", "data")

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.data = b""
        self.at = 0
        self.cut = False
        self.chunks = chunks
        self._before = 0  # bytes of the capture before `data`

    @property
    def offset(self) -> int:
        """Return how many bytes of the capture lie before the next one."""
        return self._before + self.at

    def has(self, count: int) -> bool:
        """Return whether so many bytes follow at `at`; waits for chunks until that is known.

        An EOFError of the chunks means that they were cut.
        """
        missing = self._collect(count)
        if missing > 0:
            self.cut = self.cut or bool(self.data)
        return missing <= 0

    def sample(self, count: int) -> bytes:
        """Return up to so many of the bytes that follow; waits for chunks until there are."""
        self._collect(count)
        return self.data[self.at : self.at + count]

    def _collect(self, count: int) -> int:
        """Wait for chunks until so many bytes follow, and return how many are missing."""
        missing = count - len(self.data) + self.at
        if missing <= 0:
            return 0
        parts = [self.data[self.at :]]
        try:
            while missing > 0 and (chunk := next(self.chunks, None)) is not None:
                parts.append(chunk)
                missing -= len(chunk)
        except EOFError:
            self.cut = True
        finally:
            self._before += self.at
            self.at = 0
            self.data = b"".join(parts)
        return missing
