"""Loads that last as long as something else is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.bench.bench import Bench
from tests.bench.contenders import Contender
from tests.bench.inject import NOWHERE

LONGEST = 60  # seconds more than a measurement, after which a load ends by itself

Load = Callable[[Bench, Contender, int], AbstractContextManager[None]]


@contextmanager
def idle(bench: Bench, contender: Contender, size: int) -> Iterator[None]:
    """Let nothing stream."""
    del bench, contender, size
    yield


@contextmanager
def receiving(bench: Bench, contender: Contender, size: int) -> Iterator[None]:
    """Flood at full speed, with a client that counts."""
    start = bench.programs.start
    whole = bench.warm + bench.seconds + LONGEST
    client = start("drain", *contender.client, 0, whole, 0.1, 1, 0, contender.path, ready="open")
    flood = start("flood", size, whole, 0, contender.far_address, ready="sending")
    try:
        yield
        flood.stop()
        client.stop()
    finally:
        flood.end()
        client.end()


@contextmanager
def injecting(bench: Bench, contender: Contender, size: int) -> Iterator[None]:
    """Inject as fast as the contender takes it."""
    client = bench.programs.start(
        "inject", *contender.client, contender.path, size, contender.far_address, NOWHERE,
        ready="sending",
    )  # fmt: skip
    try:
        yield
        client.stop()
    finally:
        client.end()


LOADS: dict[str, Load] = {"idle": idle, "receive": receiving, "inject": injecting}
