"""What tests make the library do next: fail, wait, log."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from threading import Event


class CallFailed(Exception):
    """A function fails with this error number; the sentence goes to the log."""

    def __init__(self, code: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Faults:
    """Things to come, by function, in the order they were asked for.

    Attributes:
        armed: Whether there are any, so that the packet path can ask quickly.
    """

    def __init__(self) -> None:
        self.armed = False
        self._steps: defaultdict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def add(self, function: str, step: Callable[[], None]) -> None:
        """Do a step at the next call of the function; later ones at the calls after it."""
        self._steps[function].append(step)
        self.armed = True

    def fail(self, function: str, code: int, sentence: str = "The call was made to fail") -> None:
        """Fail the next call with this error number."""

        def step() -> None:
            raise CallFailed(code, sentence)

        self.add(function, step)

    def delay(self, function: str, seconds: float) -> None:
        """Make the next call take that long."""
        self.add(function, lambda: time.sleep(seconds))

    def hold(self, function: str, then: int | None = None) -> Event:
        """Make the next call wait until the returned event is set, and `then` fail so."""
        gate = Event()

        def step() -> None:
            gate.wait()
            if then is not None:
                raise CallFailed(then, "The call was made to fail")

        self.add(function, step)
        return gate

    def run(self, function: str) -> None:
        """Do the next step of a function, if there is one.

        Raises:
            CallFailed: The step is to fail.
        """
        steps = self._steps.get(function)
        if not steps:
            return
        step = steps.popleft()
        self.armed = any(self._steps.values())
        step()
