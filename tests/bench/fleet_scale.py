"""Many hosts on one bus, without traffic: how they start, what they send, what a restart costs.

All agents of this machine share two processes; each has its own key, connection and claims.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench.bench import Bench
from tests.bench.disturbance import undisturbed
from tests.bench.machine import cpu_seconds, resident_bytes
from tests.bench.rounds import Spread, spread
from tests.bench.tables import Table
from tests.fleet.server.servers import BOUNDS, LAB, free_port, serving
from tests.running import running
from tests.waiting import let_pass, pass_by, until
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.keys.identity import Identity, KeyLine
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.members.card import Card
from wintun_api.fleet.members.claims import PAUSE, About
from wintun_api.fleet.members.inventory import RENEWAL
from wintun_api.fleet.network import claim_key
from wintun_api.fleet.server.certificates import make_authority
from wintun_api.fleet.server.plan import Listening, Plan, PlannedNetwork, User

COUNTS: Final = (10, 30, 100)
PROCESSES: Final = 2
ROUNDS: Final = 3  # at most: each of them takes a minute for every count
CHANGES: Final = 10  # of routes, in every round
CYCLES: Final = 4  # in which every host renews its card, while nothing else happens
LINK: Final = 66  # bytes of Ethernet, IPv4 and TCP with a time stamp, in front of each segment


@dataclass(frozen=True, slots=True)
class Line:
    """What has passed between the server and all hosts, on all their connections.

    Attributes:
        down: Bytes to the hosts, with the headers of all segments.
        up: Bytes to the server.
        segments: How many segments these were.
    """

    down: int
    up: int
    segments: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """What hosts do that do nothing; traffic in bytes a second.

    Attributes:
        down: To each host.
        up: From each host.
        segments: Segments of TCP a second, of one host, both ways.
        server_cpu: CPU seconds a second.
        agent_cpu: CPU seconds a second, of one host.
        server_memory: Bytes.
        agent_memory: Bytes of one host.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    down: float
    up: float
    segments: float
    server_cpu: float
    agent_cpu: float
    server_memory: int
    agent_memory: float
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """How a network begins and changes, in seconds.

    Attributes:
        start: From the first connection until all hosts know all hosts and prefixes.
        server_cpu: CPU seconds that the server had for it.
        agent_cpu: CPU seconds of one host.
        change: From the claim to a prefix until all hosts have the route.
        back: From the moment at which a server that was killed listens again until all hosts are
            connected.
        whole: And until each has a new card of every host.
        restart_server_cpu: CPU seconds that the server had for it.
        restart_agent_cpu: CPU seconds of one host.
    """

    start: float
    server_cpu: float
    agent_cpu: float
    change: float
    back: float
    whole: float
    restart_server_cpu: float
    restart_agent_cpu: float


def run(bench: Bench) -> list[Table]:
    """Measure networks of several sizes in turns."""
    counts = COUNTS if not bench.short else (3,)
    results: dict[int, list[tuple[Life, Quiet]]] = {count: [] for count in counts}
    for turn in range(min(bench.rounds, ROUNDS)):
        for count in counts:
            life, quiet = _measured(bench, count)
            results[count].append((life, quiet))
            bench.say(
                f"fleet_scale {count} {turn + 1}: {life.start:.1f} s, {quiet.down:.0f} B/s to each"
            )
    return [
        _life({count: [life for life, _ in found] for count, found in results.items()}),
        _idle({count: [quiet for _, quiet in found] for count, found in results.items()}),
    ]


def _life(results: dict[int, list[Life]]) -> Table:
    table = Table(
        "fleet_scale: hosts that start, a route that changes, a server that was killed",
        ["hosts", "start s", "CPU s/agent", "server", "route ms", "back s", "whole s",
         "CPU s/agent", "server"],
        ["start: from the first connection until all know all hosts and prefixes.",
         "route: from the claim to a prefix until all hosts have the route.",
         "back, whole: from the moment at which the server listens again until all hosts are",
         "connected, and until each has a new card of every host."],
    )  # fmt: skip
    for count, rounds in results.items():
        told = _spreads(rounds)
        table.add(
            [str(count), told["start"].text(".1f"), told["agent_cpu"].text(),
             told["server_cpu"].text(), told["change"].text(".1f", 1e3), told["back"].text(),
             told["whole"].text(), told["restart_agent_cpu"].text(),
             told["restart_server_cpu"].text()],
            {"hosts": count, **{name: one.as_json() for name, one in told.items()}},
        )  # fmt: skip
    return table


def _idle(results: dict[int, list[Quiet]]) -> Table:
    table = Table(
        "fleet_scale: hosts without traffic, each by itself",
        ["hosts", "down B/s", "up B/s", "segments/s", "agent CPU ms/s", "agent MiB",
         "server CPU ms/s", "server MiB"],
        [f"The service is not counted. Traffic has {LINK} bytes for the headers of each segment,",
         "without TLS."],
    )  # fmt: skip
    for count, rounds in results.items():
        told = _spreads(rounds)
        table.add(
            [str(count), told["down"].text(".0f"), told["up"].text(".0f"),
             told["segments"].text(".1f"), told["agent_cpu"].text(".2f", 1e3),
             told["agent_memory"].text(".1f", 2**-20), told["server_cpu"].text(".1f", 1e3),
             told["server_memory"].text(".0f", 2**-20)],
            {"hosts": count, **{name: one.as_json() for name, one in told.items()}},
        )  # fmt: skip
    table.notes += _formulas(results)
    table.add_others()
    return table


def _spreads(rounds: Sequence[Life] | Sequence[Quiet]) -> dict[str, Spread]:
    names = [one.name for one in fields(rounds[0])]
    return {name: spread([getattr(one, name) for one in rounds]) for name in names}


def _formulas(results: dict[int, list[Quiet]]) -> list[str]:
    """Return what follows from the smallest and the largest network, and how well it holds."""
    if len(results) < 2:
        return []
    lines = []
    for name in ("down", "up"):
        found = {
            count: median(getattr(one, name) for one in rounds) for count, rounds in results.items()
        }
        few, *between, many = sorted(found)
        slope = (found[many] - found[few]) / (many - few)
        constant = found[few] - slope * few
        said = [
            f"{one} hosts {constant + slope * one:.0f} (measured {found[one]:.0f})"
            for one in between
        ]
        lines.append(f"{name} = {constant:.0f} + {slope:.1f} x hosts; so {', '.join(said)}.")
    return lines


def _measured(bench: Bench, count: int) -> tuple[Life, Quiet]:
    """Start a network, leave it alone, and kill its server."""
    directory = bench.programs.path(f"scale-{count}-{time.monotonic_ns()}")
    directory.mkdir(mode=0o700)
    with running(directory) as service, _network(directory, count) as network:
        guids = [
            service.adapter(name=f"host{n}", addresses=[f"10.{n >> 8}.{n & 255}.1/24"])["guid"]
            for n in range(count)
        ]
        told = {"url": service.url, "token": service.secret}
        with _swarms(network, directory, guids, told) as swarms:
            began, server, agents = time.monotonic(), cpu_seconds(network.pid), swarms.cpu
            swarms.all("begin")
            start = max(swarms.all("whole", hosts=count, routes=count)) - began
            server, agents = cpu_seconds(network.pid) - server, swarms.cpu - agents
            change = asyncio.run(_changes(network, swarms, count, 2 if bench.short else CHANGES))
            let_pass(0.1 if bench.short else RENEWAL)  # until the last news are told
            quiet, others = undisturbed(
                bench,
                swarms.pids,
                partial(
                    _left_alone, network, swarms, count, 0.5 if bench.short else CYCLES * RENEWAL
                ),
            )
            life = Life(start, server, agents / count, change, *_restarted(network, swarms, count))
    return life, replace(quiet, others=others)


def _left_alone(network: Network, swarms: Swarms, count: int, seconds: float) -> Quiet:
    """Watch what hosts do that do nothing."""
    began, before = time.monotonic(), network.line()
    server, agents = cpu_seconds(network.pid), swarms.cpu
    let_pass(seconds)
    took, after = time.monotonic() - began, network.line()
    return Quiet(
        (after.down - before.down) / took / count,
        (after.up - before.up) / took / count,
        (after.segments - before.segments) / took / count,
        (cpu_seconds(network.pid) - server) / took,
        (swarms.cpu - agents) / took / count,
        resident_bytes(network.pid),
        sum(map(resident_bytes, swarms.pids)) / count,
    )


async def _changes(network: Network, swarms: Swarms, hosts: int, times: int) -> float:
    """Claim prefixes as one more host; return how long it takes until all hosts know one."""
    line = network.probe
    took = []
    bus = await NatsBus.connect(line)
    try:
        cards, claims = await bus.bucket(LAB.hosts), await bus.bucket(LAB.routes)
        host, epoch = line.identity.host, time.time_ns()
        about = About(adapter="probe", guid="", epoch=epoch).model_dump_json().encode()
        for one in range(times):
            await cards.put(host, Card(name="probe", epoch=epoch).encoded())
            await pass_by(2 * PAUSE)  # a single change is not delayed
            knowing = swarms.ask("whole", hosts=hosts + 1, routes=hosts + one + 1)
            began = time.monotonic()
            await claims.create(claim_key(host, ip_network(f"10.255.{one}.0/24")), about)
            took.append(max(await asyncio.to_thread(knowing)) - began)
        gone = swarms.ask("whole", hosts=hosts, routes=hosts)
        for one in range(times):
            await claims.delete(claim_key(host, ip_network(f"10.255.{one}.0/24")))
        await cards.delete(host)
        await asyncio.to_thread(gone)
    finally:
        await bus.aclose()
    return median(took)


def _restarted(network: Network, swarms: Swarms, count: int) -> tuple[float, float, float, float]:
    """Kill the server and start it again, with all that it keeps."""
    network.kill()
    swarms.all("connected", there=False)
    agents = swarms.cpu
    network.start()
    began, since_ns = time.monotonic(), time.time_ns()
    back = max(swarms.all("connected", there=True)) - began
    whole = max(swarms.all("whole", hosts=count, routes=count, since_ns=since_ns)) - began
    return back, whole, cpu_seconds(network.pid), (swarms.cpu - agents) / count


class Network:
    """A server with the keys of many hosts."""

    def __init__(self, directory: Path, lines: list[KeyLine], port: int) -> None:
        self.lines = lines[1:]
        self.probe = lines[0]
        self._port = port
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process of the server."""
        assert self._process is not None
        return self._process.pid

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Take the server that runs."""
        self._process = process

    def kill(self) -> None:
        """End the server as a failure does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def start(self) -> None:
        """Start it again, and wait until it listens."""
        assert self._process is not None
        command: Any = self._process.args
        with (self._directory / "second.log").open("wb") as log:
            self._process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        until(lambda: "Server is ready" in (self._directory / "second.log").read_text("utf-8"))

    def line(self) -> Line:
        """Read what the system has counted on the connections of the hosts."""
        shown = subprocess.run(
            ["ss", "-tinH", "state", "established", f"( dport = :{self._port} )"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

        def total(word: str) -> int:
            return sum(map(int, re.findall(rf"\b{word}:(\d+)", shown)))

        came, left = total("segs_in"), total("segs_out")
        return Line(
            total("bytes_received") + LINK * came, total("bytes_sent") + LINK * left, came + left
        )


@contextmanager
def _network(directory: Path, count: int) -> Iterator[Network]:
    """Run a server that knows the keys of so many hosts, and of one more."""
    port = free_port()
    identities = [Identity.make() for _ in range(count + 1)]
    users = tuple(User(one.public_key, Role.HOST, f"host{n}") for n, one in enumerate(identities))
    networks = (PlannedNetwork(LAB, Identity.make(), users),)
    plan = Plan("wintun-api-bench", Listening(port=port), BOUNDS, Identity.make(), networks)
    # It is not used here, but to read those of the system instead takes each agent 60 ms.
    authority = make_authority("wintun-api-bench").certificate
    lines = [KeyLine(LAB, (plan.listening.own_url,), one, authority) for one in identities]
    network = Network(directory, lines, port)
    with serving(directory / "bus", plan) as server:
        network.adopt(server.process)
        try:
            yield network
        finally:
            network.kill()


class Swarms:
    """The processes with agents."""

    def __init__(
        self, processes: list[subprocess.Popen[str]], shares: list[dict[str, Any]]
    ) -> None:
        self._processes = processes
        self._shares = shares

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes."""
        return tuple(one.pid for one in self._processes)

    @property
    def cpu(self) -> float:
        """CPU seconds that they have had."""
        return sum(map(cpu_seconds, self.pids))

    def all(self, do: str, **said: Any) -> list[float]:
        """Have all processes do something at the same time, and return what they answer."""
        return self.ask(do, **said)()

    def ask(self, do: str, **said: Any) -> Callable[[], list[float]]:
        """Have all processes do something; what is returned waits for their answers."""
        for process, share in zip(self._processes, self._shares, strict=True):
            assert process.stdin is not None
            more = share if do == "begin" else {}
            process.stdin.write(json.dumps({"do": do, **said, **more}) + "\n")
            process.stdin.flush()

        def answers() -> list[float]:
            found: list[float] = []
            for process in self._processes:
                assert process.stdout is not None
                line = process.stdout.readline()
                if not line:
                    raise RuntimeError("A process with agents has ended; see above.")
                found += json.loads(line) or []
            return found

        return answers


@contextmanager
def _swarms(
    network: Network, directory: Path, guids: list[str], told: dict[str, str]
) -> Iterator[Swarms]:
    """Start the processes with agents; the agents begin when they are told."""
    command = [sys.executable, "-m", "tests.bench.swarm"]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)
    ]
    shares: list[dict[str, Any]] = [
        {
            **told,
            "directory": str(directory),
            "lines": [one.encode() for one in network.lines[number::PROCESSES]],
            "guids": guids[number::PROCESSES],
        }
        for number in range(PROCESSES)
    ]
    swarms = Swarms(processes, shares)
    try:
        swarms.all("connected", there=True)  # they have no agents yet, so they only say hello
        yield swarms
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()
        for process in processes:
            process.wait(60)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()
