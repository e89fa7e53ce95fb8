"""Two hosts and a bus, each in a network of its own, as on three machines, and real programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.fleet.places import Network, Place
from tests.fleet.server.servers import need_server
from tests.needs import needs
from tests.waiting import until

pytest.importorskip("nats", reason="not installed: nats")

pytestmark = [*needs_kernel, needs("ip", "ping")]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A bus in a namespace."""
    need_server()
    with ExitStack() as stack:
        yield Network(tmp_path, stack)


@pytest.fixture
def places(network: Network) -> tuple[Place, Place]:
    """Two hosts that have joined."""
    first, second = Place(network, 1), Place(network, 2)
    first.agent.wait_for("host.joined")
    second.agent.wait_for("claim.held")
    return first, second


def test_hosts_reach_each_other_over_the_bus(places: tuple[Place, Place]) -> None:
    """Pings of the system are answered by the other host, over a server with TLS."""
    first, second = places
    assert first.ping(second) == 10
    assert second.ping(first) == 10


@pytest.mark.thorough
def test_everything_may_be_killed(places: tuple[Place, Place]) -> None:
    """Agent, service and server die at once, one after the other, and packets flow again."""
    first, second = places
    assert first.ping(second) == 10
    second.agent.process.kill()
    second.join()
    assert first.ping(second) == 10
    second.service.process.kill()
    second.service.process.wait()
    until(lambda: second.events("service.lost"))
    second.serve()
    until(lambda: len(second.events("service.connected")) == 2)
    assert first.ping(second) == 10
    first.network.kill_bus()
    until(lambda: first.events("bus.disconnected"))
    first.network.run_bus()
    for one in places:
        until(lambda one=one: one.events("bus.connected"))  # type: ignore[misc]
    until(lambda: first.ping(second, 2) == 2)
