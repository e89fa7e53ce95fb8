"""Whether this process runs as Administrator."""

from __future__ import annotations

import ctypes
import sys


def elevated() -> bool:
    """Return whether this process runs as Administrator; False off Windows."""
    if sys.platform == "win32":
        return bool(ctypes.windll.shell32.IsUserAnAdmin())
    else:  # noqa: RET505  the type checker needs the branch
        return False
