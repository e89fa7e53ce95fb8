"""Bad networks in a Windows process in Wine: a seed has the fates that it has on Linux."""

from __future__ import annotations

import json
from pathlib import Path

from tests.hub.impairment.golden import GOLDEN
from tests.windows.rig import PROJECT
from tests.windows.wine import windows_python


def test_a_seed_has_the_same_fates_on_windows(rig: Path) -> None:
    """Tables and decisions are, to the last bit, those that were written down on Linux."""
    with windows_python(rig, "-m", "tests.hub.impairment.golden", cwd=PROJECT) as python:
        assert python.wait() == 0, python.output
        assert json.loads(python.output) == json.loads(GOLDEN.read_text("utf-8"))
