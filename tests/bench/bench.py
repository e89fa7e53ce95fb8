"""What every part is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from tests.bench.contenders import Field, Peer, Services
from tests.bench.programs import Programs
from tests.posix import processors


@dataclass(slots=True)
class Bench:
    """The programs, how long and how often to measure, and who else takes part.

    Attributes:
        programs: The C programs.
        services: Starts the service.
        rounds: Turns of every contender.
        seconds: Of one measurement.
        warm: Seconds of warming up before it.
        idle: Seconds without a packet after which a client has got all there is.
        short: Take only the smallest form of every part.
        pin: Give the contender one core and everything else the others.
        memory_seconds: Of the flood during which memory is watched.
        peers: External contenders.
    """

    programs: Programs
    services: Services
    rounds: int
    seconds: float
    warm: float
    idle: float
    short: bool
    pin: bool
    memory_seconds: float
    peers: list[Peer] = field(default_factory=list)
    _started: float = field(default_factory=monotonic)

    def say(self, line: str) -> None:
        """Report progress."""
        print(f"[{monotonic() - self._started:6.1f} s] {line}", file=sys.stderr, flush=True)

    @property
    def load_seconds(self) -> float:
        """How long a load lasts that a measurement lies within."""
        return self.warm + self.seconds + 0.1

    @property
    def prefix(self) -> list[str]:
        """What starts a contender."""
        return pinned(contender=True) if self.pin else []

    @contextmanager
    def field(self, queue_length: int = 1000) -> Iterator[Field]:
        """Make the field of a part's contenders, and stop them at the end.

        Devices have that queue length, or the service's where that was started before.
        """
        made = Field(self.programs, self.services, self.prefix, queue_length)
        try:
            yield made
        finally:
            made.stop()


def pinned(*, contender: bool) -> list[str]:
    """Return the command that keeps a program on the contender's core, or on the others."""
    cores = sorted(processors())
    chosen = cores[-1:] if contender else cores[:-1] or cores
    return ["taskset", "-c", ",".join(map(str, chosen))]
