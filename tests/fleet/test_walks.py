"""The walks of the guide's page "fleet", line by line, on machines that end with the test.

Each machine has a network, files below /var/lib, names of namespaces and processes of its own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.fleet.server.servers import need_server
from tests.guide.blocks import marked
from tests.needs import needs
from tests.waiting import within

pytest.importorskip("nats", reason="not installed: nats")

pytestmark = [
    pytest.mark.thorough,
    *needs_kernel,
    needs("ip", "ping", "iperf3", "unshare", "nsenter"),
]

PATIENCE = 60.0
MACHINE = """
mount --make-rprivate /
mount -t tmpfs tmpfs /var/lib
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
echo "$0" >/proc/sys/kernel/hostname
ip link set lo up
echo ready
exec cat
"""
# The last command of a block runs until it is stopped; then it has written this.
BUS, SERVICE, AGENT = "runs nats-server", "token file", "Packets are exchanged"
CABLE = """
ip link add cable type veth peer name cable netns {second}
ip address add 198.51.100.1/24 dev cable
ip link set cable up
ip route add default dev cable
"""
END_OF_CABLE = """
ip address add 198.51.100.2/24 dev cable
ip link set cable up
"""


class Machine:
    """A machine, in which lines run as a user pastes them into terminals."""

    def __init__(self, path: Path) -> None:
        self.home = path
        self._terminals: list[subprocess.Popen[bytes]] = []
        programs = path / "programs"
        programs.mkdir(parents=True)
        command = programs / "wintun-api"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m wintun_api "$@"\n')
        command.chmod(0o755)
        inherited = {key: value for key, value in os.environ.items() if "WINTUN_API" not in key}
        self._environment = {
            **inherited,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "200",
        }

    def __enter__(self) -> Self:
        spaces = ("--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
        self._holder = subprocess.Popen(
            ["unshare", *spaces, "sh", "-euc", MACHINE, self.home.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        self.first = int(children.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()  # and with it every process of the machine
        self._holder.communicate()
        for terminal in self._terminals:
            terminal.wait(PATIENCE)

    def _start(self, lines: str, output: Path) -> subprocess.Popen[bytes]:
        spaces = ("--mount", "--net", "--uts", "--pid")
        with output.open("wb") as written:
            return subprocess.Popen(
                [
                    "nsenter",
                    f"--target={self.first}",
                    *spaces,
                    "sh",
                    "-euxc",
                    f"cd {shlex.quote(str(self.home))}\n{lines}",
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )

    def run(self, lines: str) -> str:
        """Run lines that end by themselves, and return what they write."""
        output = self.home / "output"
        code = self._start(lines, output).wait(PATIENCE)
        said = output.read_text("utf-8")
        assert code == 0, said
        return said

    def keep(self, lines: str, sign: str) -> Callable[[], str]:
        """Run lines in a terminal of their own until it shows a sign; return what it shows."""
        output = self.home / f"terminal-{len(self._terminals)}"
        process = self._start(lines, output)
        self._terminals.append(process)

        def said() -> str:
            return output.read_text("utf-8")

        assert within(PATIENCE, lambda: process.poll() is not None or sign in said()), said()
        assert process.poll() is None, said()
        return said


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Callable[[str], Machine]]:
    """Start machines by their names; they end with the test."""
    need_server()
    with ExitStack() as stack:
        yield lambda name: stack.enter_context(Machine(tmp_path / name))


def test_one_machine(machines: Callable[[str], Machine]) -> None:
    """Two namespaces of one machine reach each other over a bus, with ping and with iperf3."""
    machine = machines("one")
    network, bus, *services, first, second, check = marked("fleet", "fleet-one-machine")
    machine.run(network)
    machine.keep(bus, BUS)
    for service in services:
        machine.keep(service, SERVICE)
    agents = [machine.keep(lines, AGENT) for lines in (first, second)]
    assert within(PATIENCE, lambda: all("has joined" in said() for said in agents))
    said = machine.run(check)
    assert "3 received" in said
    assert "iperf Done" in said
    assert "10.7.0.1/32" in said
    assert "10.7.0.2/32" in said


def test_two_machines(machines: Callable[[str], Machine]) -> None:
    """A file with one line is all that another machine needs."""
    hub, second = machines("hub"), machines("second")
    connect = ["nsenter", f"--target={hub.first}", "--net", "sh", "-euc"]
    subprocess.run([*connect, CABLE.format(second=second.first)], check=True)
    second.run(END_OF_CABLE)
    bus, first, keys, copy, other, check = marked("fleet", "fleet-two-machines")
    hub.keep(bus, BUS)
    for machine in (hub, second):
        machine.keep("wintun-api serve --driver linux", SERVICE)
    agents = [hub.keep(first, AGENT)]
    hub.run(keys)
    assert copy.startswith("scp second.key ")
    key = second.home / "second.key"
    key.write_bytes((hub.home / "second.key").read_bytes())
    key.chmod(0o600)
    agents.append(second.keep(other, AGENT))
    assert within(PATIENCE, lambda: all("has joined lab" in said() for said in agents))
    assert "3 received" in second.run(check)
