"""hub.capture.file: one pcapng with an interface for each session, read by Wireshark."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from tests.capture import tshark
from tests.capture.capinfos import text_of
from tests.capture.samples import statistics
from tests.hub.bursts import burst
from tests.hub.capture.reading import Line, Taker, lines, packet
from tests.hub.running import holds, hub
from wintun_api.capture import pcapng
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.marks import CORRUPTED, DUPLICATED

GUID = UUID("11111111-2222-3333-4444-555555555555")
TIME = 1764043200_123456789


def source() -> Source:
    return Source("session-A", GUID, "A")


@tshark.needs_tshark
def test_each_session_has_an_interface(tmp_path: Path) -> None:
    """Wireshark shows each packet with the adapter that it came from."""

    async def body() -> Path:
        async with hub() as one:
            taker = Taker()
            taker.gather(one)
            for name in "AB":
                _, ring = await one.session(name)
                ring.deliver(packet(1), packet(2, 100))
                await taker.until(len(taker.packets) + 2)
            taker.gathering.close()
            return taker.save(tmp_path / "two.pcapng")

    path = asyncio.run(body())
    assert lines(path) == [
        Line(0, "A", 32, 0, ""),
        Line(0, "A", 124, 0, ""),
        Line(1, "B", 32, 0, ""),
        Line(1, "B", 124, 0, ""),
    ]
    text = text_of(path)
    assert "Number of interfaces in file: 2" in text
    assert text.count("Number of stat entries = 1") == 2
    assert text.count("Number of packets = 2") == 2


@tshark.needs_tshark
def test_a_renamed_adapter_gets_another_interface(tmp_path: Path) -> None:
    """Packets before the change keep the old name."""
    file, one = PcapngFile(), source()
    written = file.begin() + file.add(one, burst(0, 1, 20))
    one.name = "Z"
    written += file.add(one, burst(1, 2, 20)) + file.end()
    path = tmp_path / "renamed.pcapng"
    path.write_bytes(written)
    assert [(line.interface, line.name) for line in lines(path)] == [(0, "A"), (1, "Z"), (1, "Z")]


@tshark.needs_tshark
def test_a_loss_is_a_drop_count_and_a_comment(tmp_path: Path) -> None:
    """Both stand at the packet after the loss, and the sum in the statistics."""
    file, one = PcapngFile(), source()
    losses = (
        Loss(10, 0, 9, injected=False, cause=Cause.QUEUE),
        Loss(2, 10, 11, injected=False, cause=Cause.RING),
    )
    written = file.begin() + file.add(one, burst(0, 1, 20))
    written += file.lose(one, losses[:1])
    written += file.add(one, burst(12, 2, 20), losses[1:]) + file.end()
    path = tmp_path / "lost.pcapng"
    path.write_bytes(written)
    assert [(line.dropped, line.comment) for line in lines(path)] == [
        (0, ""),
        (12, "12 packets were lost before this one: queue 10, ring 2"),
        (0, ""),
    ]
    assert statistics(written) == (15, 12)


def test_a_loss_after_the_last_packet_is_in_the_statistics() -> None:
    """It is counted, and the comment says where it was."""
    file, one = PcapngFile(), source()
    written = file.begin() + file.add(one, burst(0, 1, 20))
    written += file.lose(one, [Loss(1, 1, 1, injected=False)])
    end = file.end_of(one)
    assert statistics(written + end) == (2, 1)
    assert b"1 packet was lost after the last one: queue 1" in end
    assert file.end_of(one) == file.end() == b""


@tshark.needs_tshark
def test_the_interface_says_what_it_is(tmp_path: Path) -> None:
    """Name, adapter, filter and snap length are in its block."""
    file = PcapngFile(snaplen=33, filter="tcp port 443")
    path = tmp_path / "interface.pcapng"
    path.write_bytes(file.begin() + file.add(source(), burst(0, 1, 40)) + file.end())
    text = text_of(path)
    assert "Name = A" in text
    assert f"Description = adapter {GUID}, session session-A" in text
    assert "Filter string = tcp port 443" in text
    assert "Capture length = 33" in text
    assert f"Comment = adapter {GUID}" in text
    assert [line.length for line in lines(path)] == [40]


@tshark.needs_tshark
def test_marks_are_comments(tmp_path: Path) -> None:
    """Packets carry what happened to them, also where they are cut; without marks nothing."""
    comments = {1: (CORRUPTED,), 2: (DUPLICATED, "delayed by 20.500 ms")}
    packets = [packet(0), packet(1), packet(2)]
    lengths = [len(it) for it in packets]
    late = Burst(packets, lengths, sum(lengths), 0, TIME, injected=False, comments=comments)
    path = tmp_path / "marked.pcapng"
    file, plain = PcapngFile(marks=True, snaplen=25), PcapngFile()
    path.write_bytes(file.begin() + file.add(source(), late) + file.end())
    assert tshark.rows(path, "frame.comment") == (
        [[""], ["corrupted"], ["duplicated|delayed by 20.500 ms"]],
        "",
    )
    path.write_bytes(plain.begin() + plain.add(source(), late) + plain.end())
    assert [line.comment for line in lines(path)] == ["", "", ""]


@tshark.needs_tshark
def test_each_packet_has_its_time(tmp_path: Path) -> None:
    """Nanoseconds are exact, also where the upper half of the time changes within a burst."""
    edge = (TIME >> 32 << 32) + 2**32 - 3
    packets = [packet(number) for number in range(3)]
    lengths = [len(it) for it in packets]
    file = PcapngFile()
    path = tmp_path / "times.pcapng"
    timed = Burst(packets, lengths, 96, 0, edge, injected=False, times=[0, 2, 5])
    path.write_bytes(file.begin() + file.add(source(), timed) + file.end())
    assert [frame.time_ns for frame in tshark.read(path)] == [edge, edge + 2, edge + 5]


def test_readers_share_the_blocks_of_a_single_session() -> None:
    """Two files whose only interface is the session get the same bytes, made once."""
    shared, one = burst(0, 3, 20), source()
    shared.shared = True
    files = [PcapngFile(), PcapngFile()]
    for file in files:
        file.introduce(one)
    first, second = (file.add(one, shared) for file in files)
    assert first is second
    assert pcapng.whole(first) == len(first)


@tshark.needs_tshark
def test_a_file_of_no_session_opens(tmp_path: Path) -> None:
    """A header alone is a file that Wireshark opens."""
    file = PcapngFile()
    path = tmp_path / "none.pcapng"
    path.write_bytes(file.begin() + file.end())
    assert lines(path) == []
    assert "Number of packets:   0" in text_of(path)


def test_what_no_session_is_there_for_costs_nothing() -> None:
    """Without a capture no function is called for a session that starts."""

    async def body() -> None:
        async with hub() as one:
            session, ring = await one.session("A")
            ring.deliver(packet(1))
            await holds(lambda: session.counters.received_packets == 1)
            assert not one.registry.sessions.started
            assert session.counters.lost["unclaimed"] == 1

    asyncio.run(body())
