"""Whether a process is elevated can be asked on every system; tests/windows asks Windows."""

from __future__ import annotations

import sys

import pytest

from wintun_api.drivers.windows.elevation import elevated


@pytest.mark.skipif(sys.platform == "win32", reason="asks another system than Windows")
def test_no_process_of_another_system_is_elevated() -> None:
    """Root on Linux is not an Administrator."""
    assert elevated() is False
