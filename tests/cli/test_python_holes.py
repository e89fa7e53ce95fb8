"""Which versions of Python doctor warns of."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.commands import FREE, doctor
from wintun_api.cli import checks
from wintun_api.cli.checks import check_python
from wintun_api.cli.outcome import Outcome
from wintun_api.cli.python_holes import HOLES, Hole, Version, holes_of

BLIND, RACE = "CVE-2024-12254", "CVE-2024-3219"


@pytest.mark.parametrize(
    ("version", "linux", "windows"),
    [
        ((3, 11, 0), [], [RACE]),
        ((3, 11, 9), [], [RACE]),
        ((3, 11, 10), [], []),
        ((3, 12, 0), [BLIND], [BLIND, RACE]),
        ((3, 12, 4), [BLIND], [BLIND, RACE]),
        ((3, 12, 5), [BLIND], [BLIND]),
        ((3, 12, 8), [BLIND], [BLIND]),
        ((3, 12, 9), [], []),
        ((3, 13, 0), [BLIND], [BLIND]),
        ((3, 13, 1), [BLIND], [BLIND]),
        ((3, 13, 2), [], []),
        ((3, 14, 0), [], []),
        ((3, 15, 0), [], []),
    ],
)
def test_ranges(version: Version, linux: list[str], windows: list[str]) -> None:
    """The first and the last version of each range have the hole, their neighbours do not."""
    assert [hole.name for hole in holes_of(version, windows=False)] == linux
    assert [hole.name for hole in holes_of(version, windows=True)] == windows


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_warning(monkeypatch: pytest.MonkeyPatch, hole: Hole) -> None:
    """The check names the hole, what happens and what to do; the service can run all the same."""
    monkeypatch.setattr(checks, "ON_WINDOWS", hole.windows_only)
    for first, last in hole.versions:
        for version in (first, last):
            check = check_python(version)
            assert check.outcome is Outcome.WARN
            assert ".".join(map(str, version)) in check.detail
            assert hole.name in check.detail
            assert hole.effect in check.hint
            assert hole.advice in check.hint


def test_this_python(tmp_path: Path) -> None:
    """Doctor warns when its own Python has a hole, and else does not."""
    found = holes_of(sys.version_info[:3], windows=sys.platform == "win32")
    check = doctor(tmp_path, *FREE)[1]["python"]
    assert check["outcome"] == ("warn" if found else "ok")
    assert all(hole.name in check["detail"] for hole in found)


def test_a_python_that_is_too_old() -> None:
    """Before 3.11 the service does not start, so that is a failure."""
    assert check_python((3, 10, 14)).outcome is Outcome.FAIL
