"""The pcapng encoder, read by Wireshark."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.capture import tshark
from tests.capture.capinfos import text_of
from tests.capture.samples import HEADER, LENGTHS, PACKETS, TIME, header
from tests.capture.tshark import Frame
from wintun_api.capture import pcapng


def blocks(*, injected: bool = False, dropped: int = 0, time_ns: int = TIME) -> bytes:
    return pcapng.packets(PACKETS, LENGTHS, time_ns, injected=injected, dropped=dropped)


@tshark.needs_tshark
@pytest.mark.parametrize("injected", [False, True])
def test_wireshark_agrees(tmp_path: Path, injected: bool) -> None:
    """Count, bytes, nanoseconds, interface and direction are those that were written."""
    path = tmp_path / "some.pcapng"
    path.write_bytes(HEADER + blocks(injected=injected))
    direction = "inbound" if injected else "outbound"
    assert tshark.read(path) == [
        Frame(TIME, length, length, "OfficeNet", direction, 0) for length in LENGTHS
    ]
    assert tshark.contents(path) == PACKETS


@tshark.needs_tshark
def test_cut_packets(tmp_path: Path) -> None:
    """A cut packet keeps its original length, and a loss stands on the first packet after it."""
    cut = [packet[:33] for packet in PACKETS]
    captured = list(map(len, cut))
    path = tmp_path / "cut.pcapng"
    path.write_bytes(
        header("OfficeNet", snaplen=33)
        + pcapng.packets(
            cut, captured, TIME + 1, injected=True, original_lengths=LENGTHS, dropped=2**33
        )
    )
    found = tshark.read(path)
    assert [(frame.captured, frame.length) for frame in found] == list(
        zip(captured, LENGTHS, strict=True)
    )
    assert [frame.dropped for frame in found] == [2**33] + [0] * (len(cut) - 1)
    assert {frame.time_ns for frame in found} == {TIME + 1}


@tshark.needs_tshark
def test_the_end(tmp_path: Path) -> None:
    """Statistics are part of the interface; nothing in the file is malformed."""
    path = tmp_path / "end.pcapng"
    end = pcapng.statistics(start_ns=TIME, end_ns=TIME + 5, received=20, dropped=6)
    path.write_bytes(HEADER + blocks(dropped=6) + end)
    assert len(tshark.read(path)) == len(PACKETS)
    info = text_of(path)
    assert "Number of stat entries = 1" in info
    assert "Capture oper-sys:    Linux 6.1" in info
    assert "Capture application: wintun-api 1.0" in info


@pytest.mark.parametrize("size", [*range(13), len(HEADER) - 1, len(HEADER) + 5])
def test_whole_blocks(size: int) -> None:
    """What is cut off in a block ends before that block."""
    first = int.from_bytes(HEADER[4:8], "little")
    expected = 0 if size < first else first if size < len(HEADER) else len(HEADER)
    assert pcapng.whole((HEADER + blocks())[:size]) == expected


def test_no_packets() -> None:
    """A burst without packets is no block."""
    assert pcapng.packets([], [], TIME, injected=False, dropped=3) == b""
