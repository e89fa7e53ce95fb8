"""A service on kernel TUN devices in a network namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import namespace
from tests.running import RunningService, running


@pytest.fixture
def kernel_service(tmp_path: Path) -> Iterator[RunningService]:
    """A service on the Linux driver; its devices vanish with the namespace."""
    with namespace(), running(tmp_path, driver="linux", log_level="warning") as service:
        yield service
