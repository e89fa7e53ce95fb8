"""No order of the steps of waiter, loop and stop hangs, loses a wake-up or drains too late.

The handover itself runs, in real threads, one step at a time; only `threading`, the loop and the
session are the model's. A step is everything that both threads can see.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from tests.hub.interleaving import (
    GO,
    Abandoned,
    Found,
    Semaphore,
    Threads,
    World,
    explore,
)
from wintun_api.errors import DriverError
from wintun_api.hub import handover
from wintun_api.hub.handover import Handover

LOOP, WAITER = "loop", "waiter"


@dataclass(frozen=True)
class Plan:
    """What may happen in a scenario, in every order.

    Attributes:
        packets: How many the host sends, each at any time.
        pauses: How often the loop may pause, between drains or within one, and resume.
        stops: The loop stops at some time; else everything is to be drained.
        deaf: The driver's wait ignores the interrupt, until it is let go at some time.
        refuses: The interrupt is refused with an error.
        breaks: The driver's wait fails at some time, with this.
        corrupt: Draining the last packet fails.
    """

    packets: int = 2
    pauses: int = 0
    stops: bool = True
    deaf: bool = False
    refuses: bool = False
    breaks: type[BaseException] | None = None
    corrupt: bool = False


class Model:
    """A session, a loop and a host around one handover."""

    def __init__(self, world: World, plan: Plan, kind: type[Any]) -> None:
        self.world = world
        self.plan = plan
        self.threads = Threads(world)
        vars(handover)["threading"] = self.threads
        # The host and the ring.
        self.coming, self.ring, self.signalled = plan.packets, 0, False
        self.quit = self.inside = self.freed = False
        self.deaf, self.breaks = plan.deaf, plan.breaks
        # The loop.
        self.queue: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.pauses, self.paused = plan.pauses, False
        self.stopped = self.left = self.given_up = False
        self.failures = self.ends = 0
        self.handover = kind(
            self, "wait", drain=self.drain, failed=self.failed, left=self.on_left, loop=self
        )

    def begin(self, world: World) -> None:
        """Let the host and the loop go; the loop starts the waiter."""
        world.actor(LOOP, self.run_loop)
        world.actor("host", self.run_host)

    def run_host(self) -> None:
        """Send packets, let a deaf wait go, break it."""
        while True:
            did = self.world.step("host", self._host_may)
            if did == "send":
                self.coming -= 1
                self.ring += 1
                self.signalled = True
            else:
                self.deaf = False

    def _host_may(self) -> list[Hashable]:
        may: list[Hashable] = ["send"] if self.coming else []
        return [*may, "let go"] if self.deaf else may

    def run_loop(self) -> None:
        """Run what is queued, and at any time between: pause, resume, stop, give up."""
        self.handover.start()
        while True:
            did = self.world.step("loop", self._loop_may)
            if did == "run":
                callback, arguments = self.queue.pop(0)
                callback(*arguments)
            elif did == "pause":
                self.pause()
            elif did == "resume":
                self.paused = False
                self.handover.resume()
            elif did == "stop":
                self.stopped = True
                try:
                    self.handover.stop()
                except DriverError:
                    assert self.plan.refuses
            elif did == "give up":
                self.given_up = True
                if not self.handover.give_up(self.end):
                    self.end()
            else:
                self.given_up = True
                self.end()

    def _loop_may(self) -> list[Hashable]:
        may: list[Hashable] = ["run"] if self.queue else []
        if not self.stopped:
            may += ["pause"] if self.pauses and not self.paused else []
            may += ["resume"] if self.paused else []
            may += ["stop"] if self.plan.stops else []
        elif not self.given_up:
            may += ["end"] if self.left else []
            may += ["give up"] if self.plan.deaf and not self.left else []
        return may

    def pause(self) -> None:
        """Pause once."""
        self.pauses -= 1
        self.paused = True
        self.handover.pause()

    def drain(self) -> bool:
        """Take a packet, as a burst of one; perhaps pause because of it."""
        self.world.step("receive")
        assert not self.stopped, "drained after the stop"
        assert not self.freed, "drained a session that was ended"
        if not self.ring:
            return True
        self.ring -= 1
        if self.plan.corrupt and not self.ring and not self.coming:
            self.handover.halt()
            self.failures += 1
            return True
        if self.pauses and self.world.step("hand over", lambda: ("", "pause")) == "pause":
            self.pause()
        return False

    def failed(self, _error: DriverError) -> None:
        """Count what the loop is told."""
        assert not self.stopped, "told of a failure after the stop"
        self.failures += 1

    def on_left(self) -> None:
        """Remember that the waiter has left."""
        assert not self.left
        self.left = True

    def end(self) -> None:
        """End the session."""
        self.world.step("end")
        assert not self.inside, "ended under a wait"
        self.freed = True
        self.ends += 1

    # The driver's session.

    def wait_readable(self) -> bool:
        """Wait as WaitForMultipleObjects does."""
        self.world.step("enter the wait")
        assert not self.freed, "waits for a session that was ended"
        self.inside = True
        did = self.world.step("wait", self._wait_may)
        self.inside = False
        assert not self.freed
        if did == "break":
            assert self.breaks is not None
            failure, self.breaks = self.breaks, None
            if failure is StopAsyncIteration:  # it ends as if it had been interrupted
                return False
            raise DriverError("wait", 6) if failure is DriverError else failure
        if self.quit:
            return False
        self.signalled = False
        return True

    def _wait_may(self) -> list[Hashable]:
        may: list[Hashable] = ["break"] if self.breaks else []
        awake = self.quit or self.signalled
        return [*may, *GO] if awake and not self.deaf else may

    def interrupt(self) -> None:
        """Set the quit event."""
        self.world.step("interrupt")
        if self.plan.refuses:
            raise DriverError("SetEvent", 6)
        self.quit = True

    # The event loop.

    def call_soon(self, callback: Callable[..., object], /, *arguments: Any) -> None:
        """Queue a callback of the loop's own thread."""
        self.queue.append((callback, arguments))

    def call_soon_threadsafe(self, callback: Callable[..., object], /, *arguments: Any) -> None:
        """Queue a callback of another thread."""
        self.world.step("call soon")
        assert len(self.queue) < 3, "the waiter floods the loop"
        self.queue.append((callback, arguments))

    # The explorer's questions.

    def state(self) -> Hashable:
        """Return everything that decides what follows."""
        own = [
            (name, value)
            for thing in (self, self.handover)
            for name, value in vars(thing).items()
            if value is None or isinstance(value, bool | int | type)
        ]
        queued = [
            (getattr(callback, "__name__", ""), tuple(map(repr, arguments)))
            for callback, arguments in self.queue
        ]
        given_up = getattr(self.handover, "_last", None) is not None
        return (*own, *queued, given_up, *(one.value for one in self.threads.made))

    def final(self, waiting: dict[str, str]) -> None:
        """Check what must be so once nobody can go on."""
        turns = sum(one.value for one in self.threads.made if isinstance(one, Semaphore))
        # One that was passed back at the stop may be left by a waiter that had none to wait for.
        assert turns <= self.stopped, f"{turns} turns are left over"
        if self.stopped and not (self.plan.refuses and waiting.get(WAITER) == "wait"):
            assert WAITER not in waiting, f"the waiter never comes back: {waiting[WAITER]}"
            assert self.ends == 1, f"the session was ended {self.ends} times"
        if not self.stopped:
            broken = self.plan.breaks is not None and self.breaks is None
            assert self.failures == (broken or self.plan.corrupt)
            if self.failures:
                assert WAITER not in waiting or self.plan.corrupt
            else:
                assert self.ring == 0 or self.paused, "a wake-up was lost"
                assert waiting[WAITER] in ("wait", "acquire"), waiting


class Shared(Handover):
    """The handover; what both of its threads use is a step, and is told from what one uses."""

    STEPS: ClassVar = frozenset({"_running", "_inside", "_last"})
    users: ClassVar[dict[str, set[str]]] = {}
    writers: ClassVar[dict[str, set[str]]] = {}

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_") and not name.startswith("__"):
            Shared._note(self, name, Shared.users)
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        Shared._note(self, name, Shared.users)
        Shared._note(self, name, Shared.writers)
        super().__setattr__(name, value)

    @staticmethod
    def _note(one: Shared, name: str, where: dict[str, set[str]]) -> None:
        own = object.__getattribute__(one, "__dict__")
        world = own["_loop"].world if "_loop" in own else None
        if world is None or world.current is None:
            return
        where.setdefault(name, set()).add(world.current)
        if name in Shared.STEPS and world.current == WAITER:
            world.step(name)


class OldHandover:
    """The protocol before: an event that the waiter itself cleared."""

    def __init__(
        self,
        session: Model,
        _name: str,
        *,
        drain: Callable[[], bool],
        failed: Callable[[DriverError], None],
        left: Callable[[], None],
        loop: Model,
    ) -> None:
        self._session, self._drain_once, self._loop, self._left = session, drain, loop, left
        self._failed = failed
        self._running = self._paused = False
        self._drained = loop.threads.Event()

    def start(self) -> None:
        """Start the waiter."""
        self._running = True
        self._loop.threads.Thread(target=self._wait).start()

    def pause(self) -> None:
        """Pause."""
        self._paused = True

    def resume(self) -> None:
        """Resume."""
        self._paused = False
        self._loop.call_soon(self._drain)

    def stop(self) -> None:
        """Stop."""
        self._running = False
        self._session.interrupt()
        self._drained.set()

    def _wait(self) -> None:
        while self._session.wait_readable():
            self._drained.clear()
            self._loop.call_soon_threadsafe(self._drain)
            self._drained.wait()
        self._loop.call_soon_threadsafe(self._left)  # what `join` told

    def _drain(self) -> None:
        if self._rests():
            return
        empty = self._drain_once()
        if self._rests():
            return
        if empty:
            self._drained.set()
        else:
            self._loop.call_soon(self._drain)

    def _rests(self) -> bool:
        return not self._running or self._paused


def explored(plan: Plan, kind: type[Any] = Shared, *, merge: bool = True) -> Found:
    """Walk through every order of a plan."""
    try:
        return explore(lambda world: Model(world, plan, kind), merge=merge)
    finally:
        vars(handover)["threading"] = threading


LONG = {"stop, pause, resume, two packets"}  # a shorter one is in the ordinary suite
PLANS = {
    "stop": Plan(packets=3),
    "stop, pause, resume": Plan(packets=1, pauses=1),
    "stop, pause, resume, two packets": Plan(packets=2, pauses=1),
    "drain": Plan(packets=3, stops=False),
    "drain, pause, resume": Plan(packets=2, pauses=2, stops=False),
    "the wait ignores the interrupt": Plan(packets=1, deaf=True),
    "the interrupt is refused": Plan(packets=1, refuses=True),
    "the wait fails": Plan(packets=1, breaks=DriverError),
    "the wait fails, no stop": Plan(packets=2, breaks=DriverError, stops=False),
    "the wait raises": Plan(packets=1, breaks=SystemExit),
    "the wait ends by itself": Plan(packets=1, breaks=StopAsyncIteration),
    "the ring is corrupt": Plan(packets=2, corrupt=True),
    "the ring is corrupt, no stop": Plan(packets=2, corrupt=True, stops=False),
}


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.heavy) if name in LONG else name for name in PLANS],
)
def test_every_order(name: str) -> None:
    """Whatever comes first: no hang, no lost wake-up, no drain after the stop, one end."""
    found = explored(PLANS[name])
    print(f"{name}: {found.interleavings()} orders, {found.states} states, {found.runs} runs")
    assert found.interleavings() > 10


@pytest.mark.thorough
def test_the_steps_are_all_that_is_shared() -> None:
    """An attribute that one thread writes and another one uses is a step of the exploration."""
    Shared.users.clear()
    Shared.writers.clear()
    explored(Plan(packets=1, pauses=1))
    explored(PLANS["the wait ignores the interrupt"])
    explored(PLANS["the wait fails"])
    shared = {name for name in Shared.writers if len(Shared.users[name]) > 1}
    assert shared <= Shared.STEPS
    assert {"_running", "_inside"} <= shared  # the bookkeeping sees something


def test_merging_leaves_nothing_out() -> None:
    """Every order by itself, one run each: as many as are counted, through the same states."""
    plan = Plan(packets=2, stops=False)
    merged, each = explored(plan), explored(plan, merge=False)
    assert each.runs == merged.interleavings() == each.interleavings()
    assert each.edges == merged.edges


def test_the_old_protocol_fails() -> None:
    """The exploration finds the hang of the protocol before, so it can find one."""
    with pytest.raises(AssertionError, match="never comes back: wait for the event") as failure:
        explored(Plan(packets=1), OldHandover)
    assert "waiter: clear" in failure.value.__notes__[0]


def test_abandoned_runs_leave_no_thread() -> None:
    """An exploration ends every thread that it has made."""
    before = threading.active_count()
    explored(Plan(packets=1))
    assert threading.active_count() == before
    assert issubclass(Abandoned, BaseException)


class Forgetful(Shared):
    """The handover, had it forgotten that it has passed the turn back."""

    def _take_turn(self) -> None:
        had = self._has_turn
        super()._take_turn()
        self._has_turn = had


def test_a_turn_passed_back_twice_is_found() -> None:
    """The exploration sees a turn that is left over, with which the waiter would not sleep."""
    with pytest.raises(AssertionError, match="turns are left over"):
        explored(Plan(packets=2, pauses=1, stops=False), Forgetful)
