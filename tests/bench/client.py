"""The client beside the C clients: the same service, the same load, v1.batch in both directions."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench.bench import Bench
from tests.bench.contenders import EXTENSION, SERVICE, Contender
from tests.bench.disturbance import undisturbed
from tests.bench.inject import NOWHERE
from tests.bench.machine import cpu_seconds, device_counters
from tests.bench.programs import Running
from tests.bench.python_client import BURSTS, FORMS
from tests.bench.rounds import at_least, ratio, spread
from tests.bench.tables import Table
from tests.waiting import let_pass

SIZES = (92, 1420)
C_CLIENT = "C client"
CLIENTS = (C_CLIENT, *FORMS)
# (load, client, bytes) -> what the ratio of its rate to that of the C client should be
TARGETS = {(load, BURSTS, size): at_least(0.5) for load in ("receive", "inject") for size in SIZES}


@dataclass(frozen=True, slots=True)
class Moved:
    """One measurement of one client.

    Attributes:
        rate: Packets a second, in the window.
        cpu: CPU seconds of the client per million packets.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    rate: float
    cpu: float
    others: float = 0.0


Measure = Callable[[Bench, Contender, str, int], Moved]


def receive(bench: Bench, service: Contender, client: str, size: int) -> Moved:
    """Flood the service for a while; the client counts."""
    if client == C_CLIENT:
        program = bench.programs.start(
            "drain", *service.client, bench.warm, bench.seconds, bench.idle, 1, 0, service.path,
            ready="open",
        )  # fmt: skip
    else:
        program = _python(bench, service, "drain", client, bench.warm, bench.seconds, ready="open")
    try:
        used = cpu_seconds(program.pid)
        flood = bench.programs.start(
            "flood", size, bench.load_seconds, 0, service.far_address, ready="sending"
        )
        flood.result()
        used = cpu_seconds(program.pid) - used
        counts = program.result() if client == C_CLIENT else program.stop()
    finally:
        program.end()
    got = counts["sockets"][0] if client == C_CLIENT else counts
    packets, window = got["packets"], counts["window"]
    return Moved(
        got["window_packets"] / window if window else 0.0,
        used / packets * 1e6 if packets else 0.0,
    )


def inject(bench: Bench, service: Contender, client: str, size: int) -> Moved:
    """Let the client inject for a while; the device's own counter says how much arrived."""
    if client == C_CLIENT:
        program = bench.programs.start(
            "inject", *service.client, service.path, size, service.far_address, NOWHERE,
            ready="sending",
        )  # fmt: skip
    else:
        program = _python(
            bench, service, "inject", client, size, service.far_address, NOWHERE, ready="sending"
        )
    try:
        let_pass(bench.warm)
        packets, used, begun = _look(service, program)
        let_pass(bench.seconds)
        packets_then, used_then, ended = _look(service, program)
        program.stop()
    finally:
        program.end()
    moved = packets_then - packets
    return Moved(moved / (ended - begun), (used_then - used) / moved * 1e6 if moved else 0.0)


def _python(
    bench: Bench, service: Contender, what: str, form: str, *more: object, ready: str
) -> Running:
    url = f"http://127.0.0.1:{service.port}"
    command = [
        sys.executable, "-m", "tests.bench.python_client", what, url, service.path,
        service.headers, form, *map(str, more),
    ]  # fmt: skip
    return Running([*bench.programs.prefix, *command], ready)


def _look(service: Contender, program: Running) -> tuple[int, float, float]:
    packets = device_counters(service.device).from_application
    return packets, cpu_seconds(program.pid), time.monotonic()


def run(bench: Bench) -> list[Table]:
    """Measure every client in both directions, in turns."""
    table = Table(
        "client: wintun_api.client beside the C clients, on the service with its extension if "
        "there is one, v1.batch",
        ["load", "bytes", "client", "k packets/s", "Gbit/s", "CPU s/M", "/ C client", "target"],
        [
            "CPU s/M: the client's CPU seconds per million packets. Each packet: with a look at",
            "every packet as bytes. Client: the twin without an event loop.",
        ],
    )
    loads: dict[str, Measure] = {"receive": receive, "inject": inject}
    with bench.field() as field:
        (service,) = field.add_sessions(EXTENSION if EXTENSION in field.forms else SERVICE, 1)
        for load, measure in loads.items():
            for size in SIZES:
                results: dict[str, list[Moved]] = {client: [] for client in CLIENTS}
                for turn in range(bench.rounds):
                    for client, rounds in results.items():
                        rounds.append(_measured(bench, service, measure, client, size))
                        bench.say(
                            f"client {load} {size} {client} {turn + 1}/{bench.rounds}: "
                            f"{rounds[-1].rate / 1000:.0f} k/s"
                        )
                _add_rows(table, load, size, results)
    table.add_others()
    return [table]


def _measured(bench: Bench, service: Contender, measure: Measure, client: str, size: int) -> Moved:
    moved, others = undisturbed(
        bench, [service.pid], lambda: measure(bench, service, client, size), lambda _: False
    )
    return Moved(moved.rate, moved.cpu, others)


def _add_rows(table: Table, load: str, size: int, results: dict[str, list[Moved]]) -> None:
    for client, rounds in results.items():
        rates, costs = [one.rate for one in rounds], [one.cpu for one in rounds]
        record = {
            "load": load,
            "bytes": size,
            "client": client,
            "packets_per_second": spread(rates).as_json(),
            "cpu_seconds_per_million": spread(costs).as_json(),
            "others": spread([one.others for one in rounds]).as_json(),
            "ratios": {},
        }
        cells = [
            load,
            str(size),
            client,
            spread(rates).text(".0f", 1e-3),
            spread(rates).text(".2f", size * 8e-9),
            spread(costs).text(".2f"),
        ]
        if client == C_CLIENT:
            cells += ["", ""]
        else:
            against = ratio(rates, [one.rate for one in results[C_CLIENT]])
            target = TARGETS.get((load, client, size))
            record["ratios"] = {C_CLIENT: against.as_json() | {"target": str(target or "")}}
            what = f"client {load} v1.batch, {size} bytes, {client} / {C_CLIENT}"
            cells += [against.text(), table.judge(what, target, against.median)]
        table.add(cells, record)
