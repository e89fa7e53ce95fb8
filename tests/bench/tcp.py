"""TCP between two hosts: through two adapters joined by a client, and through the kernel's veth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, SERVICE, Contender
from tests.bench.machine import MTU, cpu_seconds, wait_until
from tests.bench.rounds import ratio, spread
from tests.bench.tables import Table
from tests.drivers.linux.kernel import ip
from wintun_api.wire import BATCH

VETH = "veth"
PORT = "5201"
WAYS: list[tuple[str, list[str]]] = [("there", []), ("back", ["-R"])]


@dataclass(frozen=True, slots=True)
class Hosts:
    """Two namespaces that reach each other; the second has the address 10.98.SUBNET.2."""

    name: str
    one: str
    other: str
    address: str
    pids: tuple[int, ...]


def run(bench: Bench) -> list[Table]:
    """Measure iperf3 with one connection, each way, an MTU of 1420 everywhere."""
    table = Table(
        "tcp: iperf3, one connection, two hosts with an MTU of 1420, v1.batch",
        ["way", "through", "Gbit/s", "/ veth", "/ C relay", "CPU s/GB"],
        ["veth moves whole segments of 64 KiB (TSO), what a packet at a time cannot.",
         "CPU s/GB: of the service or the relays, per gigabyte; kernel and client not counted."],
    )  # fmt: skip
    with bench.field("tcp") as field, ExitStack() as stack:
        pair = [*field.add_sessions(2, "Host")]
        relays = [field.add_c_relay(BATCH) for _ in range(2)]
        hosts = [
            stack.enter_context(_joined(bench, SERVICE, pair, 1)),
            stack.enter_context(_joined(bench, C_RELAY, relays, 2)),
            stack.enter_context(_veth(3)),
        ]
        results: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for turn in range(bench.rounds):
            for way, option in WAYS[: 1 if bench.short else None]:
                for two in hosts:
                    rates = results.setdefault((way, two.name), [])
                    rates.append(_iperf3(bench, two, option))
                    bench.say(
                        f"tcp {way} {two.name} {turn + 1}/{bench.rounds}: "
                        f"{rates[-1][0] / 1e9:.2f} Gbit/s"
                    )
    for (way, name), rounds in results.items():
        own = [rate for rate, _ in rounds]
        costs = spread([cost for _, cost in rounds])
        ratios = {
            other: ratio(own, [rate for rate, _ in results[way, other]])
            for other in (VETH, C_RELAY)
            if name not in (other, VETH)
        }
        table.add(
            [
                way,
                name,
                spread(own).text(".2f", 1e-9),
                ratios[VETH].text(".3f") if VETH in ratios else "",
                ratios[C_RELAY].text() if C_RELAY in ratios else "",
                costs.text(".2f") if name != VETH else "",
            ],
            {
                "way": way,
                "contender": name,
                "bits_per_second": spread(own).as_json(),
                "cpu_seconds_per_gigabyte": costs.as_json(),
                "ratios": {other: value.as_json() for other, value in ratios.items()},
            },
        )
    return [table]


@contextmanager
def _namespace() -> Iterator[str]:
    name = f"bench-{uuid4().hex[:8]}"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        ip("netns", "del", name)


@contextmanager
def _two(devices: list[str], subnet: int) -> Iterator[list[str]]:
    """Put each device into a namespace of its own and give it an address."""
    with _namespace() as one, _namespace() as other:
        for number, (name, device) in enumerate(zip((one, other), devices, strict=True), 1):
            ip("link", "set", device, "netns", name)
            ip("-n", name, "addr", "flush", "dev", device)
            ip("-n", name, "addr", "add", f"10.98.{subnet}.{number}/24", "dev", device)
            ip("-n", name, "link", "set", device, "up", "mtu", str(MTU))
        yield [one, other]


@contextmanager
def _joined(bench: Bench, name: str, pair: list[Contender], subnet: int) -> Iterator[Hosts]:
    ends = [value for one in pair for value in (one.port, one.path)]
    client = bench.programs.start("bridge", pair[0].headers, *ends, ready="open")
    try:
        with _two([one.device for one in pair], subnet) as (one, other):
            pids = tuple({end.pid for end in pair})
            yield Hosts(name, one, other, f"10.98.{subnet}.2", pids)
            client.stop()
    finally:
        client.end()


@contextmanager
def _veth(subnet: int) -> Iterator[Hosts]:
    devices = ["benchveth0", "benchveth1"]
    ip("link", "add", devices[0], "type", "veth", "peer", "name", devices[1])
    with _two(devices, subnet) as (one, other):
        yield Hosts(VETH, one, other, f"10.98.{subnet}.2", ())


def _iperf3(bench: Bench, hosts: Hosts, option: list[str]) -> tuple[float, float]:
    """Return bits a second at the receiver, and CPU seconds per gigabyte."""
    prefix = bench.programs.prefix
    server = subprocess.Popen(
        _inside(hosts.other, [*prefix, "iperf3", "-s", "-1", "-p", PORT]),
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _listens(hosts.other), "iperf3")
        used = sum(map(cpu_seconds, hosts.pids))
        seconds = str(max(1, round(bench.seconds)))
        command = ["iperf3", "-J", "-c", hosts.address, "-p", PORT, "-t", seconds, *option]
        done = subprocess.run(
            _inside(hosts.one, [*prefix, *command]),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"iperf3 through {hosts.name}: {done.stdout}{done.stderr}")
        used = sum(map(cpu_seconds, hosts.pids)) - used
        server.wait(10)
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()
    total = json.loads(done.stdout)["end"]["sum_received"]
    return total["bits_per_second"], used / (total["bytes"] / 1e9)


def _listens(namespace: str) -> bool:
    shown = subprocess.run(
        _inside(namespace, ["ss", "-Hltn"]), capture_output=True, text=True, check=True
    ).stdout
    return f":{PORT} " in shown


def _inside(namespace: str, command: list[str]) -> list[str]:
    return ["ip", "netns", "exec", namespace, *command]
