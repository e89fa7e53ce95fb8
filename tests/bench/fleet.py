"""Two hosts that have joined a network over NATS, beside what one service carries by itself.

What belongs to the bus runs on all cores: two services, two agents, the server and the load. One
service and its clients have the cores that they have in the other parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx

from tests.bench import receive
from tests.bench.bench import Bench
from tests.bench.contenders import Contender, Field
from tests.bench.disturbance import undisturbed
from tests.bench.hosts import Hosts, apart, inside, joined
from tests.bench.machine import cpu_seconds
from tests.bench.rounds import at_least, at_most, ratio, spread
from tests.bench.tables import Table
from tests.bench.tcp import iperf3
from tests.cli.commands import Program
from tests.drivers.linux.kernel import ip
from tests.waiting import let_pass

# What joins two hosts: a bus, or a client of the one service that has both adapters.
BUS, CLIENT, PYTHON_CLIENT = "bus", "C client", "Python client"
OFFLOAD = "C client, offload"
ALONE = "one service"
SIZES = (92, 1420)
INTERVAL = 0.001
PROBE_SIZE = 92
# A ratio of the bus to what one service gives its client; to hosts that a client joins that is
# written in Python, as agents are; and to hosts that a client joins without offload.
RATE, TRIP, TCP = at_least(0.25), at_most(3), at_least(0.8 / 1.45)


@dataclass(frozen=True, slots=True)
class Carried:
    """One measurement.

    Attributes:
        value: Packets or bits a second, or the seconds of a round trip.
        cpu: CPU seconds per million packets or gigabyte, of all that stands between the hosts.
        late: What one round trip of a hundred exceeds, in seconds.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    value: float
    cpu: float = 0.0
    late: float = 0.0
    others: float = 0.0


@dataclass(frozen=True, slots=True)
class Joined:
    """Two hosts on a bus.

    Attributes:
        hosts: Their namespaces.
        behind: An address of a network behind the second host, where nothing answers.
        session: The URL of the second host's session.
        headers: What a request for it needs.
    """

    hosts: Hosts
    behind: str
    session: str
    headers: dict[str, str]


def run(bench: Bench) -> list[Table]:
    """Measure packets a second, round trips and TCP."""
    with bench.field() as field, ExitStack() as stack:
        form = field.forms[-1]
        alone, *rest = field.add_sessions(form, 5)
        local = stack.enter_context(joined(bench, CLIENT, rest[:2], 100))
        python = stack.enter_context(joined(bench, PYTHON_CLIENT, rest[2:], 104, in_python=True))
        bus = stack.enter_context(_network(bench, _two(field, form), 101))
        tables = [_rates(bench, alone, bus), _trips(bench, (local, python, bus.hosts))]
    with bench.field() as field, ExitStack() as stack:
        form = field.tcp_forms[-1]  # with offload, where there is one
        plain = stack.enter_context(
            joined(bench, CLIENT, field.add_sessions(field.forms[-1], 2), 105)
        )
        local = stack.enter_context(joined(bench, OFFLOAD, field.add_sessions(form, 2), 102))
        bus = stack.enter_context(_network(bench, _two(field, form), 103))
        tables.append(_tcp(bench, (plain, local, bus.hosts)))
    for table in tables:
        table.add_others()
    return tables


def _two(field: Field, form: str) -> list[Contender]:
    """Start two services with a session each."""
    return [one for _ in range(2) for one in field.add_sessions(form, 1, is_pinned=False)]


def _rates(bench: Bench, alone: Contender, bus: Joined) -> Table:
    table = Table(
        "fleet: packets between two hosts over a bus, a flood at full speed",
        ["bytes", "through", "k packets/s", "Gbit/s", "CPU s/M", f"/ {ALONE}", "target"],
        [f"{ALONE}: what it gives a client in v1.batch. There is no offload. CPU s/M: CPU seconds",
         "per million packets of the services, the agents and the server; the flood and the client",
         "are not counted."],
    )  # fmt: skip
    for size in SIZES[:: 2 if bench.short else 1]:
        ways: dict[str, Callable[[], Carried]] = {
            ALONE: partial(_given, bench, alone, size),
            BUS: partial(_flooded, bench, bus, size),
        }
        results = _turns(bench, f"{size} bytes", ways, {ALONE: (alone.pid,), BUS: bus.hosts.pids})
        for name, rounds in results.items():
            rates = spread([one.value for one in rounds])
            costs = spread([one.cpu for one in rounds])
            against = ratio(rates.values, [one.value for one in results[ALONE]])
            target = RATE if name == BUS else None
            table.add(
                [str(size), name, rates.text(".0f", 1e-3), rates.text(".2f", size * 8e-9),
                 costs.text(".1f"), against.text(),
                 table.judge(f"fleet {size} bytes, {BUS} / {ALONE}", target, against.median)],
                {"bytes": size, "through": name, "packets_per_second": rates.as_json(),
                 "cpu_seconds_per_million": costs.as_json(), "ratio": against.as_json(),
                 "others": spread([one.others for one in rounds]).as_json()},
            )  # fmt: skip
    return table


def _trips(bench: Bench, pairs: tuple[Hosts, ...]) -> Table:
    table = Table(
        "fleet: round trip between programs on two hosts",
        ["through", "p50 us", "p99 us", f"p50 / {CLIENT}", f"p50 / {PYTHON_CLIENT}", "target"],
        ["C client, Python client: a program that gives each host's packets to the other, at the",
         "one service that has both adapters. Agents are programs in Python, too."],
    )  # fmt: skip
    ways: dict[str, Callable[[], Carried]] = {
        two.name: partial(_probed, bench, two) for two in pairs
    }
    results = _turns(bench, "round trip", ways, _pids(pairs))
    for name, rounds in results.items():
        p50, p99 = (spread([getattr(one, field) for one in rounds]) for field in ("value", "late"))
        against_c, against = (
            ratio(p50.values, [one.value for one in results[other]])
            for other in (CLIENT, PYTHON_CLIENT)
        )
        target = TRIP if name == BUS else None
        table.add(
            [name, p50.text(".0f", 1e6), p99.text(".0f", 1e6), against_c.text(), against.text(),
             table.judge(f"fleet round trip, {BUS} / {PYTHON_CLIENT}", target, against.median)],
            {"through": name, "p50": p50.as_json(), "p99": p99.as_json(),
             "ratio_to_c": against_c.as_json(), "ratio": against.as_json(),
             "others": spread([one.others for one in rounds]).as_json()},
        )  # fmt: skip
    return table


def _tcp(bench: Bench, pairs: tuple[Hosts, ...]) -> Table:
    table = Table(
        "fleet: TCP between two hosts, one connection",
        ["through", "Gbit/s", "CPU s/GB", f"/ {CLIENT}", f"/ {OFFLOAD}", "target"],
        ["The services of the bus have offload, where the installation has it."],
    )

    def transferred(two: Hosts) -> Carried:
        transfer = iperf3(bench, two, [], is_pinned=two.name != BUS)
        return Carried(transfer.rate, transfer.cpu)

    ways: dict[str, Callable[[], Carried]] = {two.name: partial(transferred, two) for two in pairs}
    results = _turns(bench, "TCP", ways, _pids(pairs))
    for name, rounds in results.items():
        rates = spread([one.value for one in rounds])
        costs = spread([one.cpu for one in rounds])
        against, against_offload = (
            ratio(rates.values, [one.value for one in results[other]])
            for other in (CLIENT, OFFLOAD)
        )
        target = TCP if name == BUS else None
        table.add(
            [name, rates.text(".2f", 1e-9), costs.text(".1f"), against.text(),
             against_offload.text(),
             table.judge(f"fleet TCP, {BUS} / {CLIENT}", target, against.median)],
            {"through": name, "bits_per_second": rates.as_json(),
             "cpu_seconds_per_gigabyte": costs.as_json(), "ratio": against.as_json(),
             "ratio_to_offload": against_offload.as_json(),
             "others": spread([one.others for one in rounds]).as_json()},
        )  # fmt: skip
    return table


def _pids(pairs: tuple[Hosts, ...]) -> dict[str, tuple[int, ...]]:
    return {two.name: two.pids + two.bridge for two in pairs}


def _turns(
    bench: Bench,
    what: str,
    ways: dict[str, Callable[[], Carried]],
    pids: dict[str, tuple[int, ...]],
) -> dict[str, list[Carried]]:
    """Measure every way once in each round."""
    results: dict[str, list[Carried]] = {name: [] for name in ways}
    for turn in range(bench.rounds):
        for name, measure in ways.items():
            carried, others = undisturbed(bench, pids[name], measure)
            results[name].append(replace(carried, others=others))
            bench.say(f"fleet {what} {name} {turn + 1}/{bench.rounds}: {carried.value:.4g}")
    return results


def _given(bench: Bench, alone: Contender, size: int) -> Carried:
    carried = receive.measure(bench, alone, size)
    return Carried(carried.rate, carried.cpu)


def _flooded(bench: Bench, bus: Joined, size: int) -> Carried:
    """Flood the network behind the second host, whose kernel drops what arrives there."""
    flood = bench.programs.start(
        "flood", size, bench.load_seconds, 0, bus.behind, ready="sending",
        prefix=inside(bus.hosts.one, []),
    )  # fmt: skip
    try:
        let_pass(bench.warm)
        began, before = time.monotonic(), _arrived(bus)
        used = sum(map(cpu_seconds, bus.hosts.pids))
        let_pass(bench.seconds)
        seconds, packets = time.monotonic() - began, _arrived(bus) - before
        used = sum(map(cpu_seconds, bus.hosts.pids)) - used
        flood.result()
    finally:
        flood.end()
    let_pass(bench.idle)  # what still waits on the way
    return Carried(packets / seconds, used / max(packets, 1) * 1e6)


def _arrived(bus: Joined) -> int:
    """Return how many packets the second service has injected so far.

    With offload, the device counts packets that it was given in one piece once.
    """
    answer = httpx.get(bus.session, headers=bus.headers).raise_for_status().json()
    return int(answer["counters"]["injected"]["packets"])


def _probed(bench: Bench, two: Hosts) -> Carried:
    """Send one datagram after the other, which a program on the second host sends back."""
    start, pinned = bench.programs.start, [] if two.name == BUS else bench.programs.prefix
    reflecting = start("reflect", ready="ready", prefix=inside(two.other, pinned))
    try:
        within = inside(two.one, pinned)
        probe = (two.address, bench.warm, INTERVAL, PROBE_SIZE)
        start("probe", *probe, ready="sending", prefix=within).result()
        probe = (two.address, bench.seconds, INTERVAL, PROBE_SIZE)
        times = start("probe", *probe, ready="sending", prefix=within).result()
        reflecting.stop()
    finally:
        reflecting.end()
    return Carried(times["p50"], late=times["p99"])


@contextmanager
def _network(bench: Bench, ends: list[Contender], subnet: int) -> Iterator[Joined]:
    """Join two adapters over a bus of their own, each in a namespace of its own."""
    first, second = ends
    directory, behind = bench.programs.path(f"bus{subnet}"), f"10.97.{subnet}"
    with apart([first.device, second.device], subnet) as (one, other), ExitStack() as stack:
        ip("-n", one, "route", "add", f"{behind}.0/24", "dev", first.device)
        bus = stack.enter_context(closing(Program(directory, "bus", "--data-dir", str(directory))))
        bus.wait_for("runs nats-server")
        agents = []
        for number, end in enumerate(ends, 1):
            prefixes = [f"10.98.{subnet}.{number}/32", *([f"{behind}.0/24"] if number == 2 else [])]
            agent = Program(
                directory / f"agent{number}",
                *("join", "lab", "--json", "--adapter", f"Bench {end.subnet}"),
                *(word for prefix in prefixes for word in ("--prefix", prefix)),
                *("--name", f"host{number}", "--data-dir", str(directory / f"host{number}")),
                *("--bus-data-dir", str(directory), "--url", f"http://127.0.0.1:{end.port}"),
                WINTUN_API_TOKEN=token_of(end),
            )
            agents.append(stack.enter_context(closing(agent)))
        for agent in agents:
            agent.wait_for("host.joined")
            agent.wait_for("service.connected")
        pids = {first.pid: "services", second.pid: "services", _child(bus.process.pid): "server"}
        pids |= {agent.process.pid: "agents" for agent in agents}
        hosts = Hosts(BUS, one, other, f"10.98.{subnet}.2", tuple(pids))
        session = f"http://127.0.0.1:{second.port}/v1/sessions/{second.session}"
        yield Joined(hosts, f"{behind}.9", session, {"Authorization": f"Bearer {token_of(second)}"})


def token_of(end: Contender) -> str:
    """Return the token of the service that a contender is."""
    return end.headers.split()[-1]


def _child(pid: int) -> int:
    """Return the process that another one runs."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
