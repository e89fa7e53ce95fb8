"""Fixtures of the tests of many hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fleet.running import A, B

if TYPE_CHECKING:
    from tests.fleet.nats_server import NatsServer
    from tests.fleet.sites import Site


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A real server on a free port of the loopback address; it is not started yet."""
    from tests.fleet.nats_server import NatsServer, ending  # needs packages of an extra

    with ending(NatsServer(tmp_path)) as server:
        yield server


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[tuple[Site, Site]]:
    """Two services."""
    from tests.fleet.sites import Site

    both = Site(tmp_path / "a", A), Site(tmp_path / "b", B)
    yield both
    for one in both:
        one.stop()
