"""The metrics before Prometheus' own linter."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.needs import leave_out
from tests.running import RunningService

pytestmark = pytest.mark.heavy


def test_promtool_finds_nothing(service: RunningService) -> None:
    """Names, types, units and help texts are as Prometheus wants them."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert "CI" not in os.environ, "promtool is missing; Debian's prometheus has it."
        leave_out("not installed: promtool")
    service.session(service.adapter(name="OfficeNet", pool="WireGuard"))
    metrics = service.http.get("/metrics").content
    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
