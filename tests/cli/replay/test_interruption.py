"""What ends `inject --pcap` in the middle: signals, and the service. What was sent is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import PATIENCE
from tests.cli.replay.conftest import Start
from tests.cli.replay.files import BLOCKS, HEADER, PINGS, capture_file, timed_file
from tests.posix import mkfifo
from tests.running import RunningService
from tests.waiting import until

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX"),
]
SIGNALS = [signal.SIGINT, signal.SIGTERM]
SENTENCE = "The replay was interrupted; what came before was sent."


def interrupted(
    service: RunningService,
    session: str,
    process: subprocess.Popen[bytes],
    number: signal.Signals,
    after: int,
) -> tuple[int, bytes]:
    """Send a signal after so many packets; return the packets of the totals, and standard error."""

    def injected() -> int:
        return int(service.counters(session)["injected"]["packets"])

    until(lambda: process.poll() is not None or injected() >= after)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number, err
    totals = json.loads(out)
    assert totals["accepted"] == injected()
    assert (totals["unanswered"], totals["ring_full"]) == (0, 0)
    return int(totals["accepted"]), err


@pytest.mark.parametrize("number", SIGNALS)
def test_between_two_packets(
    service: RunningService, session: str, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """A replay that waits for the next packet, which is an hour away, ends at once."""
    file = timed_file(tmp_path / "f", zip([0, 0, 3600], PINGS, strict=False))
    process = start(str(file), "--speed", "1x", "--json")
    count, err = interrupted(service, session, process, number, 2)
    assert count == 2
    assert json.loads(err)["detail"] == SENTENCE


@pytest.mark.parametrize("number", SIGNALS)
def test_in_an_endless_loop(
    service: RunningService, session: str, start: Start, tmp_path: Path, number: signal.Signals
) -> None:
    """As fast as possible, a signal does not tear a request from its answer."""
    file = capture_file(tmp_path / "f", PINGS * 50)
    process = start(str(file), "--loop", "0", "--json")
    count, _ = interrupted(service, session, process, number, 3000)
    assert count >= 3000


@pytest.mark.parametrize("number", SIGNALS)
def test_while_a_pipe_is_silent(
    service: RunningService, session: str, start: Start, number: signal.Signals
) -> None:
    """A program that writes nothing more does not keep the replay from ending."""
    process = start("-", "--json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(HEADER + BLOCKS)
    process.stdin.flush()
    count, _ = interrupted(service, session, process, number, len(PINGS))
    assert count == len(PINGS)


def test_the_words(service: RunningService, session: str, start: Start, tmp_path: Path) -> None:
    """Without --json there are the totals and one sentence."""
    file = timed_file(tmp_path / "f", zip([0, 3600], PINGS, strict=False))
    process = start(str(file), "--speed", "1x")
    until(lambda: service.counters(session)["injected"]["packets"])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, b"1 packet accepted.\n")
    assert err.decode() == f"{SENTENCE}\n"


@pytest.mark.parametrize("number", SIGNALS)
def test_before_anything_came(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    """The sentence does not claim that something was sent, and there are totals."""
    path = tmp_path / "fifo"
    mkfifo(path)
    process = start(str(path))
    with path.open("wb"):  # the replay has opened it as well
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (128 + number, b"0 packets accepted.\n")
    assert err == b"The replay was interrupted before a packet was sent.\n"


def test_a_session_that_ends(
    service: RunningService, session: str, start: Start, tmp_path: Path
) -> None:
    """The totals are exact: of the request that the service refused nothing was injected."""
    file = capture_file(tmp_path / "f", PINGS * 50)
    process = start(str(file), "--loop", "0", "--json")
    until(lambda: process.poll() is not None or service.counters(session)["injected"]["packets"])
    ended = service.http.delete(f"/v1/sessions/{session}").raise_for_status().json()
    out, err = process.communicate(timeout=PATIENCE)
    totals = json.loads(out)
    assert (process.returncode, totals["unanswered"]) == (json.loads(err)["exit_code"], 0)
    assert process.returncode in (5, 6)
    assert totals["accepted"] == ended["counters"]["injected"]["packets"]
