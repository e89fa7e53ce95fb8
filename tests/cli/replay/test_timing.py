"""When the packets of `inject --pcap` arrive, by the clock of the service.

A packet may come late on a busy machine but never before it is due, so that each test knows the
earliest moment of every packet and allows much more time than that.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.replay.conftest import Replay
from tests.cli.replay.files import PINGS, capture_file, timed_file
from tests.running import RunningService
from wintun_api.cli import replay as cli_replay
from wintun_api.cli.interruption import Interruption
from wintun_api.cli.replay.totals import Totals
from wintun_api.client import Burst
from wintun_api.packet import build

PATIENCE = 20.0  # seconds; far more than any of these replays takes, far less than its file lasts
GRAIN = 0.021  # seconds that packets may be sent ahead to share a request


def arrivals(
    service: RunningService, session: str, replay: Replay, file: Path, *options: str
) -> tuple[list[tuple[float, bytes]], float]:
    """Replay a file; return when each packet came after the start, and how long it all took."""
    with service.packets(session, direction="injected") as tap:
        began = time.time_ns()
        result = replay(file, *options, "--json")
        assert result.exit_code == 0, result.output
        totals = json.loads(result.stdout)
        found: list[tuple[float, bytes]] = []
        while len(found) < totals["accepted"]:
            burst = next(tap)
            assert isinstance(burst, Burst)
            found += [((burst.time_ns - began) / 10**9, packet) for packet in burst.packets]
    return found, totals["seconds"]


def in_time(found: Sequence[float], dues: Sequence[float]) -> bool:
    """Whether there is a packet for each due time, and none came before it."""
    return all(at > due - GRAIN for at, due in zip(found, dues, strict=True))


@pytest.mark.thorough
def test_the_speed(service: RunningService, session: str, replay: Replay, tmp_path: Path) -> None:
    """At 100 times the speed, 100 seconds become one, and the times keep their ratio."""
    seconds = [0, 25, 25, 80, 100]
    file = timed_file(tmp_path / "f", zip(seconds, PINGS, strict=False))
    found, took = arrivals(service, session, replay, file, "--speed", "100x")
    assert [packet for _, packet in found] == PINGS[:5]
    assert in_time([at for at, _ in found], [second / 100 for second in seconds])
    assert 1 <= took < PATIENCE


@pytest.mark.thorough
def test_a_gap(service: RunningService, session: str, replay: Replay, tmp_path: Path) -> None:
    """A night between two packets is shortened to the longest gap that was allowed."""
    file = timed_file(tmp_path / "f", zip([0, 0.2, 40_000, 80_000], PINGS, strict=False))
    found, took = arrivals(service, session, replay, file, "--speed", "1x", "--max-gap", "300ms")
    assert in_time([at for at, _ in found], [0, 0.2, 0.5, 0.8])
    assert 0.8 <= took < PATIENCE


@pytest.mark.thorough
def test_packets_out_of_order(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """They are sent in the order of the file, and a clock that was set back costs no time."""
    seconds = [0, 0.2, 0.1, 0.3, -86_400, -86_399.8]
    file = timed_file(tmp_path / "f", zip(seconds, PINGS, strict=False))
    found, took = arrivals(service, session, replay, file, "--speed", "1x")
    assert [packet for _, packet in found] == PINGS[:6]
    assert in_time([at for at, _ in found], [0, 0.2, 0.2, 0.3, 0.3, 0.5])
    assert 0.5 <= took < PATIENCE


@pytest.mark.thorough
def test_a_loop_at_the_times_of_the_capture(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """Each pass has the times of the capture, and the next one follows at once."""
    file = timed_file(tmp_path / "f", zip([0, 0.2, 0.3], PINGS, strict=False))
    found, took = arrivals(service, session, replay, file, "--speed", "1x", "--loop", "3")
    assert [packet for _, packet in found] == PINGS[:3] * 3
    assert in_time(
        [at for at, _ in found], [first + at for first in (0, 0.3, 0.6) for at in (0, 0.2, 0.3)]
    )
    assert 0.9 <= took < PATIENCE


@pytest.mark.thorough
@pytest.mark.parametrize("rate", ["50", "50pps"])
def test_a_packet_rate(
    service: RunningService, session: str, replay: Replay, tmp_path: Path, rate: str
) -> None:
    """At 50 a second the packets come 20 ms after each other, over all passes."""
    file = timed_file(tmp_path / "f", ((1000.0 * at, packet) for at, packet in enumerate(PINGS)))
    found, took = arrivals(service, session, replay, file, "--rate", rate, "--loop", "2")
    assert in_time([at for at, _ in found], [at / 50 for at in range(80)])
    assert 79 / 50 - GRAIN <= took < PATIENCE


@pytest.mark.thorough
def test_a_bit_rate(service: RunningService, session: str, replay: Replay, tmp_path: Path) -> None:
    """At 80 kbit/s each packet of 1000 bytes takes a tenth of a second, whatever its size is."""
    sizes = [972, 1972, 472, 472, 972]
    packets = [build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(size)) for size in sizes]
    file = capture_file(tmp_path / "f", packets)
    found, took = arrivals(service, session, replay, file, "--rate", "80kbit", "--loop", "3")
    dues = [first + at for first in (0, 0.5, 1) for at in (0, 0.1, 0.3, 0.35, 0.4)]
    assert in_time([at for at, _ in found], dues)
    assert 1.4 - GRAIN <= took < PATIENCE


def test_as_fast_as_possible(
    service: RunningService, session: str, replay: Replay, tmp_path: Path
) -> None:
    """Without a pace the times of the file do not matter, and a loop sends it several times."""
    file = timed_file(tmp_path / "f", ((3600.0 * at, packet) for at, packet in enumerate(PINGS)))
    found, took = arrivals(service, session, replay, file, "--loop", "4")
    assert [packet for _, packet in found] == PINGS * 4
    assert took < PATIENCE


@pytest.mark.thorough
def test_a_pace_that_cannot_be_kept(replay: Replay, tmp_path: Path) -> None:
    """A file a million times faster than it was is sent at once, in few requests."""
    file = timed_file(tmp_path / "f", ((at, PINGS[0]) for at in range(3000)))
    result = replay(file, "--speed", "1000000x")
    assert (result.exit_code, result.stdout) == (0, "3000 packets accepted.\n")


class Terminal(io.StringIO):
    """Keep what is written, as a terminal."""

    def isatty(self) -> bool:
        return True


class Service:
    """Accept every packet."""

    def attempt(self, _call: object) -> dict[str, object]:
        return {"accepted": len(PINGS), "rejected": {}, "ring_full": 0, "refused": {}}


def test_a_clock_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the clock has moved, the line that says how far it is names no rate."""
    file = capture_file(tmp_path / "f", PINGS)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 1)
    client: Any = Service()
    replay = cli_replay.Replay(
        client, "1", cli_replay.Order(file), totals := Totals(), Interruption()
    )
    assert replay.run() is None
    assert totals.accepted == len(PINGS)
    assert f"{len(PINGS)} sent in 0 s" in terminal.getvalue()
    assert "a second" not in terminal.getvalue()
