"""The rig, where it is built."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import leave_out
from tests.windows.extension import build_extension
from tests.windows.rig import default_directory, end_wine, is_built
from tests.windows.standin import build_standins
from tests.windows.wine import start_server

# What loads Windows libraries, in a process that can.
collect_ignore = [] if sys.platform == "win32" else ["test_contract.py", "test_rig.py"]


@pytest.fixture(scope="session")
def rig() -> Iterator[Path]:
    """The rig with Wine's server running, and both stand-ins built."""
    if sys.platform == "win32":
        leave_out("starts programs in Wine, from Linux")
    if shutil.which("wine") is None:
        pytest.skip("Wine is not installed; python -m tests.windows would do it")
    rig = default_directory()
    if not is_built(rig):
        pytest.skip("the rig is not built, or old; python -m tests.windows builds it")
    build_standins()
    build_extension(rig)
    started = start_server(rig)
    yield rig
    if started:
        end_wine(rig)
