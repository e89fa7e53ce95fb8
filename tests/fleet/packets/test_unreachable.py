"""fleet.unreachable: what a host is told about a destination that nobody has."""

from __future__ import annotations

import pytest

from wintun_api.fleet.packets.unreachable import BURST, RATE, Unreachable
from wintun_api.packet import build

V4 = ("10.9.0.1", "10.9.0.77")
V6 = ("fd09::1", "fd09::77")
FAMILIES = pytest.mark.parametrize("addresses", [V4, V6], ids=["v4", "v6"])


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@FAMILIES
def test_answer(addresses: tuple[str, str]) -> None:
    """The answer is `host_unreachable` of the packet."""
    packet = build.udp(*addresses, 1, 2, b"data")
    assert Unreachable(Clock()).answers([packet]) == [build.host_unreachable(packet)]


def test_rate() -> None:
    """There are so many at once and so many in a second; the others are counted."""
    clock = Clock()
    unreachable = Unreachable(clock)
    flood = [build.udp(*V4, 1, 2, b"data")] * 100
    assert len(unreachable.answers(flood)) == BURST
    assert (unreachable.answered, unreachable.silent) == (BURST, 100 - BURST)
    assert not unreachable.answers(flood)
    clock.now += 0.5
    assert len(unreachable.answers(flood)) == RATE / 2
    clock.now += 3600
    assert len(unreachable.answers(flood)) == BURST


@FAMILIES
def test_silence_costs_no_answer(addresses: tuple[str, str]) -> None:
    """There is no answer about an error, and none is used up by it."""
    error = build.host_unreachable(build.udp(*addresses, 1, 2, b"data"))
    assert error is not None
    unreachable = Unreachable(Clock())
    assert not unreachable.answers([error] * 100)
    assert (unreachable.answered, unreachable.silent) == (0, 0)
    assert unreachable.answers([build.udp(*addresses, 1, 2, b"data")])


def test_an_answer_that_the_adapter_does_not_take_is_silence() -> None:
    """It was not given to the host, so it does not count as given."""
    unreachable = Unreachable(Clock())
    unreachable.lost(len(unreachable.answers([build.udp(*V4, 1, 2, b"data")])))
    assert (unreachable.answered, unreachable.silent) == (0, 1)
