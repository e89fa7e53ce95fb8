"""What tests of the fixtures share: two kernels, and runs that do not inherit settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from wintun_api.testing import TunDriver, TunPair, TunService
from wintun_api.testing.pair import make_pair
from wintun_api.testing.subnets import Subnets


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the settings of this run from those that it starts."""
    for name in list(os.environ):
        if name.startswith(("WINTUN_API_", "PYTEST_XDIST")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


@pytest.fixture(scope="module")
def kernels() -> Iterator[tuple[TunService, TunService]]:
    """Two services on kernel devices, each in namespaces of its own; the caller is marked so."""
    with (
        closing(Subnets()) as subnets,
        closing(TunService.start(TunDriver.ROOTLESS, subnets)) as left,
        closing(TunService.start(TunDriver.ROOTLESS, subnets)) as right,
    ):
        yield left, right


@pytest.fixture
def kernel_pair(kernels: tuple[TunService, TunService]) -> Iterator[TunPair]:
    """Two kernels with a link between them."""
    with make_pair(*kernels) as pair:
        yield pair
