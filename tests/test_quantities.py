"""Quantities with units mean what tc(8) means by them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api import quantities


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100ms", 100),
        ("100", 100),
        (100, 100),
        ("1.5s", 1500),
        ("2 secs", 2000),
        ("250us", 0.25),
        ("3µs", 0.003),
        ("1e-3s", 1),
        (".5MS", 0.5),
        ("500000ns", 0.5),
    ],
)
def test_times(text: str | float, number: float) -> None:
    """A number without a unit is in milliseconds."""
    assert quantities.milliseconds(text) == number


@pytest.mark.parametrize(
    ("text", "number"), [(30, 30), ("30s", 30), ("2m", 120), ("1h", 3600), ("500ms", 0.5),
     ("1:30", 90), ("0:05.5", 5.5), ("1:00:00", 3600), ("90:00", 5400)],
)  # fmt: skip
def test_moments(text: str | float, number: float) -> None:
    """A number without a unit is in seconds in a scenario."""
    assert quantities.seconds(text) == number


@pytest.mark.parametrize("percent", range(101))
def test_percentages(percent: int) -> None:
    """A percentage is the number that people would write for it."""
    assert quantities.probability(f"{percent}%") == float(f"{percent / 100:.2f}")
    assert quantities.probability(f"{percent / 1000}") == percent / 1000


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10mbit", 10_000_000),
        ("1.5Gbit", 1_500_000_000),
        ("500 kbit", 500_000),
        ("9600", 9600),
        ("9600bit", 9600),
        ("1kibit", 1024),
        ("1mibit", 1 << 20),
        ("1000bps", 8000),
        ("1mbps", 8_000_000),
        ("1kibps", 8192),
        ("1tbit", 10**12),
    ],
)
def test_rates(text: str, number: int) -> None:
    """`k` is 1000 in a rate, and `bps` is bytes per second."""
    assert quantities.bits_per_second(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1500", 1500),
        ("1500b", 1500),
        ("16kb", 16384),
        ("16k", 16384),
        ("1mb", 1 << 20),
        ("1 MiB", 1 << 20),
        ("1g", 1 << 30),
        ("8kbit", 1024),
    ],
)
def test_sizes(text: str, number: int) -> None:
    """`k` is 1024 in a size."""
    assert quantities.whole_bytes(text) == number


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (quantities.milliseconds, "fast", "'fast' is not a time such as 100ms"),
        (quantities.milliseconds, "10 parsec", "is not a time"),
        (quantities.milliseconds, "nan", "is not a time"),
        (quantities.milliseconds, "inf", "is not a time"),
        (quantities.milliseconds, "", "is not a time"),
        (quantities.milliseconds, "1e999", "too large"),
        (quantities.milliseconds, None, "is not a time"),
        (quantities.milliseconds, True, "is not a time"),
        (quantities.milliseconds, [], "is not a time"),
        (quantities.milliseconds, "1:30", "is not a time such as 100ms"),
        (quantities.seconds, "1:60", "is not a time such as 30s, 2m or 1:30"),
        (quantities.probability, "2", r"write 2% for 2 in a hundred"),
        (quantities.probability, "200%", "200% is not from 0 to 1 or from 0% to 100%$"),
        (quantities.probability, "-1%", "is not from 0 to 1"),
        (quantities.probability, "few", "is not a probability such as 2% or 0.02"),
        (quantities.bits_per_second, "10mb", "is not a rate such as 10mbit"),
        (quantities.whole_bytes, "16kB/s", "is not a size"),
        (quantities.whole, "1.5", "1.5 is not a whole number"),
        (quantities.whole, "many", "'many' is not a whole number"),
    ],
)
def test_what_is_not_a_quantity(read: Callable[[object], object], text: object, said: str) -> None:
    """The error says what is wrong and shows what is right."""
    with pytest.raises(ValueError, match=said):
        read(text)


@given(st.integers(0, 10**9))
def test_sizes_are_read_as_they_are_written(size: int) -> None:
    """Every size is exact when it is written and read again."""
    assert quantities.whole_bytes(quantities.size_text(size)) == size


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (quantities.time_text(60), "60ms"),
        (quantities.time_text(1500), "1.5s"),
        (quantities.time_text(0.25), "250us"),
        (quantities.time_text(0), "0ms"),
        (quantities.probability_text(0.02), "2%"),
        (quantities.probability_text(0.001), "0.1%"),
        (quantities.rate_text(10_000_000), "10mbit"),
        (quantities.rate_text(1500), "1.5kbit"),
        (quantities.rate_text(100), "100bit"),
        (quantities.size_text(16384), "16kb"),
        (quantities.size_text(1500), "1500b"),
    ],
)
def test_writing(text: str, written: str) -> None:
    """Quantities are written in the largest unit."""
    assert text == written
