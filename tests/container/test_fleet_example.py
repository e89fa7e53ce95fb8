"""The example with a bus and two hosts: what it starts works, without Docker and its networks.

Each service of the file runs as a program here. Its volumes are folders, and its networks are ports
of this machine.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fleet.server.servers import free_port, need_server
from tests.waiting import until, within

pytest.importorskip("nats", reason="not installed: nats")

FILE = Path(__file__).parents[2] / "docker" / "fleet.yaml"
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the containers run Linux")


class Example:
    """The services of the file as programs of this machine."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self.services: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))["services"]
        self._path = path
        self._stack = stack
        self._ports = {"bus": free_port(), "service-a": free_port(), "service-b": free_port()}
        programs = path / "programs"
        programs.mkdir()
        command = programs / "wintun-api"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m wintun_api "$@"\n')
        command.chmod(0o755)
        self._search = f"{programs}{os.pathsep}{os.environ['PATH']}"

    def start(self, name: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a service with the command of the file, or with other arguments."""
        service = self.services[name]
        command = list(arguments) or service["command"]
        words = [*service.get("entrypoint", ["wintun-api"]), *command]
        if "--hostname" in words:  # the name of a container
            words[words.index("--hostname") + 1] = "127.0.0.1"
        place = service.get("network_mode", f"service:{name}").removeprefix("service:")
        port = str(self._ports[place])
        environment = {key: value for key, value in os.environ.items() if "WINTUN_API" not in key}
        environment |= {
            "PATH": self._search,
            "WINTUN_API_DATA_DIR": self._here(service, "/var/lib/wintun-api"),
            "WINTUN_API_URL": f"http://127.0.0.1:{port}",
        }
        if "serve" in words:
            environment["WINTUN_API_PORT"] = port
        with (self._path / name).open("w") as log:
            process = subprocess.Popen(
                [self._here(service, word) for word in words],
                env=environment,
                stdout=subprocess.PIPE if arguments else log,
                stderr=log,
                text=True,
            )
        self._stack.callback(process.communicate)
        self._stack.callback(process.terminate)
        return process

    def wait_for(self, name: str, sign: str) -> None:
        """Wait until a service has written this."""
        log = self._path / name
        assert within(PATIENCE, lambda: sign in log.read_text("utf-8")), log.read_text("utf-8")

    def _here(self, service: dict[str, Any], word: str) -> str:
        """Return a word of a command with the folders and addresses of this machine."""
        for volume, place in (one.split(":")[:2] for one in service["volumes"]):
            folder = self._path / f"volume-{volume}"
            folder.mkdir(mode=0o700, exist_ok=True)
            word = word.replace(place, str(folder))
        # A loop in the shell names the places of two volumes.
        word = word.replace("/hosts/$$host", f"{self._path}/volume-$$host")
        return word.replace("0.0.0.0", f"127.0.0.1:{self._ports['bus']}").replace("$$", "$")


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Example]:
    """The example; its programs end with the test."""
    need_server()
    with ExitStack() as stack:
        yield Example(tmp_path, stack)


@pytest.mark.thorough
def test_two_hosts_join(example: Example) -> None:
    """In the order that the file asks for, every program does its part, and two hosts join."""
    example.start("bus")
    example.wait_for("bus", "runs nats-server")
    for service in ("service-a", "service-b"):
        example.start(service)
        example.wait_for(service, "token file")
    assert example.start("keys").wait(PATIENCE) == 0
    for agent in ("agent-a", "agent-b"):
        example.start(agent)
        example.wait_for(agent, "Packets are exchanged")
    for agent in ("agent-a", "agent-b"):
        example.wait_for(agent, "leads to this host")

    def prefixes() -> dict[str, list[str]]:
        said, _ = example.start("tools", "hosts", "lab", "--json").communicate(timeout=PATIENCE)
        return {host["name"]: host["prefixes"] for host in json.loads(said)}

    until(lambda: prefixes() == {"host-a": ["10.7.0.1/32"], "host-b": ["10.7.0.2/32"]})


def test_nothing_has_rights(example: Example) -> None:
    """No container has a capability, or files that it may write outside of its volumes."""
    for service in example.services.values():
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["read_only"] is True


def test_a_host_has_its_own_key_alone(example: Example) -> None:
    """The volume of the bus, where its secrets are, is in no container of a host."""
    for name in ("service-a", "service-b", "agent-a", "agent-b"):
        assert [one.split(":")[0] for one in example.services[name]["volumes"]] == [name[-1]]
