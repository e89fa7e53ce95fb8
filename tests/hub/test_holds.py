"""hub.holds: which adapters clients hold, against a model that remembers everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from wintun_api.choices import Ends, EventType
from wintun_api.hub.holds import RETRIES, RETURN, Hold, Holds, HoldView

LAB = uuid4()
START_NS = 1_700_000_000_000_000_000


@dataclass
class FakeTimer:
    """A timer of the fake clock."""

    at: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Stop it."""
        self.cancelled = True


@dataclass
class FakeClock:
    """A clock that a test moves on."""

    now: float = 0.0
    timers: list[FakeTimer] = field(default_factory=list)

    def time_ns(self) -> int:
        """Return the time in nanoseconds."""
        return START_NS + round(self.now * 1e9)

    def call_later(self, seconds: float, call: Callable[[], None]) -> FakeTimer:
        """Start a timer."""
        self.timers.append(timer := FakeTimer(self.now + seconds, call))
        return timer

    def pass_by(self, seconds: float) -> None:
        """Let time pass, and call what is due in its order."""
        end = self.now + seconds
        while due := [one for one in self.timers if not one.cancelled and one.at <= end]:
            timer = min(due, key=lambda one: one.at)
            self.timers.remove(timer)
            self.now = timer.at
            timer.call()
        self.now = end


class Bench:
    """Holds on a fake clock, with what they reported."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.expired: list[Hold] = []
        self.told: list[tuple[EventType, HoldView]] = []
        self.holds = Holds(
            self.clock, self.expired.append, lambda kind, view: self.told.append((kind, view))
        )

    def join(self, ends: Ends = Ends.SESSION, grace: float = 5.0, *, started: bool = True) -> Hold:
        """Let a client hold the adapter."""
        return self.holds.join(LAB, ends, grace, "s1", started=started)

    @property
    def kinds(self) -> list[str]:
        """The types of the events so far."""
        return [str(kind) for kind, _ in self.told]


def test_what_a_holder_started_ends_after_the_grace_period() -> None:
    """It does not end before, and the event says when it will."""
    bench = Bench()
    hold = bench.join(grace=5.0)
    bench.holds.leave(hold)
    bench.clock.pass_by(4.999)
    assert bench.expired == []
    assert bench.told == [
        (
            EventType.SESSION_ABANDONED,
            HoldView(
                session="s1",
                adapter=LAB,
                holders=0,
                ends=Ends.SESSION,
                ends_at_ns=START_NS + 5_000_000_000,
            ),
        )
    ]
    bench.clock.pass_by(0.001)
    assert bench.expired == [hold]
    assert hold.expired
    assert hold.reason == "Its last client left and none came back within 5 s."


def test_without_a_grace_period_it_ends_at_once() -> None:
    """The reason does not speak of a time then."""
    bench = Bench()
    bench.holds.leave(hold := bench.join(grace=0))
    bench.clock.pass_by(0)
    assert bench.expired == [hold]
    assert hold.reason == "Its last client left."


def test_one_of_two_holders_leaves() -> None:
    """Nothing ends while another one is there."""
    bench = Bench()
    first = bench.join()
    bench.join(started=False)
    bench.holds.leave(first)
    bench.clock.pass_by(1000)
    assert (bench.expired, bench.kinds) == ([], [])
    assert first.view().holders == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_strongest_wish_counts(order: tuple[int, int]) -> None:
    """It counts whichever holder leaves first, and so does the longest grace period."""
    bench = Bench()
    holds = [
        bench.join(Ends.ADAPTER, grace=1),
        bench.join(Ends.SESSION, grace=7, started=False),
    ]
    for number in order:
        bench.holds.leave(holds[number])
    assert bench.told[-1][1].ends is Ends.ADAPTER
    bench.clock.pass_by(6.9)
    assert bench.expired == []
    bench.clock.pass_by(0.1)
    assert bench.expired == [holds[0]]


def test_a_holder_that_comes_back() -> None:
    """The grace period ends, the event tells, and the next one is a whole one."""
    bench = Bench()
    bench.holds.leave(bench.join())
    bench.clock.pass_by(4.9)
    again = bench.join(started=False)
    bench.clock.pass_by(100)
    assert bench.kinds == ["session.abandoned", "session.rejoined"]
    assert bench.expired == []
    assert again.ends is Ends.SESSION  # a holder started it, if not this one
    bench.holds.leave(again)
    bench.clock.pass_by(4.9)
    assert bench.expired == []
    bench.clock.pass_by(0.1)
    assert bench.expired == [again]


def test_opening_the_adapter_begins_a_grace_period_anew() -> None:
    """A program that starts again opens its adapter, then connects; while it is held, nothing."""
    bench = Bench()
    hold = bench.join(Ends.ADAPTER)
    bench.holds.renew(hold)
    assert bench.told == []
    bench.holds.leave(hold)
    bench.clock.pass_by(4)
    bench.holds.renew(hold)
    bench.clock.pass_by(4)
    assert bench.expired == []
    bench.clock.pass_by(1)
    assert bench.expired == [hold]
    bench.holds.renew(hold)  # while the deletion waits for its turn
    assert not hold.expired
    assert [view.ends_at_ns for _, view in bench.told] == [
        START_NS + seconds * 1_000_000_000 for seconds in (5, 9, 14)
    ]


def test_a_session_of_others_does_not_end() -> None:
    """A holder with ends=session that joined it holds nothing: nothing is told or ends."""
    bench = Bench()
    hold = bench.join(started=False)
    assert hold.ends is Ends.NOTHING
    bench.holds.leave(hold)
    bench.clock.pass_by(100)
    assert (bench.expired, bench.told, len(bench.holds)) == ([], [], 0)


def test_a_session_of_others_ends_with_its_adapter() -> None:
    """With ends=adapter it does not matter who started the session."""
    bench = Bench()
    bench.holds.leave(hold := bench.join(Ends.ADAPTER, started=False))
    bench.clock.pass_by(5)
    assert bench.expired == [hold]


@pytest.mark.parametrize("when", ["held", "abandoned"])
def test_a_session_that_ends_by_itself(when: str) -> None:
    """With ends=session nothing is left to end, before or during the grace period."""
    bench = Bench()
    hold = bench.join()
    if when == "held":
        bench.holds.session_over(hold, "s1")
        bench.holds.leave(hold)
    else:
        bench.holds.leave(hold)
        bench.holds.session_over(hold, "s1")
    bench.clock.pass_by(100)
    assert (bench.expired, len(bench.holds)) == ([], 0)
    assert hold.over


@pytest.mark.parametrize("when", ["held", "abandoned"])
def test_an_adapter_whose_session_ends_by_itself(when: str) -> None:
    """It is still deleted when no holder comes back."""
    bench = Bench()
    hold = bench.join(Ends.ADAPTER)
    if when == "held":
        bench.holds.session_over(hold, "s1")
        bench.holds.leave(hold)
    else:
        bench.holds.leave(hold)
        bench.holds.session_over(hold, "s1")
    bench.clock.pass_by(5)
    assert bench.expired == [hold]


def test_another_session_is_the_one_that_ends() -> None:
    """The end of the former session does not concern the hold any more."""
    bench = Bench()
    hold = bench.join(Ends.SESSION)
    bench.holds.session_over(hold, "s1")
    again = bench.holds.join(LAB, Ends.SESSION, 5, "s2", started=True)
    assert again is hold
    bench.holds.session_over(hold, "s1")
    assert (hold.ends, hold.session) == (Ends.SESSION, "s2")


def test_what_cannot_be_ended_is_tried_again_for_a_while() -> None:
    """After the last time it stays, and is no longer held."""
    bench = Bench()
    bench.holds.leave(hold := bench.join(Ends.ADAPTER, grace=0))
    bench.clock.pass_by(0)
    for number, pause in enumerate(RETRIES):
        assert len(bench.expired) == number + 1
        bench.holds.failed(hold)
        bench.clock.pass_by(pause - 0.01)
        assert len(bench.expired) == number + 1
        bench.clock.pass_by(0.01)
    bench.holds.failed(hold)
    bench.clock.pass_by(1000)
    assert len(bench.expired) == len(RETRIES) + 1
    assert hold.over
    assert len(bench.holds) == 0


def test_a_holder_that_comes_back_between_two_attempts() -> None:
    """Nothing is tried again, and the number of attempts begins anew."""
    bench = Bench()
    bench.holds.leave(hold := bench.join(Ends.ADAPTER, grace=0))
    bench.clock.pass_by(0)
    bench.holds.failed(hold)
    assert bench.join(Ends.SESSION, started=False) is hold
    bench.clock.pass_by(1000)
    assert len(bench.expired) == 1
    assert (hold.attempts, hold.ends) == (0, Ends.ADAPTER)


def test_after_a_restart_there_is_one_grace_period() -> None:
    """It has at least five seconds, and a holder that was quicker is left alone."""
    bench = Bench()
    other = uuid4()
    bench.join()
    bench.holds.restore(LAB, 0)
    bench.holds.restore(other, 0)
    assert [view.adapter for _, view in bench.told] == [other]
    bench.clock.pass_by(RETURN - 0.01)
    assert bench.expired == []
    bench.clock.pass_by(0.01)
    assert [hold.adapter for hold in bench.expired] == [other]


def test_nothing_ends_when_the_service_stops() -> None:
    """Grace periods end in vain, and sockets that close begin none."""
    bench = Bench()
    first = bench.holds.join(uuid4(), Ends.ADAPTER, 1, "s0", started=True)
    second = bench.join(Ends.ADAPTER, grace=1)
    bench.holds.leave(first)
    bench.holds.stop()
    bench.holds.leave(second)
    bench.holds.restore(uuid4(), 0)
    bench.clock.pass_by(1000)
    assert bench.expired == []
    assert bench.kinds == ["session.abandoned"]


class Machine(RuleBasedStateMachine):
    """Clients that come and go, sessions that end, and time; beside it what must be so."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.clients: list[Hold] = []
        self.asked: set[Ends] = set()
        self.graces: list[float] = []
        self.session, self.running, self.started = 0, False, False
        self.left_at: float | None = None

    @property
    def strongest(self) -> Ends:
        """What must end."""
        if Ends.ADAPTER in self.asked:
            return Ends.ADAPTER
        if Ends.SESSION in self.asked and self.running and self.started:
            return Ends.SESSION
        return Ends.NOTHING

    def _forget(self) -> None:
        self.asked, self.graces, self.left_at = set(), [], None

    @rule(ends=st.sampled_from([Ends.SESSION, Ends.ADAPTER]), grace=st.sampled_from([0, 1, 5, 60]))
    def join(self, ends: Ends, grace: float) -> None:
        """Let a client come, which starts a session if none runs."""
        starts = not self.running
        if starts:
            self.session, self.running, self.started = self.session + 1, True, True
        hold = self.bench.holds.join(LAB, ends, grace, f"s{self.session}", started=starts)
        self.clients.append(hold)
        self.asked.add(ends)
        self.graces.append(grace)
        self.left_at = None

    @precondition(lambda self: not self.running)
    @rule()
    def others_start(self) -> None:
        """Let another request start a session."""
        self.session, self.running, self.started = self.session + 1, True, False
        hold = self.bench.holds.find(LAB)
        if hold is not None:
            self.bench.holds.carry(hold, f"s{self.session}")

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Let a client go."""
        number = data.draw(st.integers(0, len(self.clients) - 1))
        self.bench.holds.leave(self.clients.pop(number))
        if not self.clients:
            if self.strongest is Ends.NOTHING:
                self._forget()
            else:
                self.left_at = self.bench.clock.now

    @precondition(lambda self: self.running)
    @rule()
    def session_ends(self) -> None:
        """Let the session end by itself."""
        self.running = False
        hold = self.bench.holds.find(LAB)
        if hold is not None:
            self.bench.holds.session_over(hold, f"s{self.session}")
        if not self.clients and Ends.ADAPTER not in self.asked:
            self._forget()

    @rule(seconds=st.sampled_from([0, 0.5, 1, 4, 5, 59, 61]))
    def time_passes(self, seconds: float) -> None:
        """Let time pass; what has expired ends."""
        before = len(self.bench.expired)
        self.bench.clock.pass_by(seconds)
        due = self.left_at is not None and self.left_at + max(self.graces) <= self.bench.clock.now
        assert len(self.bench.expired) - before == due
        if due:
            hold = self.bench.expired[-1]
            assert hold.ends is self.strongest
            self.bench.holds.drop(hold)
            if self.strongest is not Ends.NOTHING:
                self.running = False
            self._forget()

    @invariant()
    def the_hold_is_what_the_model_says(self) -> None:
        """Count, wish and grace period are those of all that held since the hold began."""
        hold = self.bench.holds.find(LAB)
        if hold is None:
            assert not self.clients
            assert not self.asked
            return
        assert hold.holders == len(self.clients)
        assert hold.ends is self.strongest
        assert hold.grace == max(self.graces)
        assert (hold.ends_at_ns is not None) == (self.left_at is not None)


Machine.TestCase.settings = settings(max_examples=200, stateful_step_count=30)
TestHolds = Machine.TestCase


def test_views_are_of_one_adapter() -> None:
    """Two adapters are held independently."""
    bench, other = Bench(), UUID(int=1)
    bench.holds.join(other, Ends.ADAPTER, 1, "x", started=True)
    bench.holds.leave(bench.join())
    bench.clock.pass_by(5)
    assert [hold.adapter for hold in bench.expired] == [LAB]
    assert {hold.adapter for hold in bench.holds} == {LAB, other}
