"""Everything about Windows in one command: `python -m tests.windows [ARGUMENTS OF PYTEST]`.

Builds the rig where it is not built yet; then runs the suite under the Windows interpreter, and the
tests that drive programs in Wine from Linux. The last lines are pytest's summaries of both.
With arguments, only those tests run, under the Windows interpreter.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.windows.extension import build_extension
from tests.windows.rig import PROJECT, VARIABLE, build, default_directory, end_wine
from tests.windows.standin import build_standins
from tests.windows.wine import start_server, windows_path, windows_python

# Not the command line's tests, each of which starts a program or two in Wine, for minutes.
SUITE = [
    "tests/drivers",
    "tests/hub",
    "tests/api",
    "tests/packet",
    "tests/traffic",
    "tests/speedups",
    "tests/windows",
    "tests/fleet",
    "tests/test_lock_file.py",
    "tests/test_wire.py",
    "tests/test_settings.py",
]
# What is the same on every system and takes many minutes in Wine: every order of the steps of two
# threads, thousands of requests, every ending of a session beside stalled clients, the statistics
# of bad networks (`tests/windows/test_fates` compares their results).
LEFT_OUT = [
    "tests/hub/test_handover.py",
    "tests/api/test_access.py",
    "tests/api/test_endings.py",
    *(
        f"tests/hub/impairment/test_{name}.py"
        for name in ("chance", "corruption", "delay", "fate", "lane", "loss", "match", "rate")
    ),
    # Hosts that are dead after a second, in which Wine beside the rest of the gate does too little.
    "tests/fleet/agent/test_agent.py",
    "tests/fleet/agent/test_presence.py",
    "tests/fleet/test_storm.py",
    # Its server empties buckets, whose files Wine does not remove while they are open.
    "tests/fleet/server/test_attacks.py",
    # It waits for a lock, for which Wine tries ten times in a moment, and Windows in ten seconds.
    "tests/fleet/server/test_issuing.py::test_keys_that_are_made_at_the_same_time_all_work",
]
PYTEST = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
PATIENCE = 2100


def main(arguments: list[str]) -> int:
    """Return 0 when all of it passed."""
    started = time.monotonic()
    rig = default_directory()
    build(rig)
    build_standins()
    build_extension(rig)
    print(f"rig: {time.monotonic() - started:5.1f} s  the tests", flush=True)
    owner = start_server(rig)
    try:
        # Side by side, for both spend most of their time waiting.
        with ThreadPoolExecutor(1) as beside:
            driven = None if arguments else beside.submit(run_driven, rig)
            all_of_it = [*SUITE, *map(without, LEFT_OUT)]
            results = [run_suite(rig, arguments or all_of_it)]
        # Wine starts a service within a fixed time, which is short beside the rest of the gate.
        if failed := failures(results[0]):
            results[0] = run_suite(rig, failed)
        if driven is not None:
            results.append(driven.result())
            print(results[-1].output, flush=True)
            if failed := failures(results[-1]):
                results[-1] = run_driven(rig, failed)
                print(results[-1].output, flush=True)
    finally:
        if owner:
            end_wine(rig)
    for result in results:
        print(f"{result.title}: {result.output.strip().splitlines()[-1]}")
    print(f"All about Windows: {time.monotonic() - started:.0f} s")
    return max(result.code for result in results)


@dataclass(frozen=True)
class Result:
    """What came of one run of pytest."""

    title: str
    code: int
    output: str


def without(left_out: str) -> str:
    """Return the option that leaves out a file or a test."""
    return f"--{'deselect' if '::' in left_out else 'ignore'}={left_out}"


def failures(result: Result) -> list[str]:
    """Return the tests that failed, which are tried once more when nothing runs beside them."""
    return re.findall(r"^(?:FAILED|ERROR) (tests/.+?)(?: - .*)?$", result.output, re.MULTILINE)


def run_suite(rig: Path, tests: list[str]) -> Result:
    """Run tests under the Windows interpreter; `tests` are arguments of pytest."""
    path = windows_path(PROJECT)  # for the programs that tests start elsewhere
    with windows_python(rig, *PYTEST, *tests, cwd=PROJECT, echo=True, PYTHONPATH=path) as suite:
        code = suite.wait(PATIENCE)
    return Result("Under the Windows interpreter, in Wine", code, suite.output)


def run_driven(rig: Path, tests: Sequence[str] = ("tests/windows",)) -> Result:
    """Run the tests that drive programs in Wine."""
    done = subprocess.run(
        [sys.executable, *PYTEST, "-m", "", *tests],  # the heavy ones too
        cwd=PROJECT,
        env={**os.environ, VARIABLE: str(rig)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return Result("From Linux, on programs in Wine", done.returncode, done.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
