"""Fixtures that every floor uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.disk import mounted
from tests.drivers.linux.kernel import namespace
from tests.running import RunningService, running
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; needs root."""
    with mounted(tmp_path / "disk") as path:
        yield path


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


@dataclass
class Rig:
    """A service with the knobs of the emulated library behind it."""

    service: RunningService
    library: EmulatedLibrary


@pytest.fixture(params=list(Generation))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A service whose library can be made to fail; it must not have been misused at the end."""
    library = EmulatedLibrary(request.param, Machine())
    with running(tmp_path, emulated_driver(library), management_timeout=1.0) as service:
        yield Rig(service, library)
    assert library.misuse == []
    assert library.open_handles() == (0, 0)


@pytest.fixture
def kernel_service(tmp_path: Path) -> Iterator[RunningService]:
    """A service on kernel TUN devices, in a network namespace that takes them with it."""
    with namespace(), running(tmp_path, driver="linux", log_level="warning") as service:
        yield service
