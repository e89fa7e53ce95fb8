"""The benchmark's short form: it completes, and what it writes is complete and sane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.bench.__main__ import PARTS
from tests.bench.machine import missing

pytestmark = [pytest.mark.heavy, pytest.mark.kernel]

PEER = f"{sys.executable} -m tests.bench.relay {{device}} {{port}}"


@dataclass
class Outcome:
    """What one run printed and wrote."""

    printed: str
    written: dict[str, Any]

    def records(self, part: str) -> list[dict[str, Any]]:
        """Return the figures of a part."""
        return [record for table in self.written["parts"][part] for record in table["records"]]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run of everything, with an external peer."""
    if lacks := missing(PARTS):
        (pytest.fail if "CI" in os.environ else pytest.skip)(" ".join(lacks))
    file = tmp_path_factory.mktemp("bench") / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--short", f"--json={file}", f"--peer=a peer={PEER}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Outcome(done.stdout, json.loads(file.read_text()))


def spreads(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every spread in a record."""
    if isinstance(value, dict):
        if "median" in value:
            yield value
        for inner in value.values():
            yield from spreads(inner)


def test_every_part_has_its_table_in_both_forms(short: Outcome) -> None:
    """Each title is printed, and has records in the file."""
    assert list(short.written["parts"]) == list(PARTS)
    for tables in short.written["parts"].values():
        for table in tables:
            assert table["title"] in short.printed
            assert table["records"]


@pytest.mark.parametrize("part", PARTS)
def test_every_spread_is_in_order(short: Outcome, part: str) -> None:
    """The median lies between the ends, and nothing is negative; a loss is a share."""
    found = [one for record in short.records(part) for one in spreads(record)]
    assert found or part == "memory"
    for one in found:
        assert 0 <= one["min"] <= one["median"] <= one["max"]
        assert len(one["values"]) == 1
    for record in short.records(part):
        assert record.get("lost", {"max": 0})["max"] <= 1


@pytest.mark.parametrize("part", ["receive", "inject"])
def test_every_contender_carried_packets(short: Outcome, part: str) -> None:
    """The service in both forms and the C relay in both framings, the others in one."""
    records = short.records(part)
    assert {(record["contender"], record["framing"]) for record in records} == {
        ("wintun-api", "raw"),
        ("wintun-api", "batch"),
        ("native", "raw"),
        ("native", "batch"),
        ("C relay", "raw"),
        ("C relay", "batch"),
        ("hand-written", "raw"),
        ("a peer", "raw"),
    }
    assert {record["bytes"] for record in records} == {92, 1420}
    for record in records:
        assert record["packets_per_second"]["min"] > 0
        assert record["cpu_seconds_per_million"]["min"] > 0
        assert record["disorder"] == 0


@pytest.mark.parametrize("part", ["receive", "inject", "latency"])
def test_the_service_stands_beside_the_c_relay(short: Outcome, part: str) -> None:
    """Ratios are the claim: each row of the service has them, with its native part and without."""
    rows = [row for row in short.records(part) if row["contender"] in ("wintun-api", "native")]
    assert len(rows) == 8
    assert all(row["ratios"] for row in rows)


def test_what_the_service_carried_was_what_the_client_sent(short: Outcome) -> None:
    """TCP holds an injecting client back, so the service loses nothing."""
    for record in short.records("inject"):
        if record["contender"] in ("wintun-api", "native"):
            assert record["lost"]["max"] == 0


def test_the_ways_through_wintun_are_named(short: Outcome) -> None:
    """Nobody can take the stand-in for the genuine library."""
    assert {record["way"] for record in short.records("wintun")} == {
        "C loop",
        "ctypes, stand-in in C",
        "ctypes, emulated library",
    }


def test_nothing_is_left(short: Outcome) -> None:
    """Namespaces and their devices are gone."""
    assert short.printed
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert "bench-" not in left


def test_an_unknown_part_is_refused() -> None:
    """The message names the parts that there are."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--only", "speed"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "there is no part 'speed'" in done.stderr
    assert "receive" in done.stderr
