"""The metrics before Prometheus' own linter."""

from __future__ import annotations

import subprocess

import pytest

from tests.needs import need
from tests.running import RunningService

pytestmark = pytest.mark.heavy


def test_promtool_finds_nothing(service: RunningService) -> None:
    """Names, types, units and help texts are as Prometheus wants them."""
    need("promtool")
    service.session(service.adapter(name="OfficeNet", pool="WireGuard"))
    host = {"id": "a" * 12, "name": "hub", "state": "attached", "lost": {"no_route": 2}}
    service.api.set_network("lab", host="a" * 12, hosts=[host])
    metrics = service.http.get("/metrics").content
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=metrics,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
