"""`capture` and `inject --pcap` against a real service, read by tshark from file and live."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.cli.commands import COMMAND, PATIENCE, environment, invoke
from tests.conftest import Rig
from tests.drivers.linux.kernel import needs_kernel
from tests.needs import needs
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
        }
        assert "echo request" in request["info"]
        assert reply["direction"] == "received"
        assert err.decode().startswith("2 packets captured")


def test_json_and_a_file(service: RunningService, session: str) -> None:
    """Two ways at once are refused with a sentence."""
    result = invoke("capture", session, "--json", "-w", "x.pcapng", **variables(service))
    assert result.exit_code == 2
    assert "Choose one" in result.stderr


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


# inject --pcap


def capture_file(path: Path, packets: list[bytes], *, cut: int = 0) -> Path:
    file = pcapng.header("x", os="x", application="x")
    lengths = list(map(len, packets))
    file += pcapng.packets(packets, lengths, 0, injected=True)
    if cut:
        file += pcapng.packets(
            [bytes(9)] * cut, [9] * cut, 0, injected=True, original_lengths=[10] * cut
        )
    path.write_bytes(file)
    return path


def test_inject_pcap(service: RunningService, session: str, tmp_path: Path) -> None:
    """Every packet of a capture is injected; what is refused or left out is counted by reason."""
    file = capture_file(tmp_path / "f", [*PINGS, b"\x45", bytes(30)], cut=3)
    with service.packets(session) as stream:
        result = invoke("inject", "OfficeNet", "--pcap", str(file), "--json", **variables(service))
        assert json.loads(result.stdout) == {
            "accepted": 40,
            "rejected": {"too_short": 1, "bad_version": 1},
            "ring_full": 0,
            "refused": {},
            "completed": 0,
            "left_out": {"not whole": 3},
        }
        assert receive(stream, 40) == [build.echo_reply(packet) for packet in PINGS]


def test_inject_many(service: RunningService, session: str, tmp_path: Path) -> None:
    """More packets than one request has are several requests; the totals are a sentence."""
    file = capture_file(tmp_path / "f", PINGS * 50)
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.stdout == "2000 packets accepted.\n"
    assert service.counters(session)["injected"]["packets"] == 2000


def test_inject_at_a_rate(service: RunningService, session: str, tmp_path: Path) -> None:
    """At 100 a second, 20 packets come two at a time."""
    file = capture_file(tmp_path / "f", PINGS[:20])
    with service.packets(session, direction="injected") as tap:
        result = invoke(
            "inject", session, "--pcap", str(file), "--rate", "100", **variables(service)
        )
        assert result.stdout == "20 packets accepted.\n"
        bursts: list[int] = []
        while sum(bursts) < 20:
            bursts.append(len(next(tap).packets))
    assert max(bursts) == 2


def test_inject_into_a_full_ring(rig: Rig, tmp_path: Path) -> None:
    """What found the ring full is told."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    service.session(adapter, capacity=0x20000)
    rig.library.hold_consumer("OfficeNet")
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    file = capture_file(tmp_path / "f", [packet] * 200)
    result = invoke("inject", "OfficeNet", "--pcap", str(file), "--json", **variables(service))
    totals = json.loads(result.stdout)
    assert totals["ring_full"] > 0
    assert totals["accepted"] + totals["ring_full"] == 200
    rig.library.release_consumer("OfficeNet")


@pytest.mark.parametrize("options", [("--rate", "5"), ("--pcap", "f", "--hex", "45")])
def test_inject_usage(service: RunningService, options: tuple[str, ...]) -> None:
    """What does not go together is wrong usage."""
    assert invoke("inject", "OfficeNet", *options, **variables(service)).exit_code == 2


def test_inject_no_capture(service: RunningService, session: str, tmp_path: Path) -> None:
    """A file of another kind is a sentence."""
    file = tmp_path / "f"
    file.write_bytes(b"#!/bin/sh\necho\n")
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Cannot read {file} as a capture: ")


def test_inject_gzip(service: RunningService, session: str, tmp_path: Path) -> None:
    """A capture compressed by gzip is injected as it is."""
    file = capture_file(tmp_path / "f", PINGS)
    packed = tmp_path / "f.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    result = invoke("inject", session, "--pcap", str(packed), **variables(service))
    assert (result.exit_code, result.stdout) == (0, "40 packets accepted.\n")


@pytest.mark.thorough
@pytest.mark.parametrize("compressed", [False, True])
def test_inject_standard_input(
    service: RunningService, session: str, tmp_path: Path, compressed: bool
) -> None:
    """`-` is standard input, compressed or not."""
    data = capture_file(tmp_path / "f", PINGS).read_bytes()
    result = subprocess.run(
        [*COMMAND, "inject", session, "--pcap", "-"],
        env=environment(tmp_path, **variables(service)),
        input=gzip.compress(data) if compressed else data,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, b"40 packets accepted.\n")


def test_inject_a_cut_file(service: RunningService, session: str, tmp_path: Path) -> None:
    """The whole packets of a cut file are injected, and the command fails with a sentence."""
    file = capture_file(tmp_path / "f", PINGS)
    file.write_bytes(file.read_bytes()[:-5])
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert (result.exit_code, result.stdout) == (1, "39 packets accepted.\n")
    assert "is cut in the middle of a packet" in result.stderr


def test_inject_cut_gzip(service: RunningService, session: str, tmp_path: Path) -> None:
    """Cut gzip data are told as such; what could be read was injected."""
    file = tmp_path / "f.gz"
    file.write_bytes(gzip.compress(capture_file(tmp_path / "f", PINGS).read_bytes())[:-9])
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert "gzip data" in result.stderr


def test_inject_an_unknown_link_type(service: RunningService, session: str, tmp_path: Path) -> None:
    """A file of which nothing can be injected fails, and its link type is named."""
    file = tmp_path / "f"
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147)
    file.write_bytes(header + struct.pack("<4I", 1, 1, 28, 28) + PINGS[0])
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert result.stdout == ("0 packets accepted, 1 left out (of link type 147, not known here).\n")
    assert "no packet that can be injected" in result.stderr


def test_inject_an_empty_file(service: RunningService, session: str, tmp_path: Path) -> None:
    """A file without packets is not a success."""
    file = tmp_path / "f"
    file.write_bytes(b"")
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert "holds no packets" in result.stderr


def test_inject_packets_that_none_takes(
    service: RunningService, session: str, tmp_path: Path
) -> None:
    """A file of which every packet is refused is not a success."""
    file = capture_file(tmp_path / "f", [b"\x45" + bytes(9), b"\x15" + bytes(30)])
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert result.stdout.startswith("0 packets accepted, 1 rejected (too_short), 1 rejected (bad_v")
    assert result.stderr == f"No packet of {file} was accepted.\n"


def test_inject_a_packet_that_is_too_long(
    service: RunningService, session: str, tmp_path: Path
) -> None:
    """What segmentation offload leaves may be longer than IP's length can say."""
    packet = build.udp("10.6.7.8", "10.6.7.7", 1, 2, bytes(9000))
    file = capture_file(tmp_path / "f", [packet[:2] + bytes(2) + packet[4:] + bytes(60000)])
    result = invoke("inject", session, "--pcap", str(file), **variables(service))
    assert result.exit_code == 1
    assert result.stdout == "0 packets accepted, 1 left out (longer than 65535 bytes).\n"


def test_inject_what_a_card_would_have_finished(
    service: RunningService, session: str, tmp_path: Path
) -> None:
    """A length of 0, as segmentation offload leaves it, is filled in and counted."""
    packet = build.tcp("10.6.7.8", "10.6.7.7", 1, 2, payload=bytes(3000))
    left = packet[:2] + bytes(2) + packet[4:10] + bytes(2) + packet[12:]
    file = capture_file(tmp_path / "f", [left, packet])
    with service.packets(session, direction="injected") as tap:
        result = invoke("inject", session, "--pcap", str(file), "--json", **variables(service))
        assert json.loads(result.stdout)["completed"] == 1
        assert receive(tap, 2) == [packet, packet]


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


@needs_kernel[0]
@needs_kernel[1]
@needs("ip")
def test_inject_while_the_link_is_down(kernel_service: RunningService, tmp_path: Path) -> None:
    """A packet that the host refuses is not a success, and the sentence says why."""
    session = session_of(kernel_service)
    (adapter,) = kernel_service.http.get("/v1/adapters").json()
    subprocess.run(["ip", "link", "set", adapter["interface_name"], "down"], check=True)
    file = capture_file(tmp_path / "f", PINGS[:3])
    one = invoke("inject", session, "--hex", PINGS[0].hex(), **variables(kernel_service))
    many = invoke("inject", session, "--pcap", str(file), **variables(kernel_service))
    assert (one.exit_code, "link is set down" in one.stderr) == (1, True)
    assert many.stdout == "0 packets accepted, 3 refused by the host (link down).\n"


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


def test_inject_a_file_without_end(service: RunningService, session: str) -> None:
    """No more is read than a packet can have, and the service refuses it."""
    result = invoke("inject", session, "--file", "/dev/zero", **variables(service))
    assert result.exit_code == 1
    assert "65535" in result.stderr


@pytest.mark.thorough
def test_ctrl_c_stops_a_replay(service: RunningService, session: str, tmp_path: Path) -> None:
    """An interrupted replay says what was sent, and is not a success."""
    file = capture_file(tmp_path / "f", PINGS * 100)
    process = subprocess.Popen(
        [*COMMAND, "inject", session, "--pcap", str(file), "--rate", "50"],
        env=environment(tmp_path, **variables(service)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: process.poll() is not None or service.counters(session)["injected"]["packets"])
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert " packets accepted." in out
    assert err == "The replay was interrupted; what came before was sent.\n"
