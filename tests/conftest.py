"""Fixtures that every floor uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import RunningService, running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RunningService]:
    """A service on the emulated driver, pool generation."""
    with running(tmp_path) as service:
        yield service


@pytest.fixture(params=["pool", "tunnel-type"])
def either_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service on the emulated driver, once per generation."""
    with running(tmp_path, generation=request.param) as service:
        yield service
