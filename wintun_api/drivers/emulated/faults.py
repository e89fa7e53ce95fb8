"""Plan what the library does next in tests: fail, wait, log."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable
from threading import Event


class Gate(Event):
    """Hold a call until it is set.

    Attributes:
        reached: Set once the call waits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reached = Event()


class CallFailed(Exception):
    """Make a function fail with this error number; the sentence is logged."""

    def __init__(self, code: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Faults:
    """Keep planned steps by function, in order.

    Attributes:
        armed: Whether there are any, for a quick check on the packet path.
    """

    def __init__(self) -> None:
        self.armed = False
        self._steps: defaultdict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def add(self, function: str, step: Callable[[], None]) -> None:
        """Execute a step at the function's next call, or after steps planned before."""
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

    def hold(self, function: str, then: int | None = None) -> Gate:
        """Make the next call wait until the returned gate is set, then fail with `then`."""
        gate = Gate()

        def step() -> None:
            gate.reached.set()
            gate.wait()
            if then is not None:
                raise CallFailed(then, "The call was made to fail")

        self.add(function, step)
        return gate

    def run(self, function: str) -> None:
        """Execute the next step of a function, if there is one.

        Raises:
            CallFailed: The step is a failure.
        """
        steps = self._steps.get(function)
        if not steps:
            return
        step = steps.popleft()
        self.armed = any(self._steps.values())
        step()
