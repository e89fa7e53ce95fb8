"""Whether this process may make user namespaces."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest


def can_unshare(*flags: str) -> bool:
    """Say whether user namespaces can be made here (some systems forbid it)."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False)
    return done.returncode == 0


user_namespaces = pytest.mark.skipif(
    sys.platform != "linux" or not can_unshare("-Urn"), reason="needs user namespaces"
)
