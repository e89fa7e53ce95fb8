"""client.moments: how the times of a program are told to the service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from wintun_api.client.moments import moment_of
from wintun_api.moments import moment

NOW_NS = 1_700_000_000_000_000_000
THEN = datetime.fromtimestamp(1_699_999_970.25, UTC)


@pytest.mark.parametrize(
    "value",
    [
        "-29.75s",
        timedelta(seconds=29.75),
        THEN,
        THEN.astimezone(timezone(timedelta(hours=-5, minutes=-30))),
    ],
    ids=["text", "how long before now", "time", "time elsewhere"],
)
def test_one_moment_in_several_forms(value: Any) -> None:
    """The service understands each of them as the same moment."""
    text = moment_of(value, "since")
    assert text is not None
    assert moment(text, "since", NOW_NS) == NOW_NS - 29_750_000_000


def test_no_moment() -> None:
    """None stays what it is: the service is not told any."""
    assert moment_of(None, "since") is None


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        (datetime(2026, 11, 29, 10, 15), ValueError, "since needs a zone"),  # noqa: DTZ001
        (timedelta(seconds=-1), ValueError, "cannot be negative"),
        (30, TypeError, "not int"),
    ],
)
def test_what_is_no_moment(value: Any, error: type[Exception], says: str) -> None:
    """The error names the argument, or says what is expected."""
    with pytest.raises(error, match=says):
        moment_of(value, "since")
