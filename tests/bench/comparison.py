"""All contenders, all sizes, in turns: what receiving and injecting have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from tests.bench.bench import Bench
from tests.bench.contenders import C_RELAY, HAND_WRITTEN, Contender
from tests.bench.disturbance import undisturbed
from tests.bench.rounds import Target, ratio, spread
from tests.bench.tables import Table
from wintun_api.wire import BATCH, RAW

SIZES = (92, 576, 1420)
COLUMNS = [
    "bytes", "framing", "contender", "k packets/s", "Gbit/s", "lost %", "core %", "CPU s/M",
    "CPU / C relay", "/ C relay", "target", "/ hand-written", "target",
]  # fmt: skip

# Who had that much of a core was not kept from it.
WHOLE_CORE = 0.85


@dataclass(frozen=True, slots=True)
class Carried:
    """One measurement of one contender.

    Attributes:
        rate: Packets a second at the far end, in the window.
        lost: Share of the sent packets that did not arrive.
        ring_lost: Share that the host dropped, as the device's queue was full.
        cpu: CPU seconds of the contender per million packets.
        disorder: Packets that arrived behind a later one.
        others: Share of the machine's CPU time that other programs had meanwhile.
    """

    rate: float
    lost: float
    cpu: float
    ring_lost: float = 0.0
    disorder: int = 0
    others: float = 0.0

    @property
    def core(self) -> float:
        """The share of a core that the contender had."""
        return self.rate * self.cpu / 1e6


Measure = Callable[[Bench, Contender, int], Carried]
# (who, beside whom, framing, size in bytes) -> what the ratio of their rates should be
Targets = dict[tuple[str, str, str, int], Target]


def compare(
    bench: Bench, part: str, measure: Measure, targets: Targets, *, title: str, notes: list[str]
) -> Table:
    """Measure every contender at every size."""
    table = Table(f"{part}: {title}", COLUMNS, notes)
    with bench.field() as field:
        contenders = [
            *field.add_services(),
            field.add_c_relay(BATCH),
            field.add_c_relay(RAW),
            field.add_hand_written(),
            *map(field.add_peer, bench.peers),
        ]
        # Those of one framing follow one another, for their ratio is the claim.
        contenders.sort(key=lambda one: one.framing)
        for size in SIZES[:: 2 if bench.short else 1]:
            results: dict[Contender, list[Carried]] = {one: [] for one in contenders}
            for turn in range(bench.rounds):
                for one in contenders:
                    carried, others = undisturbed(
                        bench,
                        [one.pid],
                        partial(measure, bench, one, size),
                        lambda carried: carried.core >= WHOLE_CORE,
                    )
                    results[one].append(replace(carried, others=others))
                    bench.say(
                        f"{part} {size} {one.framing} {one.name} {turn + 1}/{bench.rounds}: "
                        f"{results[one][-1].rate / 1000:.0f} k/s"
                    )
            _add_rows(table, part, size, results, targets)
    table.add_others()
    return table


def _add_rows(
    table: Table, part: str, size: int, results: dict[Contender, list[Carried]], targets: Targets
) -> None:
    rates = {(one.name, one.framing): [r.rate for r in rounds] for one, rounds in results.items()}
    costs = {(one.name, one.framing): [r.cpu for r in rounds] for one, rounds in results.items()}
    for one, rounds in results.items():
        own = rates[one.name, one.framing]
        busy = spread([r.core for r in rounds])
        record: dict[str, Any] = {
            "bytes": size,
            "framing": one.framing,
            "contender": one.name,
            "packets_per_second": spread(own).as_json(),
            "lost": spread([r.lost for r in rounds]).as_json(),
            "ring_lost": spread([r.ring_lost for r in rounds]).as_json(),
            "cpu_seconds_per_million": spread([r.cpu for r in rounds]).as_json(),
            "others": spread([r.others for r in rounds]).as_json(),
            "core": busy.as_json(),
            "disorder": sum(r.disorder for r in rounds),
            "ratios": {},
        }
        cells = [
            str(size),
            one.framing,
            one.name,
            spread(own).text(".0f", 1e-3),
            spread(own).text(".2f", size * 8e-9),
            spread([r.lost for r in rounds]).text(".1f", 100),
            f"{busy.median * 100:.0f}",
            spread([r.cpu for r in rounds]).text(".2f"),
        ]
        relay = costs.get((C_RELAY, one.framing), [])
        if relay and one.name != C_RELAY:
            against = ratio(costs[one.name, one.framing], relay)
            record["ratios"]["cpu"] = against.as_json()
            cells.append(against.text())
        else:
            cells.append("")
        for other in (C_RELAY, HAND_WRITTEN):
            key = (other, one.framing)
            if one.name in (other, C_RELAY) or key not in rates:
                cells += ["", ""]
                continue
            against = ratio(own, rates[key])
            target = targets.get((one.name, other, one.framing, size))
            record["ratios"][other] = against.as_json() | {"target": str(target or "")}
            what = f"{part} v1.{one.framing}, {size} bytes, {one.name} / {other}"
            cells += [against.text(), table.judge(what, target, against.median)]
        table.add(cells, record)
