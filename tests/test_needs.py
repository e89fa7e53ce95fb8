"""What is left out for want of a program is said in one table, and fails where CI runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

ROOT = Path(__file__).parent.parent
FILE = """
import pytest
from tests.needs import need, needs

@pytest.mark.parametrize("number", range(3))
@needs("no-such-ping")
def test_marked(number): pass

def test_in_its_course(): need("sh", "no-such-curl")

@pytest.mark.skip(reason="needs Windows")
def test_of_another_system(): pass

def test_that_runs(): pass
"""
LACKING = """
import sys
sys.modules["nkeys"] = None
import nkeys

def test_in_it(): pass
"""


def pytest_says(folder: Path, file: str = FILE, **env: str) -> tuple[int, str]:
    """Run pytest with the suite's own settings on a small file; return its code and words."""
    (folder / "test_small.py").write_text(file)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -m 'not heavy' -n 2\n")
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "PYTEST_ADDOPTS")}
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--rootdir", folder, folder],
        cwd=ROOT,
        env={**kept, **env},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_left_out_in_one_table(tmp_path: Path) -> None:
    """A run without CI passes, and its table has a line for each thing that is missing."""
    code, said = pytest_says(tmp_path)
    assert code == 0, said
    assert "1 passed, 5 skipped" in said
    table = said.partition("5 tests were left out")[2].splitlines()[1:4]
    assert [line.split() for line in table] == [
        ["3", "no-such-ping"],
        ["1", "needs", "Windows"],
        ["1", "no-such-curl"],
    ]
    assert "SKIPPED" not in said


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_lack_fails_where_ci_runs(tmp_path: Path) -> None:
    """With CI set, each test that lacks a program has failed; another system's is left out."""
    code, said = pytest_says(tmp_path, CI="true")
    assert code == 1
    assert "1 failed, 1 passed, 1 skipped, 3 errors" in said, said


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_file_that_lacks_a_package(tmp_path: Path) -> None:
    """It is left out with the package's name, and fails where CI runs."""
    code, said = pytest_says(tmp_path, LACKING)
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, said
    assert re.search(r"1 +nkeys +pip install nkeys", said), said
    code, said = pytest_says(tmp_path, LACKING, CI="true")
    assert code not in (0, pytest.ExitCode.NO_TESTS_COLLECTED), said
    assert "CI is set, and Skipped: not installed: nkeys" in said


def test_the_table_names_the_package() -> None:
    """Beside a program stands the Debian package that brings it; those rows come first."""
    reasons = ["Skipped: needs root", "Skipped: not installed: ping", "not installed: ping"]
    assert needs.table(reasons) == ["    2  ping  iputils-ping", "    1  needs root"]


def test_every_program_has_its_package() -> None:
    """The table knows the package of every program that a test needs."""
    named: set[str] = set()
    for path in (ROOT / "tests").rglob("*.py"):
        if path != Path(__file__):
            for call in re.findall(r"\bneeds?\(((?:\"[^\"]+\",? ?)+)\)", path.read_text("utf-8")):
                named |= set(re.findall(r"\"([^\"]+)\"", call))
    assert "ping" in named
    assert sorted(named - needs.PACKAGES.keys() - {"uv", "schemathesis", "abi3audit"}) == []
