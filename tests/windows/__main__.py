"""Everything about Windows in one command: `python -m tests.windows [ARGUMENTS OF PYTEST]`.

Builds the rig where it is not built yet, runs the suite under the Windows interpreter, then the
tests that drive programs in Wine from Linux. Ends with pytest's two summary lines.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.windows.rig import VARIABLE, build, default_directory, end_wine
from tests.windows.wine import WindowsPython, start_server, windows_path

PROJECT = Path(__file__).parent.parent.parent
SUITE = ["tests"]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]


def main(arguments: list[str]) -> int:
    """Return 0 when all of it passed."""
    import os

    started = time.monotonic()
    rig = default_directory()
    build(rig)
    built = time.monotonic()
    start_server(rig)
    try:
        print("== Under the Windows interpreter, in Wine", flush=True)
        path = windows_path(PROJECT)  # for the programs that tests start elsewhere
        suite = WindowsPython(
            rig, *PYTEST, *(arguments or SUITE), cwd=PROJECT, echo=True, PYTHONPATH=path
        )
        try:
            codes = [suite.wait(600)]
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
