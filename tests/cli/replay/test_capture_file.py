"""What `inject --pcap` reads: files, pipes and standard input, whole or damaged or without end."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.capture.reader.writer import LITTLE
from tests.cli.commands import PATIENCE
from tests.cli.replay.conftest import Replay, Start
from tests.cli.replay.files import BLOCKS, HEADER, PINGS, capture_file
from tests.posix import mkfifo
from tests.running import RunningService, receive
from tests.waiting import until
from wintun_api.capture import pcapng
from wintun_api.packet import build

MIB = 2**20
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and has devices")


def most_memory(process: subprocess.Popen[bytes]) -> int:
    """Return the bytes of memory that a process had at most."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def injected(service: RunningService, session: str) -> int:
    """Return how many packets were injected into a session."""
    return int(service.counters(session)["injected"]["packets"])


def test_a_file_that_is_not_there(replay: Replay, tmp_path: Path) -> None:
    """A sentence names the file, and nothing is said of packets."""
    result = replay(tmp_path / "nothing")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Cannot read {tmp_path / 'nothing'}: No such file or directory.\n"


def test_another_file(replay: Replay, tmp_path: Path) -> None:
    """A file of another kind is a sentence."""
    file = tmp_path / "f"
    file.write_bytes(b"#!/bin/sh\necho\n")
    result = replay(file)
    assert (result.exit_code, result.stdout) == (1, "0 packets accepted.\n")
    assert result.stderr == (f"Cannot read {file} as a capture: It is neither pcap nor pcapng.\n")


def test_an_empty_file(replay: Replay, tmp_path: Path) -> None:
    """A file without packets is not a success."""
    file = tmp_path / "f"
    file.write_bytes(b"")
    result = replay(file)
    assert (result.exit_code, result.stderr) == (1, f"{file} holds no packets.\n")


def test_a_cut_file(replay: Replay, tmp_path: Path) -> None:
    """The whole packets of a cut file are injected, and the command fails with a sentence."""
    file = capture_file(tmp_path / "f", PINGS)
    file.write_bytes(file.read_bytes()[:-5])
    result = replay(file)
    assert (result.exit_code, result.stdout) == (1, "39 packets accepted.\n")
    assert result.stderr == f"{file} is cut short; what came before was replayed.\n"


def test_a_file_that_is_damaged(replay: Replay, tmp_path: Path) -> None:
    """What comes before the damage is injected, and the sentence says at which byte it is."""
    file = capture_file(tmp_path / "f", PINGS)
    whole = file.stat().st_size
    with file.open("ab") as more:
        more.write(b"damaged!" * 10)
    result = replay(file)
    assert (result.exit_code, result.stdout) == (1, "40 packets accepted.\n")
    assert result.stderr.startswith(f"Cannot read all of {file}: ")
    assert f"at byte {whole}." in result.stderr


WHOLE = HEADER + BLOCKS


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:10],
        WHOLE[: len(HEADER) + 20],
        gzip.compress(WHOLE)[:5],
        gzip.compress(WHOLE)[:30],
        LITTLE.pcap(1) + LITTLE.record(bytes(60)) + bytes(9),
    ],
    ids=["section", "interface", "gzip's head", "gzip", "left out"],
)
def test_a_file_cut_before_a_packet(replay: Replay, tmp_path: Path, data: bytes) -> None:
    """The sentence does not claim that something was replayed, and there are totals."""
    file = tmp_path / "f"
    file.write_bytes(data)
    result = replay(file)
    assert result.exit_code == 1
    assert result.stdout.startswith("0 packets accepted")
    assert result.stderr == (f"{file} is cut short before the first packet that can be injected.\n")


def test_other_bytes_behind_gzip(replay: Replay, tmp_path: Path) -> None:
    """What follows the compressed capture was not read, and the sentence says where it begins."""
    file = tmp_path / "f.gz"
    packed = gzip.compress(WHOLE)
    file.write_bytes(packed + b"\n-- a signature --\n")
    result = replay(file)
    assert (result.exit_code, result.stdout) == (1, "40 packets accepted.\n")
    assert result.stderr == (
        f"Cannot read all of {file}: Other bytes follow the gzip data in the file, "
        f"at byte {len(packed)}.\n"
    )


@pytest.mark.parametrize("loop", [[], ["--loop", "2"]])
def test_gzip(replay: Replay, tmp_path: Path, loop: list[str]) -> None:
    """A capture compressed by gzip is injected as it is, also in a loop."""
    packed = tmp_path / "f.gz"
    packed.write_bytes(gzip.compress(HEADER + BLOCKS))
    result = replay(packed, *loop)
    count = 80 if loop else 40
    assert (result.exit_code, result.stdout) == (0, f"{count} packets accepted.\n")


@pytest.mark.parametrize("missing", [1, 9, 200])
def test_cut_gzip(replay: Replay, tmp_path: Path, missing: int) -> None:
    """Of cut gzip data everything that can be decompressed is injected."""
    file = tmp_path / "f.gz"
    packed = gzip.compress(HEADER + BLOCKS * 50)
    file.write_bytes(packed[:-missing])
    result = replay(file, "--json")
    accepted = json.loads(result.stdout)["accepted"]
    assert result.exit_code == 1
    assert "is cut short" in result.stderr
    assert accepted == 2000 if missing < 10 else 0 < accepted < 2000


def test_damaged_gzip(replay: Replay, tmp_path: Path) -> None:
    """What comes before the damage is injected, and the sentence says that it is gzip's."""
    file = tmp_path / "f.gz"
    damaged = gzip.compress(b"")[:10] + b"\xff" * 100
    file.write_bytes(gzip.compress(HEADER + BLOCKS) + bytes(4096) + damaged)
    result = replay(file)
    assert (result.exit_code, result.stdout) == (1, "40 packets accepted.\n")
    assert result.stderr == f"Cannot read all of {file}: The gzip data in the file are damaged.\n"


def test_changed_gzip(replay: Replay, tmp_path: Path) -> None:
    """Bytes that changed on a disk become blocks that contradict themselves, or damaged gzip."""
    file = tmp_path / "f.gz"
    packed = bytearray(gzip.compress(HEADER + BLOCKS * 500))
    packed[len(packed) // 2 :] = b"\xff" * 100
    file.write_bytes(packed)
    result = replay(file, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["detail"].startswith(f"Cannot read all of {file}: ")
    assert 0 < json.loads(result.stdout)["accepted"] < 20_000


@needs_proc
@pytest.mark.thorough
def test_a_gzip_bomb(service: RunningService, session: str, start: Start) -> None:
    """Some kilobytes that become 400 MiB are read with little memory."""
    ping = LITTLE.record(bytes(12) + b"\x08\0" + PINGS[0])
    zeros = gzip.compress(LITTLE.record(bytes(4 * MIB)) * 10) * 10
    assert len(zeros) < MIB
    process = start("-", "--json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(gzip.compress(LITTLE.pcap(1) + ping))
    process.stdin.flush()
    until(lambda: process.poll() is not None or injected(service, session) == 1)
    before = most_memory(process)
    process.stdin.write(zeros + gzip.compress(ping))
    process.stdin.flush()
    until(lambda: process.poll() is not None or injected(service, session) == 2)
    assert most_memory(process) < before + 32 * MIB
    out, err = process.communicate(timeout=PATIENCE)
    totals = json.loads(out)
    assert (totals["accepted"], totals["left_out"]) == (2, {"not IP": 100}), err


@pytest.mark.thorough
@pytest.mark.parametrize("compressed", [False, True])
def test_standard_input(start: Start, compressed: bool) -> None:
    """`-` is standard input, compressed or not."""
    process = start("-", stdin=subprocess.PIPE)
    data = HEADER + BLOCKS
    out, err = process.communicate(gzip.compress(data) if compressed else data, PATIENCE)
    assert (process.returncode, out, err) == (0, b"40 packets accepted.\n", b"")


@pytest.mark.thorough
def test_packets_of_a_pipe_are_sent_as_they_come(
    service: RunningService, session: str, start: Start
) -> None:
    """Another program's packet is injected while that program goes on."""
    process = start("-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    with service.packets(session, direction="injected") as tap:
        process.stdin.write(HEADER)
        for packet in PINGS[:5]:
            process.stdin.write(pcapng.packets([packet], [len(packet)], 0, injected=True))
            process.stdin.flush()
            assert receive(tap, 1) == [packet]
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"5 packets accepted.\n", b"")


@pytest.mark.thorough
def test_standard_input_that_ends_early(start: Start) -> None:
    """What a program wrote before it died is injected, and the sentence says that it is cut."""
    process = start("-", stdin=subprocess.PIPE)
    out, err = process.communicate((HEADER + BLOCKS)[:-7], PATIENCE)
    assert (process.returncode, out) == (1, b"39 packets accepted.\n")
    assert err == b"Standard input is cut short; what came before was replayed.\n"


@pytest.mark.thorough
def test_a_pipe_in_a_loop(start: Start) -> None:
    """A pipe cannot be read twice: that is wrong usage, and nothing is sent."""
    process = start("-", "--loop", "2", stdin=subprocess.PIPE)
    out, err = process.communicate(HEADER + BLOCKS, PATIENCE)
    assert (process.returncode, out) == (2, b"")
    assert b"Save the capture in a file first." in err


@pytest.mark.thorough
def test_a_file_as_standard_input_in_a_loop(start: Start, tmp_path: Path) -> None:
    """A file can be read twice, also where the shell opened it."""
    with capture_file(tmp_path / "f", PINGS).open("rb") as file:
        process = start("-", "--loop", "2", stdin=file)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"80 packets accepted.\n", b"")


@needs_proc
@pytest.mark.thorough
def test_a_named_pipe(start: Start, tmp_path: Path) -> None:
    """A FIFO is read as a pipe is."""
    path = tmp_path / "fifo"
    mkfifo(path)
    process = start(str(path))
    path.write_bytes(HEADER + BLOCKS)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (0, b"40 packets accepted.\n", b"")


@needs_proc
def test_a_device_without_end(replay: Replay) -> None:
    """What is no capture is refused by its first bytes, however much follows."""
    result = replay(Path("/dev/zero"))
    assert result.exit_code == 1
    assert "neither pcap nor pcapng" in result.stderr


@needs_proc
@pytest.mark.thorough
@pytest.mark.parametrize("compressed", [False, True])
def test_packets_without_end(
    service: RunningService, session: str, start: Start, compressed: bool
) -> None:
    """An endless capture is sent with a bounded memory, and ends by a signal with its totals."""
    process = start("-", "--json", stdin=subprocess.PIPE)
    assert process.stdin is not None
    pipe = process.stdin
    packet = build.udp("10.6.7.8", "10.6.7.200", 1, 2, bytes(1372))
    piece = pcapng.packets([packet] * 100, [len(packet)] * 100, 0, injected=True)
    over = threading.Event()

    def feed() -> None:
        with suppress(OSError):
            pipe.write(gzip.compress(HEADER) if compressed else HEADER)
            while not over.is_set():
                pipe.write(gzip.compress(piece) if compressed else piece)

    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    try:
        until(lambda: process.poll() is not None or injected(service, session) > 100)
        before = most_memory(process)
        until(lambda: process.poll() is not None or injected(service, session) > 20_000)
        assert most_memory(process) < before + 8 * MIB
    finally:
        over.set()
        process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 128 + signal.SIGTERM
    feeder.join(PATIENCE)
    assert process.stdout is not None
    totals = json.loads(process.stdout.read())
    assert totals["accepted"] == injected(service, session)
    assert totals["unanswered"] == 0
