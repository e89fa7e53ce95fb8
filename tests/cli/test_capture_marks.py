"""`capture --marks`: what happened to packets, in lines, as JSON and in a file."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.capture.samples import interface_statistics
from tests.cli.commands import COMMAND, PATIENCE, environment
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.packet import build

PACKET = build.ipv4("10.6.7.8", "10.6.7.7", 253, b"data")
BAD = b"\x45bad"


def start(service: RunningService, name: str, **impairment: float) -> str:
    """Start an impaired session."""
    session = str(service.session(service.adapter(name=name))["id"])
    path = f"/v1/sessions/{session}/impairment"
    service.http.put(path, json={"seed": 7, "injected": impairment}).raise_for_status()
    return session


def send(service: RunningService, session: str) -> None:
    """Send a packet, and one that is rejected."""
    with service.packets(session, direction="none", protocol="v1.raw") as sender:
        sender.put([BAD, PACKET])


@contextmanager
def capturing(
    service: RunningService, home: Path, sessions: list[str], *options: str
) -> Iterator[subprocess.Popen[str]]:
    """Run `capture` with marks, from when it watches these sessions."""
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    with subprocess.Popen(
        [*COMMAND, "capture", *options, "--marks"],
        env=environment(home, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            for session in sessions:
                until(watched(service, process, f"/v1/sessions/{session}"))
            yield process
        finally:
            process.kill()


def watched(
    service: RunningService, process: subprocess.Popen[str], path: str
) -> Callable[[], bool]:
    """Return what says whether a session has a subscriber."""

    def said() -> bool:
        assert process.poll() is None, process.communicate()
        return bool(service.http.get(path).json()["subscribers"])

    return said


@pytest.mark.thorough
def test_lines_and_json(service: RunningService, tmp_path: Path) -> None:
    """A line has the comments in brackets, an object has them line by line."""
    session = start(service, "OfficeNet", corrupt=1, duplicate=1)
    options = ("OfficeNet", "--count", "3")
    with (
        capturing(service, tmp_path, [session], *options) as lines,
        capturing(service, tmp_path, [], *options, "--json") as objects,
    ):
        until(lambda: service.http.get(f"/v1/sessions/{session}").json()["subscribers"] == 2)
        send(service, session)
        shown, _ = lines.communicate(timeout=PATIENCE)
        written, _ = objects.communicate(timeout=PATIENCE)
    assert [line.rpartition(" [")[2] for line in shown.splitlines()] == [
        "rejected: too_short]",
        "duplicated; corrupted]",
        "copy; corrupted]",
    ]
    assert [json.loads(one)["comment"] for one in written.splitlines()] == [
        "rejected: too_short",
        "duplicated\ncorrupted",
        "copy\ncorrupted",
    ]


@pytest.mark.thorough
@tshark.needs_tshark
def test_a_file_of_several(service: RunningService, tmp_path: Path) -> None:
    """After Ctrl-C every interface has its comments and its own statistics."""
    sessions = [start(service, "A", corrupt=1), start(service, "B", loss=1)]
    file = tmp_path / "marked.pcapng"
    with capturing(service, tmp_path, sessions, "--all", "--write", str(file)) as process:
        for session in sessions:
            send(service, session)
        wanted = (b"corrupted", b"not delivered")
        until(lambda: all(one in file.read_bytes() for one in wanted))
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert told.endswith("4 packets captured, 56 bytes, 0 lost.\n")
    assert process.returncode == 130
    rows, complaints = tshark.rows(file, "frame.interface_name", "frame.comment")
    assert complaints == ""
    assert rows == [
        ["A", "rejected: too_short"],
        ["A", "corrupted"],
        ["B", "rejected: too_short"],
        ["B", "not delivered: lost"],
    ]
    assert interface_statistics(file.read_bytes()) == {0: (2, 0), 1: (2, 0)}
