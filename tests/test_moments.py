"""moments: how a request names a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.errors import InvalidArgument
from wintun_api.moments import NEVER, NS_PER_SECOND, moment, span

NOW = 1_790_000_000 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-30s", 30),
        ("-5m", 300),
        ("-1.5h", 5400),
        ("-2d", 172_800),
        ("-250ms", 0.25),
        ("-0s", 0),
    ],
)
def test_a_time_before_now(text: str, seconds: float) -> None:
    """A minus sign, a number and a unit are a time before now."""
    assert moment(text, "since", NOW) == NOW - int(seconds * NS_PER_SECOND)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:01z", NS_PER_SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00.000000001-05:00", 1),
        ("1970-01-01T00:00:00.5Z", NS_PER_SECOND // 2),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
    ],
)
def test_a_time_with_its_zone(text: str, expected: int) -> None:
    """RFC 3339, with up to nine digits of a second."""
    assert moment(text, "since", NOW) == expected


@given(
    st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    st.integers(0, NS_PER_SECOND - 1),
)
def test_every_nanosecond_is_read_exactly(time: datetime, nanoseconds: int) -> None:
    """No time is rounded."""
    whole = time.replace(microsecond=0, tzinfo=UTC)
    text = f"{whole:%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"
    assert moment(text, "since", NOW) == int(whole.timestamp()) * NS_PER_SECOND + nanoseconds


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "30s",
            "-s",
            "-30",
            "-30 s",
            "-30S",
            "-1e9s",
            "--3s",
            "-\u0661s",
            "now",
            "1790000000",
        ),
        *("2026-11-29", "2026-11-29T10:15:00", "2026-11-29T10:15Z", "2026-13-29T10:15:00Z"),
        *("2026-11-29T10:15:60Z", "2026-11-29T10:15:00.Z", "2026-11-29 10:15:00Z", "x" * 64),
        "2026-11-29T10:15:00+99:00",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    """Everything else is refused, and the error names the parameter and what it has."""
    with pytest.raises(InvalidArgument, match="until") as caught:
        moment(text, "until", NOW)
    assert text in str(caught.value)


def test_a_plus_that_was_not_encoded() -> None:
    """A plus sign in a URL is a space, and the error says how to write it."""
    with pytest.raises(InvalidArgument, match="%2B"):
        moment("2026-11-29T10:15:00 01:00", "since", NOW)


def test_a_span() -> None:
    """It has no beginning and no end, unless the request says otherwise."""
    assert span(None, None, NOW) == (0, NEVER)
    assert span("-30s", None, NOW) == (NOW - 30 * NS_PER_SECOND, NEVER)
    assert span("-30s", "-10s", NOW) == (NOW - 30 * NS_PER_SECOND, NOW - 10 * NS_PER_SECOND)


def test_a_span_that_ends_before_it_begins() -> None:
    """It is refused, for its file would always be empty."""
    with pytest.raises(InvalidArgument, match="until: -30s is before since, which is -10s"):
        span("-10s", "-30s", NOW)
