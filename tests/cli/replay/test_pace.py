"""When packets of a replay are due, without a clock."""

from __future__ import annotations

import pytest

from wintun_api.cli.replay.pace import BitRate, CapturedTimes, PacketRate, gap_of, rate_of

SECOND = 10**9
TIME = 1_764_043_200 * SECOND


def dues(pace: CapturedTimes, *seconds: float) -> list[float]:
    return [pace.due(TIME + int(one * SECOND), 100) / SECOND for one in seconds]


def test_captured_times_at_twice_the_speed() -> None:
    """The times between packets are halved."""
    assert dues(CapturedTimes(2.0), 0, 1, 5) == [0, 0.5, 2.5]


def test_a_packet_out_of_order() -> None:
    """It is due at once, and the packets after it keep their times."""
    assert dues(CapturedTimes(), 0, 1, 0.5, 2) == [0, 1, 1, 2]


def test_a_clock_that_was_set_back() -> None:
    """The times go on from the new one."""
    assert dues(CapturedTimes(), 0, 1, -3600, -3599) == [0, 1, 1, 2]


def test_a_packet_without_a_time() -> None:
    """It follows the last one at once and changes nothing for the others."""
    pace = CapturedTimes()
    assert [pace.due(time, 1) for time in (0, TIME, 0, TIME + 7)] == [0, 0, 0, 7]


def test_a_long_gap() -> None:
    """A gap is shortened to the longest that is allowed; shorter ones are kept."""
    assert dues(CapturedTimes(max_gap=5 * SECOND), 0, 3600, 3601) == [0, 5, 6]


def test_rates_do_not_drift() -> None:
    """After a million packets the moment is exact."""
    packets, bits = PacketRate(3.0), BitRate(8)
    for _ in range(1_000_000):
        packets.due(0, 1)
        bits.due(0, 1)
    assert packets.due(0, 1) == 333_333_333_333_333
    assert bits.due(0, 1) == 1_000_000 * SECOND


@pytest.mark.parametrize("text", ["nan", "-1", "0", "fast", "10 apples"])
def test_what_is_not_a_rate(text: str) -> None:
    """A sentence says what a rate looks like."""
    with pytest.raises(ValueError, match=r"rate .*\.$"):
        rate_of(text)


def test_units() -> None:
    """Packets and bits are told apart by the unit."""
    assert rate_of("2kpps") == PacketRate(2000.0)
    assert rate_of("10mbit") == BitRate(10_000_000)
    assert gap_of("500ms") == SECOND // 2
