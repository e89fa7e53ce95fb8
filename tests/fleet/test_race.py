"""The first of several things."""

from __future__ import annotations

import asyncio

import pytest

from tests.client.streams import run
from wintun_api.fleet.race import cause_of, first_of


def test_the_others_are_ended() -> None:
    """When one has happened, nothing waits for the others any more."""

    async def work() -> None:
        never = asyncio.ensure_future(asyncio.Event().wait())
        assert await first_of(never, asyncio.sleep(0)) == 1
        assert never.cancelled()

    run(work())


def test_its_error_is_raised() -> None:
    """What the first one raises is not lost."""

    async def fail() -> None:
        raise KeyError("x")

    async def work() -> None:
        with pytest.raises(KeyError):
            await first_of(asyncio.Event().wait(), fail())

    run(work())


def test_the_cause_is_found_in_groups() -> None:
    """The innermost first exception of nested groups is the one that has made the others."""
    first = KeyError("x")
    inner = ExceptionGroup("inner", [first, ValueError()])
    assert cause_of(ExceptionGroup("outer", [inner, OSError()])) is first
