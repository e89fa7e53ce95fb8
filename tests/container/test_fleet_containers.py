"""The example with a bus and two hosts in containers, with adapters that the kernel has.

Podman runs each service as the file says, but for what Docker alone brings: a network is
a namespace that the test makes, and `bus` is a name in each container's list of hosts. The services
have the driver linux and what it needs, as the first lines of the file say.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.container.image import LIMITS, Podman, build
from tests.drivers.linux.kernel import inside, ip, needs_kernel
from tests.needs import need
from tests.waiting import within

pytestmark = [pytest.mark.heavy, *needs_kernel]

FILE = Path(__file__).parents[2] / "docker" / "fleet.yaml"
IMAGE = "localhost/wintun-api-fleet"
PLACES = {"bus": "10.200.0.254", "service-a": "10.200.0.1", "service-b": "10.200.0.2"}
# What docker/compose.yaml gives to a service with adapters.
RIGHTS = ("--cap-add=NET_ADMIN", "--device=/dev/net/tun")
PATIENCE = 60.0


class Example:
    """The services of the file as containers; each place has a network of its own."""

    def __init__(self, podman: Podman, stack: ExitStack) -> None:
        document = yaml.safe_load(FILE.read_text("utf-8"))
        self.services: dict[str, Any] = document["services"]
        self._podman = podman
        self._stack = stack
        self._networks: dict[str, int] = {}
        for volume in document["volumes"]:
            stack.callback(podman, "volume", "rm", "--force", volume)
        for place, address in PLACES.items():
            self._networks[place] = self._network(place, address)

    def _network(self, place: str, address: str) -> int:
        """Make a network; a bridge in that of the bus connects them. Return its descriptor."""
        name = f"wta-{place}-{os.getpid()}"
        ip("netns", "add", name)
        self._stack.callback(ip, "netns", "del", name)
        ip("-n", name, "link", "set", "lo", "up")
        network = os.open(f"/run/netns/{name}", os.O_RDONLY)
        self._stack.callback(os.close, network)
        if place == "bus":
            ip("-n", name, "link", "add", "line", "type", "bridge")
        else:
            with inside(self._networks["bus"]):
                ip("link", "add", place, "type", "veth", "peer", "name", "line", "netns", name)
                ip("link", "set", place, "master", "line", "up")
        ip("-n", name, "address", "add", f"{address}/24", "dev", "line")
        ip("-n", name, "link", "set", "line", "up")
        return network

    def run(self, name: str, *arguments: str, more: tuple[str, ...] = ("--detach",)) -> str:
        """Run a service as the file says, or with other arguments; return what it prints."""
        service = self.services[name]
        options = [f"--volume={volume}" for volume in service["volumes"]]
        if "entrypoint" in service:
            options.append(f"--entrypoint={json.dumps(service['entrypoint'])}".replace("$$", "$"))
        if service["read_only"]:
            options += ["--read-only", "--read-only-tmpfs=false"]  # as Docker does
        command = [word.replace("$$", "$") for word in arguments or service["command"]]
        if "serve" in command:
            command[command.index("emulated")] = "linux"
            options += RIGHTS
        if "--detach" in more:
            self._stack.callback(self._podman, "rm", "--force", "--time=5", name)
        with self.place(name):
            return self._podman(
                *("run", "--cgroups=disabled", *LIMITS, "--network=host", f"--name={name}"),
                *(f"--cap-drop={right.lower()}" for right in service["cap_drop"]),
                *(f"--add-host=bus:{PLACES['bus']}", *options, *more, IMAGE, *command),
            )

    def place(self, name: str) -> Any:
        """Run this thread in the network of a service."""
        place = self.services[name].get("network_mode", f"service:{name}")
        return inside(self._networks[place.removeprefix("service:")])

    def healthy(self, name: str, check: list[str]) -> None:
        """Wait until a check passes in a container."""
        command = ["sh", "-c", f"{shlex.join(check)} >&2 && echo passed"]

        def passes() -> bool:
            return "passed" in self._podman("exec", name, *command, check=False)

        assert within(PATIENCE, passes), self.logs(name)

    def wait_for(self, name: str, sign: str) -> None:
        """Wait until a service has written this."""
        assert within(PATIENCE, lambda: sign in self.logs(name)), self.logs(name)

    def logs(self, name: str) -> str:
        """Return what a service has written."""
        return self._podman("logs", name)


@pytest.fixture
def example(based: Podman) -> Iterator[Example]:
    """The example, with its image; its containers, volumes and networks end with the test."""
    need("ip", "ping")
    text = FILE.read_text("utf-8")
    build(based, IMAGE, EXTRAS=yaml.safe_load(text)["x-container"]["build"]["args"]["EXTRAS"])
    with ExitStack() as stack:
        yield Example(based, stack)


def test_two_hosts_reach_each_other(example: Example) -> None:
    """They join by what the file does, ping passes through the bus, and `hosts` shows both."""
    example.run("bus")
    example.healthy("bus", example.services["bus"]["healthcheck"]["test"][1:])
    for name in ("service-a", "service-b"):
        example.run(name)
        example.healthy(name, ["python", "-I", "/opt/wintun-api/health.py"])
    example.run("keys", more=("--rm",))
    for name in ("agent-a", "agent-b"):
        example.run(name)
        example.wait_for(name, "leads to this host")
    with example.place("service-a"):
        ping = ["ping", "-c", "10", "-i", "0.05", "-w", "20", "10.7.0.2"]
        done = subprocess.run(ping, capture_output=True, text=True, timeout=60, check=False)
    assert re.search(r"\b10 received", done.stdout), done
    told = json.loads(example.run("tools", "hosts", "lab", "--json", more=("--rm",)))
    assert {host["name"]: host["prefixes"] for host in told} == {
        "host-a": ["10.7.0.1/32"],
        "host-b": ["10.7.0.2/32"],
    }
