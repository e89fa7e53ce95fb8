"""Call every function of an extension with what chance gives, and look at what stays in memory.

    python -m tests.speedups.fuzz LIBRARY [--count CALLS] [--seed NUMBER] [--only FUNCTION]

It is for a library that was built with -fsanitize=address,undefined, which ends the process at the
first access beyond an object. What was called last is in the file that --last names: the function
and the seed of its scene, from which `--seed` makes the same call again.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import sys
from array import array
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.speedups.arguments import Scene, arguments, functions, load, parameters, spoilt

# What a wrong argument may raise.
REFUSALS = (TypeError, ValueError, OverflowError, BufferError)
ROUND = 60  # calls whose memory is compared


def call(function: Callable[..., Any], seed: int) -> None:
    """Call a function in the scene of a seed; every other scene is hostile."""
    scene = Scene(Random(seed))
    names = parameters(function)
    given = arguments(scene, names)
    if seed % 2:
        given = spoilt(scene, names, given)
    try:
        function(*given)
    except REFUSALS:
        assert seed % 2, f"{function.__name__} refused good arguments, of the seed {seed}"
    finally:
        scene.close()
    if scene.driver is not None:
        assert scene.driver.held == 0, f"{function.__name__} kept a packet, of the seed {seed}"


def kept(function: Callable[..., Any], seed: int) -> int:
    """Return how many bytes more there are after the same calls once more."""
    allocated = ctypes.CDLL(None).__sanitizer_get_current_allocated_bytes
    allocated.restype = ctypes.c_size_t
    found = array("Q", bytes(32))
    for at in range(4):  # the first ones fill what the interpreter keeps for later
        for one in range(seed, seed + ROUND):
            call(function, one)
        gc.collect()
        found[at] = allocated()
    return min(found[3] - found[2], found[2] - found[1])


def main() -> None:
    """Fuzz all functions, and end with 1 where one keeps memory."""
    parser = argparse.ArgumentParser(prog="python -m tests.speedups.fuzz")
    parser.add_argument("library")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--last", type=Path, default=Path("/dev/null"))
    given = parser.parse_args()
    found = functions(load(given.library))
    leaks = []
    with given.last.open("w") as last:
        for name, function in found.items():
            if given.only not in {None, name}:
                continue
            for seed in range(given.seed, given.seed + given.count):
                last.seek(0)
                last.write(f"{name} --seed {seed}\n")
                last.flush()
                call(function, seed)
            more = kept(function, given.seed)
            print(f"{name}: {given.count} calls, {more} bytes kept by {ROUND}", flush=True)
            if more > 0:
                leaks.append(name)
    if leaks:
        sys.exit(f"Memory is kept by: {', '.join(leaks)}")


if __name__ == "__main__":
    main()
