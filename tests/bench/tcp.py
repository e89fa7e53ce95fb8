"""TCP between two hosts: through two adapters joined by a client, and through the kernel's veth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.bench.bench import Bench
from tests.bench.contenders import (
    C_RELAY,
    C_RELAY_OFFLOAD,
    EXTENSION_OFFLOAD,
    SERVICE,
)
from tests.bench.disturbance import undisturbed
from tests.bench.hosts import Hosts, apart, inside, joined
from tests.bench.machine import MTU, cpu_seconds, wait_until
from tests.bench.rounds import as_before, at_least, ratio, spread
from tests.bench.tables import Table
from tests.drivers.linux.kernel import ip
from wintun_api.wire import BATCH

VETH = "veth"
SEGMENT = MTU - 52  # IPv4, TCP and its time stamps
PORT = "5201"
# (who, beside whom) -> what the ratio of their rates should be
TARGETS = {
    (EXTENSION_OFFLOAD, C_RELAY): at_least(1.5),
    (EXTENSION_OFFLOAD, C_RELAY_OFFLOAD): at_least(0.6),
    (SERVICE, C_RELAY): as_before(0.44),
}
WAYS: list[tuple[str, list[str]]] = [("there", []), ("back", ["-R"])]


@dataclass(frozen=True, slots=True)
class Transfer:
    """One measurement.

    Attributes:
        rate: Bits a second at the receiver.
        cpu: CPU seconds per gigabyte of what stands between the hosts.
        again: Segments that the sender sent more than once, of a million.
        broken: Segments that a host refused for their checksum.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    rate: float
    cpu: float
    again: float
    broken: int
    others: float = 0.0


def run(bench: Bench) -> list[Table]:
    """Measure iperf3 with one connection, each way, an MTU of 1420 everywhere."""
    table = Table(
        "tcp: iperf3, one connection, two hosts with an MTU of 1420, v1.batch",
        ["way", "through", "Gbit/s", "/ veth", "/ C relay", "target", "/ C relay, offload",
         "target", "again/M", "CPU s/GB"],
        ["veth moves whole segments of 64 KiB (TSO). With offload, the device hands those over and",
         "takes them, and the client still sees packets of 1420 bytes.",
         "again/M: of a million segments, those that TCP sent again. CPU s/GB: of the service or",
         "the relays, per gigabyte; kernel and client not counted."],
    )  # fmt: skip
    with bench.field() as field, ExitStack() as stack:
        pairs = {
            C_RELAY: [field.add_c_relay(BATCH) for _ in range(2)],
            C_RELAY_OFFLOAD: [field.add_c_relay(BATCH, offload=True) for _ in range(2)],
        }
        for name in field.tcp_forms[:: 3 if bench.short else 1]:  # the plainest and the quickest
            pairs[name] = field.add_sessions(name, 2)
        if EXTENSION_OFFLOAD not in field.tcp_forms:
            table.notes.append("This installation has no setting for offload, or no extension.")
        hosts = [
            stack.enter_context(_veth(1)),
            *(
                stack.enter_context(joined(bench, name, pair, subnet))
                for subnet, (name, pair) in enumerate(pairs.items(), 2)
            ),
        ]
        results: dict[tuple[str, str], list[Transfer]] = {}
        for turn in range(bench.rounds):
            for way, option in WAYS[: 1 if bench.short else None]:
                for two in hosts:
                    rounds = results.setdefault((way, two.name), [])
                    transfer, others = undisturbed(
                        bench, two.pids + two.bridge, partial(iperf3, bench, two, option)
                    )
                    rounds.append(replace(transfer, others=others))
                    bench.say(
                        f"tcp {way} {two.name} {turn + 1}/{bench.rounds}: "
                        f"{rounds[-1].rate / 1e9:.2f} Gbit/s"
                    )
    _add_rows(table, results)
    table.add_others()
    return [table]


def _add_rows(table: Table, results: dict[tuple[str, str], list[Transfer]]) -> None:
    for (way, name), rounds in results.items():
        own = [one.rate for one in rounds]
        costs = spread([one.cpu for one in rounds])
        again = spread([one.again for one in rounds])
        record: dict[str, Any] = {
            "way": way,
            "contender": name,
            "bits_per_second": spread(own).as_json(),
            "cpu_seconds_per_gigabyte": costs.as_json(),
            "again_per_million": again.as_json(),
            "others": spread([one.others for one in rounds]).as_json(),
            "broken": sum(one.broken for one in rounds),
            "ratios": {},
        }
        cells = [way, name, spread(own).text(".2f", 1e-9)]
        for other in (VETH, C_RELAY, C_RELAY_OFFLOAD):
            target = TARGETS.get((name, other))
            if name in (other, VETH):
                cells += [""] if other == VETH else ["", ""]
                continue
            against = ratio(own, [one.rate for one in results[way, other]])
            record["ratios"][other] = against.as_json() | {"target": str(target or "")}
            if other == VETH:
                cells.append(against.text(".3f"))
            else:
                what = f"tcp {way}, {name} / {other}"
                cells += [against.text(), table.judge(what, target, against.median)]
        cells += [again.text(".0f"), costs.text(".2f") if name != VETH else ""]
        table.add(cells, record)


@contextmanager
def _veth(subnet: int) -> Iterator[Hosts]:
    devices = ["benchveth0", "benchveth1"]
    ip("link", "add", devices[0], "type", "veth", "peer", "name", devices[1])
    with apart(devices, subnet) as (one, other):
        yield Hosts(VETH, one, other, f"10.98.{subnet}.2")


def iperf3(
    bench: Bench,
    hosts: Hosts,
    option: list[str],
    address: str | None = None,
    *,
    is_pinned: bool = True,
) -> Transfer:
    """Transfer for a while, to another address of the second host where one is given."""
    prefix = bench.programs.prefix if is_pinned else []
    server = subprocess.Popen(
        inside(hosts.other, [*prefix, "iperf3", "-s", "-1", "-p", PORT]),
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _listens(hosts.other), "iperf3")
        used, broken = sum(map(cpu_seconds, hosts.pids)), _broken(hosts)
        seconds = str(max(1, round(bench.seconds)))
        command = ["iperf3", "-J", "-c", address or hosts.address, "-p", PORT, "-t", seconds,
                   "--connect-timeout", "5000", *option]  # fmt: skip
        done = subprocess.run(
            inside(hosts.one, [*prefix, *command]),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"iperf3 through {hosts.name}: {done.stdout}{done.stderr}")
        used, broken = sum(map(cpu_seconds, hosts.pids)) - used, _broken(hosts) - broken
        server.wait(10)
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()
    end = json.loads(done.stdout)["end"]
    total = end["sum_received"]
    return Transfer(
        rate=total["bits_per_second"],
        cpu=used / (total["bytes"] / 1e9),
        again=end["sum_sent"]["retransmits"] * 1e6 / (end["sum_sent"]["bytes"] / SEGMENT),
        broken=broken,
    )


def _broken(hosts: Hosts) -> int:
    """Return how many segments both hosts have refused for their checksum so far."""
    return sum(_counter(name, "Tcp:", "InCsumErrors") for name in (hosts.one, hosts.other))


def _counter(namespace: str, group: str, name: str) -> int:
    shown = subprocess.run(
        inside(namespace, ["cat", "/proc/net/snmp"]), capture_output=True, text=True, check=True
    ).stdout
    heads, values = (line.split() for line in shown.splitlines() if line.startswith(group))
    return int(values[heads.index(name)])


def _listens(namespace: str) -> bool:
    shown = subprocess.run(
        inside(namespace, ["ss", "-Hltn"]), capture_output=True, text=True, check=True
    ).stdout
    return f":{PORT} " in shown
