"""Say what fates a seed has: what `fates.json` says for every system and version of Python.

`python -m tests.hub.impairment.golden` prints it; it needs the standard library alone.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from wintun_api.choices import Distribution
from wintun_api.hub.impairment.delay import table
from wintun_api.hub.impairment.fate import Fate, Fates
from wintun_api.hub.impairment.parameters import GilbertElliott, Parameters

KEY = "7/0/received"
GOLDEN = Path(__file__).with_name("fates.json")

# What is on alone, and the entries of a fate that it decides.
FEATURES: dict[str, tuple[Parameters, set[int]]] = {
    "loss": (Parameters(loss=0.1, loss_correlation=0.3), {0}),
    "gilbert_elliott": (
        Parameters(gilbert_elliott=GilbertElliott(p=0.05, r=0.3, h=0.1, k=0.99)),
        {0},
    ),
    "duplicate": (Parameters(duplicate=0.1, duplicate_correlation=0.3), {1}),
    "corrupt": (Parameters(corrupt=0.1, corrupt_correlation=0.3), {2}),
    "jitter": (
        Parameters(
            delay_ms=100,
            jitter_ms=10,
            distribution=Distribution.PARETONORMAL,
            delay_correlation=0.5,
        ),
        {3},
    ),
    "reorder": (
        Parameters(delay_ms=100, reorder=0.3, reorder_correlation=0.3, reorder_gap=3),
        {3},
    ),
}

EVERYTHING = Parameters(
    delay_ms=60,
    jitter_ms=20,
    distribution=Distribution.PARETO,
    delay_correlation=0.25,
    loss=0.05,
    loss_correlation=0.2,
    duplicate=0.1,
    duplicate_correlation=0.1,
    corrupt=0.1,
    corrupt_correlation=0.4,
    reorder=0.25,
    reorder_correlation=0.5,
    reorder_gap=3,
)


def fates(parameters: Parameters, count: int, key: str = KEY) -> list[Fate]:
    """Return the fates of the first packets."""
    deciding = Fates(parameters, key)
    return [deciding.decide() for _ in range(count)]


def digest(decided: list[Fate]) -> str:
    """Return a digest of fates, to the last bit of each number."""
    text = "\n".join(
        f"{lost:d} {twice:d} {place.hex()} {delay} {copy_place.hex()} {copy_delay}"
        for lost, twice, place, delay, copy_place, copy_delay in decided
    )
    return hashlib.sha256(text.encode()).hexdigest()


def golden() -> dict[str, object]:
    """Return what `fates.json` has to say."""
    networks = {name: parameters for name, (parameters, _) in FEATURES.items()}
    networks |= {
        f"jitter {shape.value}": Parameters(
            delay_ms=50, jitter_ms=10, distribution=shape, delay_correlation=0.5
        )
        for shape in Distribution
    }
    networks["everything"] = EVERYTHING
    return {
        "tables": {
            shape.value: hashlib.sha256(repr(table(shape)).encode()).hexdigest()
            for shape in Distribution
        },
        "fates of 10000 packets": {
            name: digest(fates(parameters, 10_000)) for name, parameters in networks.items()
        },
        "delays of everything": [one[3] for one in fates(EVERYTHING, 20)],
        "lost by loss": [
            number for number, one in enumerate(fates(FEATURES["loss"][0], 200)) if one[0]
        ],
    }


if __name__ == "__main__":
    print(json.dumps(golden(), indent=2))
