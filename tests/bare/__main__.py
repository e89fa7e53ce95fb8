"""Run README's two commands, as they stand, on bare Debian machines.

    uv run python -m tests.bare [--roots FOLDER] [--make-only] [THE BEGINNING OF A CELL'S NAME ...]

A cell is a machine, a user, a place of the clone and an environment. In each the demo must answer
and end, and the tests must pass; what they leave out for want of a program is in their own table.
`--roots` names a folder where the machines are kept, for the next run. SIGTERM ends what runs, and
takes away what is mounted, before the program ends.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.bare import roots
from tests.posix import kill_group

PROJECT = Path(__file__).parent.parent.parent
RELEASES = ("bookworm", "trixie")
ANSWERS_WITHIN = 10.0  # what README promises
PATIENCE = 3000.0  # a limit for machines under load; a quiet one needs two minutes
PLAIN_PATH = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One bare machine as README's reader meets it."""

    release: str
    user: bool
    tun: bool
    place: str = "/home/new/wintun-api"
    variables: dict[str, str] = field(default_factory=lambda: {"HOME": "/home/new"})

    def __str__(self) -> str:
        who = "plain user" if self.user else "root"
        tun = "/dev/net/tun" if self.tun else "no /dev/net/tun"
        more = ", ".join(f"{name}={value}" for name, value in self.variables.items())
        return f"{self.release}, {who}, {tun}, in {self.place!r}, {more or 'an empty environment'}"


CELLS = (
    Cell("bookworm", user=True, tun=True),
    Cell("bookworm", user=False, tun=True, variables={"HOME": "/root", "LANG": "C.UTF-8"}),
    Cell(
        "trixie",
        user=True,
        tun=False,
        place="/home/new/a folder with ünïcödé 名",
        variables={"LC_ALL": "POSIX"},  # and no HOME
    ),
    Cell("trixie", user=False, tun=False, place="/srv/wintun api", variables={"LC_ALL": "C"}),
)


@dataclass(slots=True)
class Outcome:
    """What came of a cell."""

    cell: Cell
    install: float = 0.0
    answered: float = 0.0
    tests: float = 0.0
    summary: str = "did not run"
    good: bool = False


def commands() -> tuple[str, str]:
    """Return README's two commands: the first line of each kind."""
    lines = (PROJECT / "README.md").read_text("utf-8").splitlines()
    demo = next(line for line in lines if re.search(r"^python3 -m venv .* wintun_api demo$", line))
    tests = next(line for line in lines if re.search(r"^python3 -m venv .* -m pytest$", line))
    return demo, tests


def copy_project(to: Path) -> None:
    """Copy the files of the project as a clone has them, without git, before anything changes."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, to / name)


class Machine:
    """A cell's machine, with the project in its place."""

    def __init__(
        self, cell: Cell, root: Path, project: Path, index: roots.Index, more: dict[str, str]
    ) -> None:
        self._cell = cell
        here = root / cell.place.lstrip("/")
        home = root / "home" / "new"
        for folder in (here, home, root / "tmp"):
            shutil.rmtree(folder, ignore_errors=True)
        (root / "tmp").mkdir()
        (root / "tmp").chmod(0o1777)
        home.mkdir(parents=True)
        shutil.copytree(project, here)
        if cell.user:
            for path in (home, here):
                subprocess.run(["chown", "-R", f"{roots.USER}:{roots.USER}", path], check=True)
        self._enter = roots.enter(
            root,
            user=cell.user,
            tun=cell.tun,
            folders=index.folders,
            variables={**PLAIN_PATH, **index.variables, **cell.variables, **more},
        )

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command in the project's folder, without a terminal."""
        script = f'cd "$0" && exec {command}'
        return subprocess.Popen(
            [*self._enter, "sh", "-c", script, self._cell.place],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            start_new_session=True,
        )

    def run(self, command: str, *, may_fail: bool = False) -> tuple[str, bool]:
        """Run a command that ends by itself, and print what it says.

        Returns what it says, and whether it failed where it may.
        """
        process = self.start(command)
        said = []
        watch = threading.Timer(PATIENCE, kill_group, (process.pid,))
        watch.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                print("   ", line, end="", flush=True)
            failed = process.wait() != 0
        finally:
            watch.cancel()
            if process.poll() is None:
                kill_group(process.pid)
                process.wait()
        if failed and not may_fail:
            raise Failed(f"{command!r} ended with {process.returncode}")
        return "".join(said), failed


class Failed(Exception):
    """A command did not do what README says."""


def parts(line: str) -> list[str]:
    """Return the commands that a line joins with &&."""
    return line.split(" && ")


def show_the_demo(machine: Machine, command: str) -> float:
    """Start the demo, ask it, end it; return how many seconds it took to answer."""
    started = time.monotonic()
    process = machine.start(command)
    watch = threading.Timer(60, process.kill)
    watch.start()
    said = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"(http://[0-9.]+:\d+)/\?token", line):
                with urllib.request.urlopen(f"{found[1]}/noauth/health", timeout=30) as answer:
                    assert answer.status == 200
                seconds = time.monotonic() - started
            if "Ctrl-C" in line:
                break
        else:
            raise Failed(f"the demo ended by itself: {''.join(said)}")
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        if process.returncode != 0:
            raise Failed(f"the demo ended with {process.returncode}: {rest}")
    finally:
        watch.cancel()
        process.kill()
        process.wait()
    return seconds


def run_cell(cell: Cell, root: Path, project: Path, index: roots.Index, options: str) -> Outcome:
    """Run both commands; print what they say."""
    demo, tests = commands()
    outcome = Outcome(cell)
    print(f"-- {cell}", flush=True)
    try:
        machine = Machine(
            cell, root, project, index, {"PYTEST_ADDOPTS": options} if options else {}
        )
        began = time.monotonic()
        print(f"    $ {demo}", flush=True)
        *install, last = parts(demo)
        for command in install:
            machine.run(command)
        outcome.install = time.monotonic() - began
        outcome.answered = show_the_demo(machine, last)
        print(f"    $ {tests}", flush=True)
        began = time.monotonic()
        *install, last = parts(tests)
        for command in install:
            machine.run(command)
        said, again = machine.run(last, may_fail=True)
        outcome.tests = time.monotonic() - began
        if again:  # by themselves, without five others beside them
            said, _ = machine.run(f"{last} --last-failed --last-failed-no-failures none -n 0")
        outcome.summary = said.strip().splitlines()[-1].strip("= ")
        if again:
            outcome.summary += ", of those that failed beside others"
        outcome.good = outcome.answered <= ANSWERS_WITHIN
    except Failed as failure:
        outcome.summary = f"FAILED: {failure}"
        print(f"    {failure}", flush=True)
    return outcome


def main(arguments: list[str]) -> int:
    """Make the machines, run the cells, print the table; return how many cells failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bare")
    parser.add_argument("--roots", type=Path)
    parser.add_argument("--make-only", action="store_true")
    parser.add_argument("--pytest", default="", help="more options for pytest, to look closer")
    parser.add_argument("cells", nargs="*", help="the beginning of the name of each; default: all")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    cells = [cell for cell in CELLS if str(cell).startswith(tuple(given.cells) or "")]
    with tempfile.TemporaryDirectory() as name:
        folder = given.roots or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        making = [
            roots.begin(release, folder / release)
            for release in RELEASES
            if any(cell.release == release for cell in cells)
            and not (folder / release / "made").exists()
        ]
        try:
            for one in making:
                one.finish()
                (one.root / "made").touch()
        finally:
            for one in making:
                one.end()
        if given.make_only:
            return 0
        project = folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        copy_project(project)
        index = roots.index()
        outcomes = [
            run_cell(cell, folder / cell.release, project, index, given.pytest) for cell in cells
        ]
    print("\nThe demo's install, its answer and the second command, in seconds:")
    for outcome in outcomes:
        print(f"  {'good  ' if outcome.good else 'FAILED'} {outcome.install:5.0f} "
              f"{outcome.answered:5.1f} {outcome.tests:5.0f}  {outcome.cell}\n"
              f"          {outcome.summary}")  # fmt: skip
    return sum(not outcome.good for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
