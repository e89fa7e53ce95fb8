"""Lengths of time as people write and read them."""

from __future__ import annotations

import pytest

from wintun_api.cli.durations import rough, seconds_of, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (61, "1 minute 1 second"), (3 * 86400 + 7200, "3 days 2 hours")],
)
def test_spans(seconds: float, words: str) -> None:
    """A length of time has its two largest units."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "a moment"), (90, "2 minutes"), (3 * 86400 + 7200, "3 days"), (100_000, "28 hours")],
)
def test_rough_spans(seconds: float, words: str) -> None:
    """A rough length of time has one unit, of which there are two or more."""
    assert rough(seconds) == words


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), (" 1.5 h ", 5400), ("7d", 604_800), ("2w", 1_209_600), ("3600", 3600)],
)
def test_lengths_are_read(text: str, seconds: float) -> None:
    """A length of time has a number and perhaps a unit."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0h", "-1", "1y", "h", "1h30m", "1e3"])
def test_what_is_no_length(text: str) -> None:
    """Anything else is refused."""
    assert seconds_of(text) is None
