"""api.recorder_file: the file of what a recorder had, before a service sends it."""

from __future__ import annotations

import asyncio
from array import array
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.capture import tshark
from tests.capture.samples import statistics
from tests.hub.bursts import burst
from wintun_api.api.recorder_file import CHUNK, RecorderFile
from wintun_api.capture import pcapng
from wintun_api.choices import Direction
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.source import Source
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.recorder import Recorded
from wintun_api.packet.block import Block

TIME = 1764043200_123456789


def file(
    *entries: tuple[Burst, list[Loss]],
    direction: Direction = Direction.BOTH,
    losses: tuple[Loss, ...] = (),
    stopping: asyncio.Event | None = None,
) -> RecorderFile:
    """A file of these bursts."""
    return RecorderFile(
        Recorded(entries, losses),
        Source("5f0c9d1e2b3a", UUID(int=7), "OfficeNet"),
        direction=direction,
        filter=None,
        stopping=stopping or asyncio.Event(),
    )


async def rest(chunks: Any) -> bytes:
    """What comes from now on."""
    return b"".join([chunk async for chunk in chunks])


def whole(one: RecorderFile) -> bytes:
    """All of a file, which must be whole blocks."""
    blocks = asyncio.run(rest(one.chunks()))
    assert pcapng.whole(blocks) == len(blocks)
    return blocks


def loss(count: int, *, injected: bool = False) -> Loss:
    """Packets that the host lost."""
    return Loss(count, 0, count - 1, injected, Cause.RING)


def shown(path: Path, blocks: bytes) -> list[tshark.Frame]:
    """The packets as Wireshark reads them."""
    path.write_bytes(blocks)
    return tshark.read(path)


@tshark.needs_tshark
def test_losses_are_told_at_the_packet_behind_them(tmp_path: Path) -> None:
    """The drop count is at the packet that came next, and the statistics have the sum."""
    blocks = whole(
        file((burst(0, 2, 40), []), (burst(9, 1, 40), [loss(7)]), losses=(loss(3),)),
    )
    assert [one.dropped for one in shown(tmp_path / "a.pcapng", blocks)] == [0, 0, 7]
    assert statistics(blocks) == (13, 10)


@tshark.needs_tshark
def test_what_is_left_out_takes_no_losses_with_it(tmp_path: Path) -> None:
    """A loss of the wanted direction waits for its next packet; others are not of the file."""
    blocks = whole(
        file(
            (burst(0, 1, 40), []),
            (burst(0, 1, 40, injected=True), [loss(7), loss(2, injected=True)]),
            (burst(8, 1, 40), []),
            direction=Direction.RECEIVED,
        )
    )
    frames = shown(tmp_path / "a.pcapng", blocks)
    assert [(one.direction, one.dropped) for one in frames] == [("outbound", 0), ("outbound", 7)]
    assert statistics(blocks) == (9, 7)


@tshark.needs_tshark
def test_each_packet_has_its_time(tmp_path: Path) -> None:
    """Times within a burst are those at which its packets were read."""
    one = Burst([bytes([0x45]) + bytes(39)] * 3, [40] * 3, 120, 0, TIME, injected=False)
    one.times = array("I", [0, 5, 1_000_000])
    frames = shown(tmp_path / "a.pcapng", whole(file((one, []))))
    assert [frame.time_ns - TIME for frame in frames] == [0, 5, 1_000_000]


@tshark.needs_tshark
def test_a_file_without_packets(tmp_path: Path) -> None:
    """It names the adapter all the same, and Wireshark opens it."""
    blocks = whole(file())
    assert shown(tmp_path / "a.pcapng", blocks) == []
    assert b"OfficeNet" in blocks
    assert statistics(blocks) == (0, 0)


def test_the_file_comes_in_pieces() -> None:
    """No piece is much larger than a chunk, however much the recorder has."""

    async def body() -> list[int]:
        entries: list[tuple[Burst, list[Loss]]] = [(burst(n, 10, 1000), []) for n in range(100)]
        return [len(piece) async for piece in file(*entries).chunks()]

    sizes = asyncio.run(body())
    assert sum(sizes) > 1_000_000
    assert max(sizes) < 1.3 * CHUNK


def test_a_file_that_is_stopped_says_what_is_missing() -> None:
    """Where the token or the service ends, the rest counts as lost and the file is whole."""

    async def body(stop: bool) -> bytes:
        stopping = asyncio.Event()
        entries = [(burst(n, 10, 1000), [loss(1)] if n == 90 else []) for n in range(100)]
        one = file(*entries, stopping=stopping)
        chunks = one.chunks()
        begun = await anext(chunks) + await anext(chunks)
        one.stop() if stop else stopping.set()
        return begun + await rest(chunks)

    for stop in (True, False):
        blocks = asyncio.run(body(stop))
        assert pcapng.whole(blocks) == len(blocks)
        received, dropped = statistics(blocks)
        assert received == 1001
        assert 1 < dropped < 1001


def test_what_was_read_is_forgotten() -> None:
    """Reading splits the packets of a burst, and the recorder keeps them in one piece again."""
    block = Block.of([bytes([0x45]) + bytes(39)] * 100)
    one = Burst(block, block.lengths, block.size, 0, TIME, injected=False)
    split = block.packets
    whole(file((one, [])))
    assert one.packets is block
    assert block.packets is not split
