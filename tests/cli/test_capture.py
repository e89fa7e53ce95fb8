"""`capture` against a real service, read by tshark from file and live."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.cli.commands import COMMAND, PATIENCE, environment, invoke
from tests.drivers.linux.kernel import needs_kernel
from tests.running import TOKEN, RunningService, receive
from tests.traffic.peers import responder
from tests.traffic.pings import ping as host_pings
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader
from wintun_api.client import PacketStream
from wintun_api.packet import build
from wintun_api.wire import BATCH

needs_full = pytest.mark.skipif(
    not os.path.exists("/dev/full"),  # noqa: PTH110
    reason="/dev/full is a device of Linux",
)
PINGS = [
    build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=number, data=bytes(number))
    for number in range(40)
]


def session_of(service: RunningService) -> str:
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    return session_of(service)


def variables(service: RunningService) -> dict[str, str]:
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


@contextmanager
def capturing(
    service: RunningService, tmp_path: Path, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `capture`, from when it is subscribed; it is gone at the end."""
    with subprocess.Popen(
        [*COMMAND, "capture", "OfficeNet", *options],
        env=environment(tmp_path, **variables(service)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            (session,) = service.http.get("/v1/sessions").json()
            path = f"/v1/sessions/{session['id']}"

            def subscribed() -> bool:
                assert process.poll() is None, process.communicate()
                return bool(service.http.get(path).json()["subscribers"])

            until(subscribed)
            yield process
        finally:
            process.kill()


def ping(stream: PacketStream, packets: list[bytes]) -> None:
    """Inject pings and wait for the answers of the emulated host."""
    stream.put(packets)
    receive(stream, len(packets))


@pytest.mark.thorough
def test_lines(service: RunningService, session: str, tmp_path: Path) -> None:
    """Without a file there is a line per packet, and the totals at the end."""
    with capturing(service, tmp_path, "--count", "2") as process:
        with service.packets(session) as stream:
            ping(stream, PINGS[:1])
        out, err = process.communicate(timeout=PATIENCE)
        first, second = out.decode().splitlines()
        clock = r"\d\d:\d\d:\d\d\.\d{6}"
        assert re.fullmatch(
            rf"{clock} injected 10\.6\.7\.9 > 10\.6\.7\.7 ICMP: echo request, .*", first
        )
        assert re.fullmatch(
            rf"{clock} received 10\.6\.7\.7 > 10\.6\.7\.9 ICMP: echo reply, .*", second
        )
        assert err.decode() == "2 packets captured, 56 bytes, 0 lost.\n"
        assert process.returncode == 0


def test_json(service: RunningService, session: str, tmp_path: Path) -> None:
    """With --json every packet is one object of a line, with its bytes."""
    with capturing(service, tmp_path, "--count", "2", "--json", "--snaplen", "28") as process:
        with service.packets(session) as stream:
            ping(stream, PINGS[5:6])
        out, err = process.communicate(timeout=PATIENCE)
        request, reply = map(json.loads, out.decode().splitlines())
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", request.pop("time"))
        assert request == {
            "direction": "injected",
            "source": "10.6.7.9",
            "destination": "10.6.7.7",
            "source_port": None,
            "destination_port": None,
            "protocol": "ICMP",
            "length": len(PINGS[5]),
            "info": request["info"],
            "data": PINGS[5][:28].hex(),
            "lost_before": 0,
            "interface": "OfficeNet",
            "comment": None,
        }
        assert "echo request" in request["info"]
        assert reply["direction"] == "received"
        assert err.decode().startswith("2 packets captured")


def test_json_and_a_file(service: RunningService, session: str) -> None:
    """Two ways at once are refused with a sentence."""
    result = invoke("capture", session, "--json", "-w", "x.pcapng", **variables(service))
    assert result.exit_code == 2
    assert "Choose one" in result.stderr


def test_signals_are_put_back(service: RunningService, session: str) -> None:
    """What runs in the process after a capture has the handlers of before."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(one) for one in numbers]
    result = invoke("capture", session, "--seconds", "0.1", **variables(service))
    assert result.exit_code == 0, result.output
    assert [signal.getsignal(one) for one in numbers] == before


@pytest.mark.thorough
@tshark.needs_tshark
def test_a_file(service: RunningService, session: str, tmp_path: Path) -> None:
    """Tshark reads what was written: count, bytes, directions, lengths before the cut."""
    path = tmp_path / "some.pcapng"
    with capturing(
        service, tmp_path, "-w", str(path), "--snaplen", "30", "--count", "80"
    ) as process:
        with service.packets(session) as stream:
            ping(stream, PINGS)
        assert process.wait(PATIENCE) == 0
        frames = tshark.read(path)
        assert len(frames) == 80
        for direction in ("inbound", "outbound"):
            found = [frame for frame in frames if frame.direction == direction]
            assert [frame.length for frame in found] == list(map(len, PINGS))
            assert [frame.captured for frame in found] == [min(30, len(packet)) for packet in PINGS]
        assert {frame.interface for frame in frames} == {"OfficeNet"}


@pytest.mark.thorough
@tshark.needs_tshark
def test_live(service: RunningService, session: str, tmp_path: Path) -> None:
    """Tshark shows each packet from a pipe while the capture goes on; the end is whole."""
    with (
        capturing(service, tmp_path, "-w", "-", "--direction", "injected") as process,
        subprocess.Popen(
            tshark.command("-r", "-"),
            stdin=process.stdout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=tshark.environment(tmp_path),
            text=True,
        ) as reader,
        service.packets(session) as stream,
    ):
        assert reader.stdout is not None
        assert process.stdout is not None
        process.stdout.close()
        for packet in PINGS[:5]:
            ping(stream, [packet])
            frame = tshark.frame_of(reader.stdout.readline())
            assert (frame.length, frame.direction) == (len(packet), "inbound")
        service.http.delete(f"/v1/sessions/{session}")
        assert reader.stdout.read() == ""
        assert process.wait(PATIENCE) == 0


@pytest.mark.thorough
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c(
    service: RunningService, session: str, tmp_path: Path, number: signal.Signals
) -> None:
    """It ends in order: the file is whole, with its statistics, and the totals are told."""
    path = tmp_path / "some.pcapng"
    with capturing(service, tmp_path, "-w", str(path)) as process:
        with service.packets(session) as stream:
            ping(stream, PINGS)
        size = sum(map(len, PINGS)) * 2
        until(lambda: process.poll() is not None or path.stat().st_size >= size)
        assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 128 + number, err
        file = path.read_bytes()
        reader = Reader([file])
        captured = len(list(reader))
        assert pcapng.whole(file) == len(file)
        assert (reader.lost, reader.truncated) == (0, False)
        assert err.decode().startswith(f"{captured} packets captured, ")


@pytest.mark.thorough
def test_the_reader_goes(service: RunningService, session: str, tmp_path: Path) -> None:
    """Whoever reads standard output may stop: that is an end, not a failure."""
    with capturing(service, tmp_path, "-w", "-") as process:
        assert process.stdout is not None
        process.stdout.close()
        with service.packets(session) as stream:
            while process.poll() is None:
                ping(stream, PINGS)
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
        assert process.returncode == 0


@needs_kernel[0]
@needs_kernel[1]
@tshark.needs_tshark
def test_ping_through_the_kernel(kernel_service: RunningService, tmp_path: Path) -> None:
    """Tshark finds every request and answer of a ping, with the kernel's times in order."""
    session = session_of(kernel_service)
    path = tmp_path / "ping.pcapng"
    with capturing(kernel_service, tmp_path, "-w", str(path)) as process:
        with responder(kernel_service, session, BATCH):
            assert host_pings("10.6.7.8", 5) == 5
        kernel_service.http.delete(f"/v1/sessions/{session}")
        assert process.wait(PATIENCE) == 0
        echoes = [
            (frame.direction, packet[20])
            for frame, packet in zip(tshark.read(path), tshark.contents(path), strict=True)
            if packet[0] >> 4 == 4 and packet[9] == 1
        ]
        assert echoes == [("outbound", 8), ("inbound", 0)] * 5


def test_no_session(service: RunningService) -> None:
    """An unknown session is a sentence, and no file is left."""
    result = invoke("capture", "Nothing", **variables(service))
    assert result.exit_code == 5
    assert "wintun-api sessions list" in result.stderr


# Where standard output or the file does not take what is written


@pytest.mark.thorough(but_first=True)
@needs_full
@pytest.mark.parametrize("options", [["--json"], [], ["--write", "/dev/full"], ["--write", "-"]])
def test_a_full_disk(
    service: RunningService, session: str, tmp_path: Path, options: list[str]
) -> None:
    """A capture that cannot be written ends with one sentence, its totals and exit code 1."""
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [*COMMAND, "capture", session, *options],
            env=environment(tmp_path, **variables(service)),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    until(
        lambda: (
            process.poll() is not None
            or service.http.get(f"/v1/sessions/{session}").json()["subscribers"]
        )
    )
    with service.packets(session) as stream:
        ping(stream, PINGS[:1])
    _, err = process.communicate(timeout=PATIENCE)
    totals, sentence = err.decode().splitlines()
    assert process.returncode == 1
    assert totals.endswith(" lost.")
    if "--json" in options:
        sentence = json.loads(sentence)["detail"]
    assert sentence.startswith("Cannot write ")
    assert sentence.endswith("No space left on device. The capture was stopped.")


@pytest.mark.thorough
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
@needs_full
def test_whole_blocks_on_a_full_disk(service: RunningService, session: str, tmp_path: Path) -> None:
    """A file that met a full disk ends with a whole block, and the totals say what is in it."""
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)], check=True)
    try:
        file = small / "f.pcapng"
        packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(997))
        with capturing(service, tmp_path, "--write", str(file)) as process:
            with service.packets(session) as stream:
                for _ in range(10):
                    stream.send([packet] * 20)
            _, err = process.communicate(timeout=PATIENCE)
        reader = Reader([file.read_bytes()])
        found = list(reader)
        assert process.returncode == 1
        assert not reader.truncated
        assert err.decode().startswith(f"{len(found)} packets captured, ")
        assert len(found) > 20
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.thorough
@needs_full
@pytest.mark.parametrize("command", [["--help"], ["adapters", "list"], ["doctor"], ["--version"]])
def test_no_command_prints_a_traceback(
    service: RunningService, session: str, tmp_path: Path, command: list[str]
) -> None:
    """Standard output on a full disk is a sentence and exit code 1, whatever the command."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *command],
            env=environment(tmp_path, **variables(service)),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"Cannot write to standard output: No space left on device.\n"


@pytest.mark.thorough
@needs_full
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["--bogus"], 2),
        (["inject", "A1", "--hex", "zz"], 2),
        (["capture", "A1", "--json", "--write", "f"], 2),
        (["adapters", "show", "nope"], 5),
        (["inject", "nope", "--pcap", "missing"], 5),
        (["tokens", "list"], 0),
        (["adapters", "list"], 0),
    ],
)
def test_standard_error_on_a_full_disk(
    service: RunningService, tmp_path: Path, command: list[str], code: int
) -> None:
    """What cannot be said changes neither what a command does nor its exit code."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, *command],
            env=environment(tmp_path, **variables(service)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == code


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("command", [["inject", "--pcap", "f", "--rate"], ["capture", "--seconds"]])
def test_numbers_that_are_none(
    service: RunningService, session: str, command: list[str], number: str
) -> None:
    """A rate or a time that is not finite is refused before anything happens."""
    arguments = [command[0], session, *command[1:-1], f"{command[-1]}={number}"]
    assert invoke(*arguments, **variables(service)).exit_code == 2
