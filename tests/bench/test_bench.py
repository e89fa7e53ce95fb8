"""The benchmark's short form: it completes, and what it writes is complete and sane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.bench.__main__ import PARTS
from tests.bench.client import C_CLIENT, CLIENTS
from tests.bench.contenders import C_RELAY, C_RELAY_OFFLOAD, EXTENSION, HAND_WRITTEN, SERVICE
from tests.bench.machine import missing
from wintun_api import native
from wintun_api.choices import Native

pytestmark = [pytest.mark.heavy, pytest.mark.kernel]

FORMS = [SERVICE] if native.speedups(Native.AUTO) is None else [SERVICE, EXTENSION]
PEER = f"{sys.executable} -m tests.bench.relay {{device}} {{port}}"


@dataclass
class Outcome:
    """What one run printed and wrote."""

    printed: str
    written: dict[str, Any]
    pid: int

    def records(self, part: str) -> list[dict[str, Any]]:
        """Return the figures of a part."""
        return [record for table in self.written["parts"][part] for record in table["records"]]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """One run of everything, with an external peer."""
    if lacks := missing(PARTS):
        (pytest.fail if "CI" in os.environ else pytest.skip)(" ".join(lacks))
    file = tmp_path_factory.mktemp("bench") / "result.json"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench", "--short", f"--json={file}", f"--peer=a peer={PEER}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-4000:]
    return Outcome(printed, json.loads(file.read_text()), process.pid)


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
    """Every form of the service and the C relay in both framings, the others in one."""
    records = short.records(part)
    assert {(record["contender"], record["framing"]) for record in records} == {
        *((name, framing) for name in (*FORMS, C_RELAY) for framing in ("raw", "batch")),
        (HAND_WRITTEN, "raw"),
        ("a peer", "raw"),
    }
    assert {record["bytes"] for record in records} == {92, 1420}
    for record in records:
        assert record["packets_per_second"]["min"] > 0
        assert record["cpu_seconds_per_million"]["min"] > 0
        assert record["disorder"] == 0


@pytest.mark.parametrize("part", ["receive", "inject", "latency"])
def test_the_service_stands_beside_the_c_relay(short: Outcome, part: str) -> None:
    """Ratios are the claim: each row of the service has them, with the extension and without."""
    rows = [row for row in short.records(part) if row["contender"] in FORMS]
    assert len(rows) == 4 * len(FORMS)
    assert all(row["ratios"] for row in rows)


def test_every_client_carried_packets(short: Outcome) -> None:
    """The client of this package stands beside the C clients in both directions."""
    records = short.records("client")
    assert {(one["load"], one["client"], one["bytes"]) for one in records} == {
        (load, client, size)
        for load in ("receive", "inject")
        for client in CLIENTS
        for size in (92, 1420)
    }
    for one in records:
        assert one["packets_per_second"]["min"] > 0
        assert bool(one["ratios"]) is (one["client"] != C_CLIENT)


def test_what_the_service_carried_was_what_the_client_sent(short: Outcome) -> None:
    """TCP holds an injecting client back, so the service loses nothing."""
    for record in short.records("inject"):
        if record["contender"] in FORMS:
            assert record["lost"]["max"] == 0


def test_the_relay_with_offload_carries_tcp(short: Outcome) -> None:
    """What it splits and joins is whole: no host refuses a segment, hardly one is sent again."""
    relays = {
        record["contender"]: record
        for record in short.records("tcp")
        if record["contender"] in (C_RELAY, C_RELAY_OFFLOAD)
    }
    assert set(relays) == {C_RELAY, C_RELAY_OFFLOAD}
    for record in relays.values():
        assert record["broken"] == 0
        assert record["bits_per_second"]["min"] > 1e7
    assert relays[C_RELAY_OFFLOAD]["again_per_million"]["max"] < 10_000


def test_every_target_stands_in_the_summary(short: Outcome) -> None:
    """The summary names each figure with its target, its value and whether it is met."""
    targets = short.written["targets"]
    shown = short.printed[short.printed.index("\ntargets: ") :]
    assert {one["what"].split()[0].strip(",") for one in targets} >= {"receive", "inject", "tcp"}
    for one in targets:
        assert one["what"] in shown
        assert one["met"] in (True, False)


def test_the_machine_is_described(short: Outcome) -> None:
    """A reader learns what was measured: version, event loop, and how the extension was built."""
    machine = short.written["machine"]
    assert {"kernel", "cores", "python", "wintun-api", "loop", "extension"} <= set(machine)
    assert machine["extension"].startswith("none") == (EXTENSION not in FORMS)


def test_the_ways_through_wintun_are_named(short: Outcome) -> None:
    """Nobody can take the stand-in for the genuine library."""
    assert {record["way"] for record in short.records("wintun")} == {
        "C loop",
        *(["extension, stand-in in C"] if EXTENSION in FORMS else []),
        "ctypes, stand-in in C",
        "ctypes, emulated library",
    }


def test_nothing_is_left(short: Outcome) -> None:
    """Namespaces and their devices are gone."""
    left = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert f"bench-{short.pid}-" not in left


def test_an_unknown_part_is_refused() -> None:
    """The message names the parts that there are."""
    done = run("--only=speed")
    assert done.returncode == 2
    assert "there is no part 'speed'" in done.stderr
    assert "receive" in done.stderr


def test_another_installation_is_measured(tmp_path: Path) -> None:
    """The service of the named environment is started, and its facts stand in the description."""
    file = tmp_path / "result.json"
    done = run("--short", "--only=memory", f"--json={file}", f"--installed={sys.executable}")
    assert done.returncode == 0, done.stderr[-4000:]
    written = json.loads(file.read_text())
    assert written["machine"]["wintun-api"] == version("wintun-api")
    assert written["parts"]["memory"][0]["records"]


@pytest.mark.parametrize(
    ("python", "reason"),
    [("/usr/bin/env", "has no wintun-api"), ("/nowhere/python", "No such file")],
)
def test_an_environment_without_the_service_is_refused(python: str, reason: str) -> None:
    """The message names the Python that was given."""
    done = run("--short", "--only=memory", f"--installed={python}")
    assert done.returncode == 1
    assert python in done.stderr
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_the_part_of_the_checkout_is_refused_for_what_is_installed() -> None:
    """It calls the session of this process, so its figures would be of another program."""
    done = run("--only=wintun", f"--installed={sys.executable}")
    assert done.returncode == 2
    assert "measures the checkout" in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark."""
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
