"""Live captures that follow one another: which one is passed on, and how they end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import pytest

from wintun_api.capture import pcapng
from wintun_api.extcap.succession import Succession

SECTION = pcapng.section(os="Linux", application="a test")
A, B, C = (pcapng.interface(name, description=name) for name in "ABC")


class Captures:
    """Captures by their filters, which give what a test puts into them."""

    def __init__(self) -> None:
        self.parts: dict[str, Queue[bytes | Exception | None]] = {
            name: Queue() for name in ("old", "new")
        }
        self.closed: Queue[str] = Queue()

    @contextmanager
    def open(self, expression: str) -> Iterator[Iterator[bytes]]:
        """Capture; None ends it, and an exception is raised."""

        def chunks() -> Iterator[bytes]:
            while (part := self.parts[expression].get()) is not None:
                if isinstance(part, Exception):
                    raise part
                yield part

        try:
            yield chunks()
        finally:
            self.closed.put(expression)


def test_the_newest() -> None:
    """From when the new one has begun, the old one is not passed on and ends."""
    captures = Captures()
    both = Succession(captures.open)
    chunks = both.chunks()
    both.follow("old")
    captures.parts["old"].put(SECTION)
    assert next(chunks) == SECTION
    both.follow("new")
    captures.parts["old"].put(A)
    assert next(chunks) == A  # the new one has not begun
    captures.parts["new"].put(B)
    assert next(chunks) == B
    captures.parts["old"].put(A)
    assert captures.closed.get() == "old"
    captures.parts["new"].put(C)
    assert next(chunks) == C
    captures.parts["new"].put(None)
    assert list(chunks) == []


def test_whole_blocks() -> None:
    """Half a block waits for the rest, so that another capture can follow."""
    captures = Captures()
    one = Succession(captures.open)
    one.follow("old")
    for part in (SECTION[:5], SECTION[5:] + A[:9], A[9:], None):
        captures.parts["old"].put(part)
    assert list(one.chunks()) == [SECTION, A]


def test_a_failure() -> None:
    """An error of the newest capture ends all, and that of one that is left does not."""
    captures = Captures()
    both = Succession(captures.open)
    chunks = both.chunks()
    both.follow("old")
    both.follow("new")
    captures.parts["old"].put(OSError("the old one"))
    assert captures.closed.get() == "old"
    captures.parts["new"].put(B)
    assert next(chunks) == B
    captures.parts["new"].put(OSError("the new one"))
    with pytest.raises(OSError, match="the new one"):
        next(chunks)
