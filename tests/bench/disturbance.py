"""Other programs of the machine: how much they had of it, and measuring again where it was much."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection
from typing import TypeVar

from tests.bench.bench import Bench
from tests.bench.machine import busy_seconds, cpu_seconds
from tests.posix import cpu_of_children

T = TypeVar("T")

# A measurement is repeated where others had that share of the machine.
DISTURBED, TRIES = 0.1, 3


def undisturbed(
    bench: Bench,
    pids: Collection[int],
    measure: Callable[[], T],
    is_sound: Callable[[T], bool] = lambda measured: False,
) -> tuple[T, float]:
    """Measure, again where other programs had much of the machine.

    Args:
        bench: Says how often.
        pids: The processes of the contender. Load and client count as its own, if they have ended.
        measure: What is measured.
        is_sound: Whether a measurement counts in spite of them.

    Returns:
        The try that counts or was disturbed least, and the share that others had meanwhile.
    """
    tries = []
    for _ in range(1 if bench.short else TRIES):
        ours, busy, start = _used(pids), busy_seconds(), time.monotonic()
        measured = measure()
        cores = (time.monotonic() - start) * (os.cpu_count() or 1)
        others = max(0.0, busy_seconds() - busy - (_used(pids) - ours)) / cores
        if others <= DISTURBED or is_sound(measured):
            return measured, others
        tries.append((measured, others))
        bench.say(f"other programs had {others * 100:.0f} % of the machine")
    return min(tries, key=lambda one: one[1])


def _used(pids: Collection[int]) -> float:
    return sum(map(cpu_seconds, pids)) + cpu_of_children()
