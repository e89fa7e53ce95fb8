"""The attack's short form, part by part: it finds nothing, and it really was an attack."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attack.__main__ import PARTS, arguments
from tests.attack.attack import Attack
from tests.attack.cells import disguises, operations
from tests.attack.codecs import FUZZERS, fuzz
from tests.attack.frames import broken_kinds, sound_kinds
from tests.attack.raw_http import Answers, Malformed
from tests.attack.raw_websocket import BINARY, Reader, frame, masked
from tests.attack.target import Died, Target

heavy = pytest.mark.heavy
linux = pytest.mark.skipif(sys.platform != "linux", reason="the service is watched through /proc")

# What each part must have done at least, so that an attack that does nothing is no success.
DONE: dict[str, dict[str, int]] = {
    "cells": {"cells": 1500, "disguises": 5000, "header_forms": 200},
    "smuggle": {"cases": 300},
    "frames": {"sound": 300_000, "broken_connections": 600, "broken_kinds": 300},
    "deaths": {"deaths": 200, "steady_received": 1000},
    "slow": {},
    "fuzz": {},
    "kill": {"kills": 5},
}
TRIED: dict[str, set[str]] = {
    "slow": {"ended_after_seconds", "silent connections", "peak_mib a tap of batches"},
    "fuzz": {"requests", "frames", "bodies", "headers", *FUZZERS},
}


@heavy
@linux
@pytest.mark.parametrize("part", PARTS)
def test_the_service_stands_the_attack(part: str, tmp_path: Path) -> None:
    """A part in its short form ends without a finding, and did what it says."""
    written = tmp_path / "found.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.attack",
            f"--only={part}",
            f"--json={written}",
            "--seed=11",
            "--minutes=0.05",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    result = json.loads(written.read_text())
    figures = result["parts"][part]
    if reason := figures.get("left_out"):
        (pytest.fail if "CI" in os.environ else pytest.skip)(reason)
    assert result["findings"] == []
    for name, least in DONE[part].items():
        assert figures[name] >= least, name
    assert set(figures) >= TRIED.get(part, set())


# What the attack itself is made of


@pytest.fixture
def attack(tmp_path: Path) -> Attack:
    """An attack without a service."""
    return Attack(tmp_path, seed=1, full=False)


@linux
def test_a_service_that_dies_is_a_finding(attack: Attack) -> None:
    """The process is killed from outside in the middle of a part."""
    with attack.target("deaths") as target, attack.watch("deaths", target, "nothing"):
        target.kill()
    assert [finding.kind for finding in attack.findings] == ["the service died"]


@linux
def test_what_stays_behind_is_a_finding(attack: Attack) -> None:
    """Connections that are kept open beyond the attack count as descriptors."""
    kept = []
    with attack.target("slow") as target:
        with attack.watch("slow", target, "kept connections", patience=0.5):
            for _ in range(8):
                kept.append(socket.create_connection(("127.0.0.1", target.port)))  # noqa: PERF401
            assert target.healthy()
        for one in kept:
            one.close()
    assert [one.kind for one in attack.findings] == ["descriptors stay open after kept connections"]


@linux
def test_trouble_in_the_log_is_a_finding_by_its_kind(tmp_path: Path) -> None:
    """The same exception with other particulars is one kind; the place is in its name."""
    target = Target(tmp_path)
    trace = 'Traceback (most recent call last):\n  File "/a/b.py", line {}, in f\nValueError: {}\n'
    target.log.write_text("INFO all is well\n" + "".join(trace.format(i, i) for i in range(5)))
    assert list(target.trouble()) == ["ValueError in b.py f"]
    assert target.trouble() == {}
    with target.log.open("a") as log:
        log.write("WARNING again 17\n" * 2000)
    assert list(target.trouble()) == ["a line again and again: WARNING again N"]


@linux
def test_a_service_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    """The message has what the service said."""
    with pytest.raises(Died, match="TRAFFIC"):
        Target(tmp_path, TRAFFIC="no number").start()


def test_findings_of_one_kind_are_counted(attack: Attack) -> None:
    """The first one's particulars are kept."""
    attack.found("fuzz", "a kind", "first", b"\x01")
    attack.found("fuzz", "a kind", "second", b"\x02")
    (finding,) = attack.findings
    assert (finding.count, finding.detail, finding.reproducer) == (2, "first", "01")
    assert "2 times" in finding.text(5)
    assert "seed 5" in finding.text(5)


def test_the_same_seed_gives_the_same_bytes(attack: Attack) -> None:
    """Whatever ran before."""
    first = attack.random("fuzz", "frames").randbytes(64)
    attack.random("cells").random()
    assert attack.random("fuzz", "frames").randbytes(64) == first
    assert attack.random("fuzz", "bodies").randbytes(64) != first


def test_decoders_that_raise_are_found(attack: Attack) -> None:
    """A decoder that is wrong about one input in many is found, with that input."""

    def wrong(_: object, data: bytes) -> None:
        if data[:1] == b"\x60":
            raise IndexError

    assert fuzz(attack, "packets", wrong, 0.3) > 10
    (finding,) = attack.findings
    assert "IndexError" in finding.kind
    assert finding.reproducer.startswith("60")


@pytest.mark.parametrize("name", FUZZERS)
def test_the_decoders_stand_a_moment_of_fuzzing(attack: Attack, name: str) -> None:
    """Each for a fraction of a second; the heavy test takes longer."""
    assert fuzz(attack, name, FUZZERS[name], 0.3) > 10
    assert attack.findings == []


def test_the_contract_is_read_with_its_scopes() -> None:
    """Every operation is there once, HEAD beside GET, the health route open."""
    cells = operations()
    assert len({(cell.method, cell.template) for cell in cells}) == len(cells)
    by_name = {(cell.method, cell.template): cell.scopes for cell in cells}
    assert by_name["GET", "/noauth/health"] is None
    assert by_name["HEAD", "/v1/tokens"] == frozenset({"admin"})
    assert by_name["GET", "/metrics"] == frozenset({"metrics"})
    assert by_name["POST", "/v1/sign-out"] == frozenset()


def test_disguises_are_many_and_none_is_the_path_itself() -> None:
    """Among them those that a router forgave once."""
    found = list(disguises("/v1/tokens", "127.0.0.1:1"))
    assert len(found) > 150
    assert "/v1/tokens" not in found
    assert {"/v1/tokens%0A", "//v1/tokens", "/V1/tokens", "/v1%2Ftokens"} <= set(found)


def test_there_are_enough_ways_to_break_the_protocol(attack: Attack) -> None:
    """Each with the codes that are right for it."""
    kinds = {kind.name: kind for kind in broken_kinds(attack.random("frames"))}
    assert len(kinds) > 120
    assert len(sound_kinds()) > 10
    assert {1002, 1007, 1009, 4010} <= {code for kind in kinds.values() for code in kind.codes}


def test_frames_are_as_the_rfc_has_them() -> None:
    """RFC 6455, section 5.7: a masked "Hello"."""
    mask = bytes.fromhex("37fa213d")
    assert frame(1, b"Hello", mask=mask) == bytes.fromhex("818537fa213d7f9f4d5158")
    assert masked(masked(b"packets", mask), mask) == b"packets"
    assert frame(BINARY, bytes(300), mask=None)[:4] == bytes.fromhex("827e012c")
    assert frame(BINARY, b"", mask=None, length=2**63)[:10] == bytes.fromhex("827f8000000000000000")


def test_the_services_frames_are_read_strictly() -> None:
    """Cut anywhere; a masked frame, or data behind the close frame, is noted."""
    sent = frame(BINARY, b"x" * 200, mask=None) + frame(8, b"\x03\xe8", mask=None)
    reader = Reader()
    for byte in sent:
        reader.feed(bytes((byte,)))
    assert (reader.binary, reader.close_code, reader.broken) == (200, 1000, None)
    reader.feed(frame(BINARY, b"x", mask=None))
    assert reader.broken == "a frame behind the close frame"
    masked_reader = Reader()
    masked_reader.feed(frame(BINARY, b"x"))
    assert masked_reader.broken == "a masked frame"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(5)
        yield one, other


def _answers(pair: tuple[socket.socket, socket.socket], sent: bytes) -> Answers:
    one, other = pair

    def send() -> None:
        other.sendall(sent)
        other.close()

    threading.Thread(target=send, daemon=True).start()
    return Answers(one)


def test_answers_are_read_one_after_the_other(pair: Any) -> None:
    """With lengths and in chunks; 1xx is no final answer."""
    sent = (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        b"HTTP/1.1 204 No Content\r\n\r\n"
    )
    found = _answers(pair, sent).all()
    assert [(one.status, one.body) for one in found] == [(200, b"ab"), (404, b"abc"), (204, b"")]


@pytest.mark.parametrize(
    "sent",
    [
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_a_wrong_answer_is_reported(pair: Any, sent: bytes) -> None:
    """Also when it ends in the middle."""
    with pytest.raises(Malformed):
        _answers(pair, sent).all()


def test_arguments_are_checked() -> None:
    """An unknown part, a setting without a value, and no time at all are refused."""
    for wrong in (["--only=speed"], ["--set=PORT"], ["--minutes=0"]):
        with pytest.raises(SystemExit):
            arguments(wrong)
    options = arguments(["--only=cells,fuzz", "--set", "event_history=5", "--seed=3"])
    assert options.parts == ["cells", "fuzz"]
    assert options.environment == {"EVENT_HISTORY": "5"}
