"""Two hosts and a bus, each in a network of its own, as on three machines, and real programs.

Each network is a namespace; a bridge in that of the bus is the line between them.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import COMMAND, Program, environment
from tests.drivers.linux.kernel import needs_kernel
from tests.fleet.server.servers import need_server
from tests.needs import needs
from tests.posix import kill
from tests.waiting import until

pytest.importorskip("nats", reason="not installed: nats")

pytestmark = [*needs_kernel, needs("ip", "ping")]

HUB = "10.200.0.254"


def ip(*arguments: str) -> str:
    """Run ip."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


class Namespace:
    """A network of its own, by its name."""

    def __init__(self, name: str) -> None:
        self.name = f"wta-{name}-{os.getpid()}"
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> str:
        """Run ip inside."""
        return ip("-n", self.name, *arguments)

    @property
    def within(self) -> tuple[str, ...]:
        """What runs a command inside."""
        return ("ip", "netns", "exec", self.name)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside that ends by itself."""
        return subprocess.run(
            [*self.within, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def close(self) -> None:
        """Remove it, and what runs inside."""
        for process in ip("netns", "pids", self.name).split():
            kill(int(process))
        until(lambda: not ip("netns", "pids", self.name).split())
        ip("netns", "del", self.name)


class Place:
    """A host: a namespace with a service, an adapter and an agent."""

    def __init__(self, network: Network, number: int) -> None:
        self.network = network
        self.name = f"host{number}"
        self.address = f"10.7.0.{number}"
        self.path = network.path / self.name
        self.space = network.space(self.name, f"10.200.0.{number}")
        self.key = network.path / f"{self.name}.key"
        network.command(
            network.hub, "join", "keys", "--network", "lab", "--name", self.name, "-o", self.key
        )
        self.serve()
        self.join()

    def serve(self) -> None:
        """Start the service, with its adapter."""
        self.service = self.network.start(
            self.space, self.path / "service", "serve", "--driver", "linux", "--port", "9886"
        )
        self.token = self.service.wait_for(r"token file: ([^)]+)")[1]
        self.network.command(
            self.space,
            *("adapters", "create", "L", "--address", f"{self.address}/24"),
            *("--if-exists", "open", "--token-file", self.token),
        )

    def join(self) -> None:
        """Start the agent, and wait until it exchanges packets."""
        self.agent = self.network.start(
            self.space,
            self.path / "agent",
            *("join", "lab", "--adapter", "L", "--name", self.name, "--key", self.key, "--json"),
            *("--token-file", self.token, "--data-dir", self.path / "agents"),
        )
        self.agent.wait_for("service.connected")

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what the agent has told of a kind."""
        lines = [json.loads(line) for line in self.agent.stdout.splitlines()]
        return [line["data"] for line in lines if line["type"] == kind]

    def ping(self, other: Place, count: int = 10) -> int:
        """Return how many of some pings are answered."""
        done = self.space.run("ping", "-c", str(count), "-i", "0.05", "-W", "5", other.address)
        found = re.search(r"(\d+) received", done.stdout)
        return int(found[1]) if found else 0


class Network:
    """The bus in its namespace, and the line to those of the hosts."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.path = path
        self.stack = stack
        self.started = 0
        self.hub = stack.enter_context(closing(Namespace("hub")))
        self.hub.ip("link", "add", "line", "type", "bridge")
        self.hub.ip("addr", "add", f"{HUB}/24", "dev", "line")
        self.hub.ip("link", "set", "line", "up")
        self.bus = self.start(self.hub, path / "bus", "bus", "--listen", HUB, *self._data)
        self.bus.wait_for("runs nats-server")

    @property
    def _data(self) -> tuple[object, ...]:
        return ("--data-dir", self.path / "bus-data")

    def space(self, name: str, address: str) -> Namespace:
        """Return a namespace that is connected with the line."""
        space = self.stack.enter_context(closing(Namespace(name)))
        space.ip(
            "link", "add", "eth0", "type", "veth", "peer", "name", name, "netns", self.hub.name
        )
        self.hub.ip("link", "set", name, "master", "line", "up")
        space.ip("addr", "add", f"{address}/24", "dev", "eth0")
        space.ip("link", "set", "eth0", "up")
        return space

    def start(self, space: Namespace, path: Path, *arguments: object) -> Program:
        """Start a command in a namespace; it ends with the network."""
        self.started += 1
        folder = path.with_name(f"{path.name}-{self.started}")
        folder.parent.mkdir(exist_ok=True)
        program = Program(
            folder,
            *map(str, arguments),
            within=space.within,
            WINTUN_API_DATA_DIR=str(path.with_name(f"{path.name}-data")),
        )
        return self.stack.enter_context(closing(program))

    def command(self, space: Namespace, *arguments: object) -> str:
        """Run a command in a namespace."""
        more = self._data if "keys" in arguments else ()
        done = subprocess.run(
            [*space.within, *COMMAND, *map(str, (*arguments, *more))],
            env=environment(self.path),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


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
    _kill_server(first.network)
    until(lambda: first.events("bus.disconnected"))
    first.network.bus = first.network.start(
        first.network.hub,
        first.network.path / "bus",
        *("bus", "--listen", HUB, "--data-dir", first.network.path / "bus-data"),
    )
    for one in places:
        until(lambda one=one: one.events("bus.connected"))  # type: ignore[misc]
    until(lambda: first.ping(second, 2) == 2)


def _kill_server(network: Network) -> None:
    """Kill the bus, and the nats-server that it runs."""
    network.bus.process.kill()
    network.bus.process.wait()
    for process in ip("netns", "pids", network.hub.name).split():
        kill(int(process))
    until(lambda: not ip("netns", "pids", network.hub.name).split())
