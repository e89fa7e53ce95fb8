"""Programs that heavy tests need: missing, a test is skipped, but fails where CI runs."""

from __future__ import annotations

import os
import shutil

import pytest


def need(*programs: str) -> None:
    """Go on only where all of these are installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"not installed: {', '.join(missing)}")
