"""Everything about Windows in one command: `python -m tests.windows [ARGUMENTS OF PYTEST]`.

Builds the rig where it is not built yet, runs the suite under the Windows interpreter, then the
tests that drive programs in Wine from Linux. Each of the two ends with pytest's summary line.
With arguments, only those tests run, under the Windows interpreter.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.windows.rig import PROJECT, VARIABLE, build, default_directory, end_wine
from tests.windows.standin import build_standins
from tests.windows.wine import WindowsPython, start_server, windows_path

# Not the command line's tests, each of which starts a program or two in Wine, for minutes.
SUITE = [
    "tests/drivers",
    "tests/hub",
    "tests/api",
    "tests/packet",
    "tests/traffic",
    "tests/windows",
    "tests/test_wire.py",
    "tests/test_settings.py",
]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
PATIENCE = 600


def main(arguments: list[str]) -> int:
    """Return 0 when all of it passed."""
    started = time.monotonic()
    rig = default_directory()
    build(rig)
    build_standins()
    built = time.monotonic()
    start_server(rig)
    try:
        print("== Under the Windows interpreter, in Wine", flush=True)
        path = windows_path(PROJECT)  # for the programs that tests start elsewhere
        suite = WindowsPython(
            rig, *PYTEST, *(arguments or SUITE), cwd=PROJECT, echo=True, PYTHONPATH=path
        )
        try:
            codes = [suite.wait(PATIENCE)]
        finally:
            suite.close()
        ran = time.monotonic()
        if not arguments:
            print("== From Linux, on services in Wine", flush=True)
            env = {**os.environ, VARIABLE: str(rig)}
            command = [sys.executable, *PYTEST, "tests/windows"]
            codes.append(subprocess.run(command, cwd=PROJECT, env=env, check=False).returncode)
    finally:
        end_wine(rig)
    ended = time.monotonic()
    print(f"Rig {built - started:.0f} s, suite {ran - built:.0f} s, services {ended - ran:.0f} s.")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
