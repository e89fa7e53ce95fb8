"""Recordings before a live capture: one file, without gap or duplicate, as tshark reads it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.capture import tshark
from wintun_api.capture import pcapng
from wintun_api.capture.history import joined
from wintun_api.capture.reader import Captured, Reader
from wintun_api.packet import build

START = 1_800_000_000_000_000_000
PACKETS = [
    build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=number, data=bytes(number))
    for number in range(40)
]


def section() -> bytes:
    return pcapng.section(os="Linux", application="a test")


def interface(name: str = "OfficeNet") -> bytes:
    return pcapng.interface(name, description=f"adapter {name}, session 1")


def block(number: int, *, on: int = 0, injected: bool = False, dropped: int = 0) -> bytes:
    """One packet, whose time is that of its number."""
    packet = PACKETS[number]
    return pcapng.packets(
        [packet],
        [len(packet)],
        START + number,
        injected=injected,
        interface=on,
        dropped=dropped,
    )


def statistics(received: int, dropped: int = 0) -> bytes:
    return pcapng.statistics(start_ns=START, end_ns=START + 99, received=received, dropped=dropped)


def recording(numbers: Iterable[int], name: str = "OfficeNet") -> list[bytes]:
    numbers = list(numbers)
    return [section(), interface(name), *map(block, numbers), statistics(len(numbers))]


def join(
    live: Sequence[bytes], *recordings: Sequence[bytes], snaplen: int = 0, size: int = 0
) -> bytes:
    """Return the file; with a size, everything comes in chunks of so many bytes."""

    def cut(blocks: Sequence[bytes]) -> Iterator[bytes]:
        whole = b"".join(blocks)
        step = size or len(whole)
        yield from (whole[at : at + step] for at in range(0, len(whole), step))

    return b"".join(
        joined(
            cut(live),
            lambda: [cut(one) for one in recordings],
            asked=time.monotonic(),
            snaplen=snaplen,
        )
    )


def numbers_of(packets: Iterable[Captured]) -> list[int]:
    return [packet.time_ns - START for packet in packets]


def test_what_both_have_is_written_once() -> None:
    """Packets of the overlap come from the recording, and the live ones continue after them."""
    live = [section(), interface(), *map(block, range(15, 30)), statistics(15)]
    made = join(live, recording(range(20)))
    assert numbers_of(Reader([made])) == list(range(30))
    assert made.count(interface()) == 1
    assert made.count(section()) == 1


def test_chunks_of_any_size() -> None:
    """However the bytes arrive, the file is the same."""
    live = [section(), interface(), *map(block, range(5, 30)), statistics(25)]
    whole = join(live, recording(range(20)))
    assert join(live, recording(range(20)), size=7) == whole


def test_packets_that_are_equal_but_not_the_same() -> None:
    """Of two packets with the same bytes and time, as many are left as there were."""
    twice = [section(), interface(), block(3), block(3), statistics(2)]
    assert numbers_of(Reader([join(twice, recording([3]))])) == [3, 3]


def test_directions_differ() -> None:
    """A packet of the other direction is another packet."""
    live = [section(), interface(), block(3, injected=True), statistics(1)]
    assert numbers_of(Reader([join(live, recording([3]))])) == [3, 3]


def test_interfaces_differ() -> None:
    """A packet of another interface is another packet, also at the same time."""
    live = [section(), interface("B"), block(3), statistics(1)]
    assert numbers_of(Reader([join(live, recording([3], "A"))])) == [3, 3]


def test_statistics_count_everything() -> None:
    """The statistics have the packets of both without those that both had, and all losses."""
    before = [section(), interface(), *map(block, range(10)), statistics(13, dropped=3)]
    live = [
        section(),
        interface(),
        *map(block, range(8, 12)),
        block(12, dropped=5),
        statistics(10, dropped=5),
    ]
    made = join(live, before)
    assert statistics(21, dropped=8) in made
    reader = Reader([made])
    assert len(list(reader)) == 13
    assert reader.lost == 8


def test_recordings_of_several_sessions_are_in_order() -> None:
    """Packets of several recordings are merged by time, each with its own interface."""
    live = [section(), interface("B"), block(30), interface("C"), block(31, on=1)]
    made = join(live, recording(range(0, 20, 2), "A"), recording(range(1, 20, 2), "B"))
    assert numbers_of(Reader([made])) == [*range(20), 30, 31]
    described = [made.index(interface(name)) for name in "ABC"]
    assert described == sorted(described)


def test_recorded_packets_are_cut() -> None:
    """The snap length holds for recorded packets too, and for what both have."""
    cut = pcapng.packets(
        [PACKETS[9][:20]],
        [20],
        START + 9,
        injected=False,
        original_lengths=[len(PACKETS[9])],
    )
    made = join([section(), interface(), cut], recording(range(10)), snaplen=20)
    packets = list(Reader([made]))
    assert numbers_of(packets) == list(range(10))
    assert [packet.data for packet in packets] == [packet[:20] for packet in PACKETS[:10]]
    assert [packet.missing for packet in packets] == [len(one) - 20 for one in PACKETS[:10]]


def test_captures_that_follow_one_another() -> None:
    """Further sections become part of the first: each packet is at the interface of its name."""
    first = [section(), interface("A"), block(30), interface("B"), block(31, on=1)]
    second = [section(), interface("B"), block(32), interface("C"), block(33, on=1)]
    made = join([*first, *second], recording(range(5), "B"))
    assert made.count(section()) == 1
    packets = list(Reader([made]))
    assert numbers_of(packets) == [*range(5), 30, 31, 32, 33]
    assert [packet.interface for packet in packets] == [*"BBBBB", *"ABBC"]


@tshark.needs_tshark
def test_tshark_reads_it(tmp_path: Path) -> None:
    """Wireshark finds the packets of two sessions at their interfaces."""
    live = [section(), interface("B"), *map(block, range(20, 25)), statistics(5)]
    path = tmp_path / "joined.pcapng"
    path.write_bytes(join(live, recording(range(0, 20, 2), "A"), recording(range(1, 21), "B")))
    frames = tshark.read(path)
    assert len(frames) == 10 + 20 + 4
    assert {frame.interface for frame in frames} == {"A", "B"}
    assert [frame.interface for frame in frames[-4:]] == ["B"] * 4
