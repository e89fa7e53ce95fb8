"""Every order of the steps of several threads, one after the other.

The code under test runs unchanged in real threads. Whatever two threads share is a step: it stops
there until the explorer lets it go on, so that only one thread runs at a time. The explorer tries
every choice at every step. Where it meets a state that it has seen before, it does not go on: what
follows was tried. It still counts the ways that lead through it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Protocol

Options = Callable[[], Sequence[Hashable]]
Choice = tuple[str, Hashable]
GO: Sequence[Hashable] = ("",)


class Abandoned(BaseException):
    """The run is over; threads leave their steps by it."""


class Scenario(Protocol):
    """One arrangement of threads, made anew for every run."""

    def begin(self, world: World) -> None:
        """Start the threads."""

    def state(self) -> Hashable:
        """Everything that decides what follows, but where the threads are."""

    def final(self, waiting: dict[str, str]) -> None:
        """Check what must be so when no thread can go on; `waiting` says where each one is."""


class Actor:
    """A thread that stops at every step."""

    def __init__(self, world: World, name: str, target: Callable[[], None]) -> None:
        self.name = name
        self.label = "begin"
        self.place: Hashable = ()
        self.options: Options = lambda: GO
        self.done = False
        self.error: BaseException | None = None
        self.go = threading.Semaphore(0)
        self.choice: Hashable = ""
        self._world = world
        self._target = target
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the real thread, which waits to be let go."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the real thread."""
        self._thread.join()

    def _run(self) -> None:
        self._world.local.actor = self
        try:
            self.go.acquire()
            if not self._world.over:
                self._target()
        except Abandoned:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.done = True
            self._world.stopped.release()


class World:
    """The threads of one run."""

    def __init__(self) -> None:
        self.actors: list[Actor] = []
        self.over = False
        self.local = threading.local()
        self.stopped = threading.Semaphore(0)

    def actor(self, name: str, target: Callable[[], None]) -> Actor:
        """Add a thread; it begins when the explorer lets it."""
        actor = Actor(self, name, target)
        self.actors.append(actor)
        actor.start()
        return actor

    @property
    def current(self) -> str | None:
        """The name of the thread that asks, None outside of the run."""
        actor = getattr(self.local, "actor", None)
        return actor.name if actor is not None else None

    def step(self, label: str, options: Options = lambda: GO) -> Hashable:
        """Stop until let go on with one of the options; none of them means blocked."""
        actor: Actor | None = getattr(self.local, "actor", None)
        if actor is None:
            return ""
        if self.over:
            raise Abandoned
        actor.label, actor.options, actor.place = label, options, _place()
        self.stopped.release()
        actor.go.acquire()
        if self.over:
            raise Abandoned
        return actor.choice

    def choices(self) -> list[Choice]:
        """Return who can go on, and how."""
        return [
            (actor.name, option)
            for actor in self.actors
            if not actor.done
            for option in actor.options()
        ]

    def take(self, choice: Choice) -> None:
        """Let one thread go to its next step."""
        actor = next(one for one in self.actors if one.name == choice[0])
        actor.choice = choice[1]
        actor.go.release()
        self.stopped.acquire()
        if actor.error is not None:
            raise actor.error

    def key(self, scenario: Scenario) -> Hashable:
        """Return the state: where every thread is, and what the scenario says."""
        places = tuple((one.name, one.done, one.label, one.place) for one in self.actors)
        return places, scenario.state()

    def end(self) -> None:
        """Let every thread leave."""
        self.over = True
        for actor in self.actors:
            actor.go.release()
        for actor in self.actors:
            actor.join()


def _place() -> Hashable:
    """Return the lines and the simple locals of the code under test, innermost first."""
    frame: FrameType | None = sys._getframe(2)
    found: list[Hashable] = []
    while frame is not None:
        if frame.f_code.co_filename not in (__file__, threading.__file__):
            simple = tuple(
                (name, value if value is None or isinstance(value, bool | int) else type(value))
                for name, value in frame.f_locals.items()
                if name != "self"
            )
            found.append((frame.f_code.co_name, frame.f_lineno, simple))
        frame = frame.f_back
    return tuple(found)


@dataclass
class Found:
    """What an exploration has walked through."""

    runs: int = 0
    edges: dict[Hashable, dict[Choice, Hashable]] = field(default_factory=dict)
    first: Hashable = None

    @property
    def states(self) -> int:
        """How many different states there are."""
        return len(self.edges)

    def interleavings(self) -> int:
        """Return how many ways lead from the begin to an end."""
        ways: dict[Hashable, int] = {}
        walk = [self.first]
        on_way: set[Hashable] = set()
        while walk:
            key = walk[-1]
            if key in ways:
                walk.pop()
                continue
            after = list(self.edges[key].values())
            missing = [one for one in after if one not in ways]
            if missing:
                on_way.add(key)
                assert not on_way.intersection(missing), "Threads can go round in a circle."
                walk.append(missing[0])
                continue
            ways[key] = sum(ways[one] for one in after) if after else 1
            on_way.discard(key)
            walk.pop()
        return ways[self.first]


def explore(make: Callable[[World], Scenario], *, merge: bool = True) -> Found:
    """Walk through every order; what a scenario finds wrong is raised, with the steps to it.

    Args:
        make: Makes the scenario of a run.
        merge: Go no further where a state was seen before.
    """
    found = Found()
    pending: list[list[Choice]] = [[]]
    while pending:
        prefix = pending.pop()
        world = World()
        scenario = make(world)
        taken: list[Choice] = []
        trace: list[str] = []
        found.runs += 1
        try:
            scenario.begin(world)
            before: Hashable = None
            key = world.key(scenario)
            if found.first is None:
                found.first = key
            while True:
                if len(taken) >= len(prefix):
                    if before is not None:
                        found.edges[before][taken[-1]] = key
                    if key in found.edges and merge:
                        break
                    choices = world.choices()
                    found.edges.setdefault(key, {})
                    if not choices:
                        scenario.final(
                            {one.name: one.label for one in world.actors if not one.done}
                        )
                        break
                    pending += [[*taken, other] for other in choices[1:]]
                    choice = choices[0]
                else:
                    choice = prefix[len(taken)]
                taken.append(choice)
                actor = next(one for one in world.actors if one.name == choice[0])
                trace.append(f"{choice[0]}: {actor.label} {choice[1]}".rstrip())
                before = key
                world.take(choice)
                key = world.key(scenario)
        except Exception as error:
            error.add_note("\n".join(trace))
            raise
        finally:
            world.end()
    return found


class Semaphore:
    """A semaphore whose calls are steps."""

    def __init__(self, world: World, value: int) -> None:
        self._world = world
        self.value = value

    def acquire(self) -> bool:
        """Block until there is one, and take it."""
        self._world.step("acquire", lambda: GO if self.value else ())
        self.value -= 1
        return True

    def release(self) -> None:
        """Add one."""
        self._world.step("release")
        self.value += 1


class Event:
    """An event whose calls are steps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.value = False

    def set(self) -> None:
        """Set it."""
        self._world.step("set")
        self.value = True

    def clear(self) -> None:
        """Clear it."""
        self._world.step("clear")
        self.value = False

    def wait(self) -> bool:
        """Block until it is set."""
        self._world.step("wait for the event", lambda: GO if self.value else ())
        return True


class Lock:
    """A lock whose calls are steps."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.value = False

    def __enter__(self) -> None:
        self._world.step("lock", lambda: () if self.value else GO)
        self.value = True

    def __exit__(self, *_: object) -> None:
        self.value = False  # not a step of its own: what follows is, if it is shared


class Threads:
    """What the code under test takes for the module `threading`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.made: list[Semaphore | Event | Lock] = []

    def Semaphore(self, value: int) -> Semaphore:  # noqa: N802
        """Make a semaphore."""
        self.made.append(made := Semaphore(self._world, value))
        return made

    def Event(self) -> Event:  # noqa: N802
        """Make an event."""
        self.made.append(made := Event(self._world))
        return made

    def Lock(self) -> Lock:  # noqa: N802
        """Make a lock."""
        self.made.append(made := Lock(self._world))
        return made

    def Thread(self, target: Callable[[], None], **_: Any) -> Any:  # noqa: N802
        """Make a thread that becomes an actor when it is started."""
        world = self._world

        class Thread:
            def start(self) -> None:
                world.actor("waiter", target)

        return Thread()
