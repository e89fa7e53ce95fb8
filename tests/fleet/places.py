"""Hosts and a bus, each in a network of its own, as on several machines, and real programs.

Each network is a namespace; a bridge in that of the bus is the line between them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from tests.cli.commands import COMMAND, Program, environment
from tests.posix import kill
from tests.waiting import until
from wintun_api.fleet.packets.accounts import Accounts
from wintun_api.fleet.packets.ledger import Ledger

HUB = "10.200.0.254"
ADAPTER = "L"


def ip(*arguments: str) -> str:
    """Run ip."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


class Namespace:
    """A network of its own, by its name; what the kernel sends on its own is of IPv6, and off."""

    def __init__(self, name: str) -> None:
        self.name = f"wta-{name}-{os.getpid()}"
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        for which in ("all", "default"):
            self.run("sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{which}/disable_ipv6")

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

    def end_all(self) -> None:
        """Kill what runs inside."""
        for process in ip("netns", "pids", self.name).split():
            kill(int(process))
        until(lambda: not ip("netns", "pids", self.name).split())

    def close(self) -> None:
        """Remove it, and what runs inside."""
        self.end_all()
        ip("netns", "del", self.name)


class Place:
    """A host: a namespace with a service, an adapter and an agent.

    Attributes:
        agents: All its agents so far, the one that runs last.
    """

    def __init__(
        self, network: Network, number: int, *, address: str | None = None, join: bool = True
    ) -> None:
        self.network = network
        self.number = number
        self.name = f"host{number}"
        self.address = address or f"10.7.0.{number}"
        self.path = network.path / self.name
        self.agents: list[Program] = []
        self.space = network.space(self.name, f"10.200.0.{number}")
        self.key = network.path / f"{self.name}.key"
        network.command(
            network.hub, "join", "keys", "--network", "lab", "--name", self.name, "-o", self.key
        )
        self.serve()
        if join:
            self.join()

    def serve(self) -> None:
        """Start the service, with its adapter."""
        self.service = self.network.start(
            self.space, self.path / "service", "serve", "--driver", "linux", "--port", "9886"
        )
        self.token = self.service.wait_for(r"token file: ([^)]+)")[1]
        self.command(
            *("adapters", "create", ADAPTER, "--address", f"{self.address}/24"),
            *("--if-exists", "open"),
        )

    def join(self, *options: str) -> None:
        """Start the agent, and wait until it exchanges packets."""
        self.agents.append(
            self.network.start(
                self.space,
                self.path / "agent",
                *("join", "lab", "--adapter", ADAPTER, "--name", self.name, "--key", self.key),
                *("--token-file", self.token, "--data-dir", self.path / "agents", "--json"),
                *options,
            )
        )
        self.agent.wait_for("service.connected")

    @property
    def agent(self) -> Program:
        """The agent that runs."""
        return self.agents[-1]

    def command(self, *arguments: object) -> str:
        """Run a command that asks the service."""
        return self.network.command(self.space, *arguments, "--token-file", self.token)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return what its agent has told of a kind."""
        lines = [json.loads(line) for line in self.agent.stdout.splitlines()]
        return [line["data"] for line in lines if line["type"] == kind]

    def ask(self, path: str) -> str:
        """Return what the service answers."""
        header = f"Authorization: Bearer {Path(self.token).read_text().strip()}"
        url = f"http://127.0.0.1:9886{path}"
        done = self.space.run("curl", "--silent", "--fail", "--header", header, url)
        assert done.returncode == 0, done
        return done.stdout

    def ping(self, other: Place, count: int = 10) -> int:
        """Return how many of some pings are answered."""
        done = self.space.run("ping", "-c", str(count), "-i", "0.05", "-W", "5", other.address)
        found = re.search(r"(\d+) received", done.stdout)
        return int(found[1]) if found else 0

    # What is counted

    @property
    def id(self) -> str:
        """The id of the host."""
        return self._ledger.stem

    def accounts(self) -> Accounts | None:
        """Return what its agent has counted; None while packets wait there."""
        accounts, recovered = self._read_ledger()
        return None if recovered else accounts

    def last_accounts(self) -> Accounts:
        """Return what its agent has counted, as if it had ended now."""
        return self._read_ledger()[0]

    def _read_ledger(self) -> tuple[Accounts, int]:
        copied = self.path / "ledger"
        shutil.copyfile(self._ledger, copied)
        with closing(Ledger.open(copied)) as ledger:
            return ledger.accounts(), ledger.recovered

    @property
    def _ledger(self) -> Path:
        (found,) = (self.path / "agents").rglob("*.ledger")
        return found

    def link(self) -> int:
        """Return how many packets the kernel has handed to the adapter, dropped ones too."""
        (link,) = json.loads(self.space.ip("-j", "-s", "link", "show", "dev", ADAPTER))
        counted = link["stats64"]["tx"]
        return int(counted["packets"] + counted["dropped"])

    def datagrams(self) -> int:
        """Return how many datagrams the kernel has given to programs."""
        return self._udp()["InDatagrams"]

    def datagrams_dropped(self) -> int:
        """Return how many datagrams it has not given to a program, which was too slow."""
        return self._udp()["RcvbufErrors"]

    def _udp(self) -> dict[str, int]:
        text = self.space.run("cat", "/proc/net/snmp").stdout
        names, numbers = (line.split()[1:] for line in text.splitlines() if line[:4] == "Udp:")
        return dict(zip(names, map(int, numbers), strict=True))


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
        self.run_bus()

    def run_bus(self) -> None:
        """Start the bus."""
        self.bus = self.start(self.hub, self.path / "bus", "bus", "--listen", HUB, *self._data)
        self.bus.wait_for("runs nats-server")

    def kill_bus(self) -> None:
        """Kill the bus, and the nats-server that it runs."""
        self.bus.process.kill()
        self.bus.process.wait()
        self.hub.end_all()

    @property
    def server(self) -> int:
        """The id of the process of nats-server."""
        (child,) = (
            int(one)
            for one in ip("netns", "pids", self.hub.name).split()
            if int(one) != self.bus.process.pid
        )
        return child

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

    def hosts(self) -> dict[str, Any]:
        """Return what `wintun-api hosts` says, by the names of the hosts."""
        told = self.command(
            *(self.hub, "hosts", "lab", "--json"),
            *("--bus-data-dir", self.path / "bus-data", "--data-dir", self.path / "reader"),
        )
        return {host["name"]: host for host in json.loads(told)}
