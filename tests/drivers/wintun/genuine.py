"""The genuine wintun.dll, where the tests have one: WINTUN_DLL, or beside the rig's Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

_PLACES = (
    os.environ.get("WINTUN_DLL", ""),
    str(Path(sys.executable).parent.parent / "wintun" / "wintun.dll"),
)
GENUINE = next((Path(place) for place in _PLACES if place and Path(place).is_file()), None)

needs_windows = pytest.mark.skipif(sys.platform != "win32", reason="asks Windows, or Wine")
needs_genuine = pytest.mark.skipif(
    GENUINE is None, reason="needs the genuine wintun.dll; name it in WINTUN_DLL"
)
