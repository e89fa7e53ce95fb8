"""hub.impairment.waiting: packets leave in the order of their times, and are counted until then."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.networks import numbered
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.waiting import Turn, Waiting, Waits

# A packet that waits for so long, or None to let time pass and take what is due.
ACTIONS = st.lists(st.integers(0, 20) | st.none(), max_size=200)


@given(ACTIONS, st.integers(0, 5))
def test_packets_leave_in_the_order_of_their_times(actions: list[int | None], pace: int) -> None:
    """As from a list that is sorted by time, then by number; and the counts are those of it."""
    accounts, held = Accounts(), Count()
    waiting = Waiting(accounts)
    model: list[tuple[int, int]] = []
    now = 0
    for number, action in enumerate(actions):
        if action is None:
            now += pace
            due = sorted(one for one in model if one[0] <= now)
            model = [one for one in model if one[0] > now]
            assert waiting.take(now) == [numbered(one, 10) for _, one in due]
        else:
            model.append((now + action, number))
            waiting.push(now + action, numbered(number, 10), held if action else None)
        assert waiting.next_due == (min(model)[0] if model else None)
        assert waiting.packets == accounts.delayed.packets == len(model)
        assert waiting.bytes == accounts.delayed.bytes == 10 * len(model)
        assert held.bytes == 10 * held.packets
        assert held.packets <= len(model)
    assert waiting.take_all() == [numbered(one, 10) for _, one in sorted(model)]
    assert waiting.next_due is None
    assert accounts.delayed == Count()
    assert held == Count()


def test_a_clock_that_stands_still_keeps_the_order() -> None:
    """Packets of one moment leave in the order in which they came."""
    waiting = Waiting(Accounts())
    for number in range(1000):
        waiting.push(5, numbered(number), None)
    assert waiting.take(5) == [numbered(number) for number in range(1000)]


def test_a_packet_that_is_due_does_not_overtake_an_earlier_one() -> None:
    """A packet that leaves at once leaves after those whose time has come."""
    waiting = Waiting(Accounts())
    waiting.push(30, b"late", None)
    waiting.push(10, b"delayed", None)
    waiting.push(20, b"at once", None)
    assert waiting.take(20) == [b"delayed", b"at once"]
    assert waiting.take(29) == []
    assert waiting.take(30) == [b"late"]


def test_what_waits_for_weeks_can_be_taken() -> None:
    """`take_all` returns packets of a rate so small that their time will never come."""
    waiting = Waiting(Accounts())
    waiting.push(1 << 90, b"last", None)
    waiting.push(1 << 80, b"first", None)
    assert waiting.take_all() == [b"first", b"last"]


def test_hurried_packets_keep_their_order_and_leave_before_later_ones() -> None:
    """What was due first leaves first, in parts of a size, and what is pushed now comes last."""
    accounts = Accounts()
    waiting = Waiting(accounts)
    for due in (30, 10, 20, 10):
        waiting.push(due * 1000, bytes([due]), None)
    waiting.hurry(5)
    assert waiting.next_due == 5
    waiting.push(5, b"last", None)
    assert waiting.take(5, 3) == [bytes([10]), bytes([10]), bytes([20])]
    assert accounts.delayed.packets == 2
    assert waiting.take(5) == [bytes([30]), b"last"]
    assert waiting.next_due is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc"))),
    st.lists(st.integers(0, 20), min_size=200, max_size=200),
)
def test_only_those_that_wait_for_a_rate_of_a_lane_get_new_times(
    packets: list[tuple[int, str]], times: list[int]
) -> None:
    """They are told in the order of their times; all others stay, and all are still counted."""
    accounts, lanes = Accounts(), {name: Count() for name in "abc"}
    waiting = Waiting(accounts)
    model: list[tuple[int, int, str]] = []
    for number, (due, name) in enumerate(packets):
        turn = None if name == "b" else (due, number, 0)
        waiting.push(due, numbered(number, 10), lanes[name], turn)
        model.append((due, number, name))
    told: list[Waits] = []

    def retimed(waits: Sequence[Waits]) -> list[tuple[int, Turn]]:
        told.extend(waits)
        return [(time, turn) for time, (_, _, turn) in zip(times, waits, strict=False)]

    waiting.retime(lanes["a"], retimed)
    mine = sorted(one for one in model if one[2] == "a")
    assert told == [(due, 10, (due, number, 0)) for due, number, _ in mine]
    model = [one for one in model if one[2] != "a"]
    model += [(time, number, name) for time, (_, number, name) in zip(times, mine, strict=False)]
    assert waiting.next_due == (min(model)[0] if model else None)
    waiting.push(7, b"new", None)
    expected = sorted([*model, (7, len(packets), "new")])
    assert waiting.take_all() == [
        b"new" if name == "new" else numbered(number, 10) for _, number, name in expected
    ]
    assert accounts.delayed == Count()
    assert set(map(repr, lanes.values())) == {repr(Count())}
