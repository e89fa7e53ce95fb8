"""hub.marks: packets of clients that were rejected, for a reader with marks."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.impairment.plans import both, datagram
from tests.hub.marked import Marks, Told
from tests.hub.running import hub
from wintun_api.choices import Native, Tap
from wintun_api.chunks import codec
from wintun_api.frames import BINARY
from wintun_api.hub.burst import COMMENT, Burst
from wintun_api.hub.marks import Marked, comments_of, rejected
from wintun_api.limits import MAX_PACKET
from wintun_api.native import Speedups, speedups
from wintun_api.packet.block import Block
from wintun_api.packet.check import sift
from wintun_api.wire import Batch, pack

GOOD = datagram(1)
BAD = [b"", b"\x45", b"\x60" + bytes(30), bytes(40), b"\x45" + bytes(MAX_PACKET)]
REASONS = [
    "rejected: too_short",
    "rejected: too_short",
    "rejected: too_short",
    "rejected: bad_version",
    "rejected: too_long, 65536 bytes",
]
EXTENSION = speedups(Native.AUTO)


@pytest.mark.parametrize("tap", Tap)
@pytest.mark.parametrize("impaired", [False, True])
def test_rejected_packets_are_shown(tap: Tap, impaired: bool) -> None:
    """A reader with marks sees them with the reason, on both sides; the host gets none."""

    async def body() -> list[Told]:
        async with hub() as one:
            session, ring = await one.session()
            if impaired:
                session.impair(both(delay_ms=600_000))
            marks, plain = Marks(session, tap=tap), Marks(session, marks=False, tap=tap)
            injection = session.inject(sift([GOOD, *BAD]))
            assert injection.rejected == {"too_short": 3, "bad_version": 1, "too_long": 1}
            assert all(not comments for _, comments in plain.told)
            assert len(plain.told) == (not impaired or tap is Tap.BEFORE)
            assert ring.sent == ([] if impaired else [GOOD])
            return [one for one in marks.told if one[1]]

    told = asyncio.run(body())
    assert told == [
        (packet[:MAX_PACKET], (reason,)) for packet, reason in zip(BAD, REASONS, strict=True)
    ]


@pytest.mark.parametrize("native", [None, EXTENSION])
@pytest.mark.parametrize("batched", [False, True])
def test_every_codec_knows_what_it_left_out(native: Speedups | None, batched: bool) -> None:
    """The packets that were rejected can be had from the chunk that they came in."""
    bad = BAD[:-1] if batched else BAD
    mixed = [GOOD, bad[0], GOOD, *bad[1:]]
    messages = [pack(Batch(mixed))] if batched else mixed
    chunk = b"".join(map(masked, messages))
    cut, end, _, _ = codec(native, batched=batched).cut(chunk, 0, 1 << 20)
    assert end == len(chunk)
    assert list(cut.sifted.packets) == [GOOD, GOOD]
    assert list(cut.sifted.left_out()) == bad


def masked(payload: bytes) -> bytes:
    """Return a frame of a client, whose mask is 0."""
    size = len(payload)
    if size < 126:
        head = bytes([BINARY, 0x80 | size])
    elif size <= 0xFFFF:
        head = bytes([BINARY, 0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([BINARY, 0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def test_comments_keep_their_packets() -> None:
    """They stay with them where a burst is cut, divided or filtered."""
    packets = [Marked.of(datagram(number), 0, str(number)) for number in range(5)]
    comments = comments_of(packets)
    assert comments == {number: (str(number),) for number in range(5)}
    one = Burst(packets, [40] * 5, 200, 0, 0, injected=False, comments=comments)
    assert one.part(1, 3).comments == {0: ("1",), 1: ("2",)}
    assert one.chosen([0, 4]).comments == {0: ("0",), 1: ("4",)}
    assert one.cut(10).comments == comments
    assert one.kept - Burst(packets, [40] * 5, 200, 0, 0, injected=False).kept == 5 * COMMENT


def test_packets_without_marks_have_no_comments() -> None:
    """A burst in one piece is not even looked at, and a marked packet may have nothing to tell."""
    assert comments_of(Block.of([GOOD, GOOD])) is None
    assert comments_of([GOOD, Marked.of(GOOD, 5)]) is None


def test_a_rejected_packet_is_no_longer_than_a_packet() -> None:
    """One that is too long is cut, and its comment has the length."""
    burst = rejected([bytes(100_000)], 7)
    assert burst.lengths == [MAX_PACKET]
    assert burst.comments == {0: ("rejected: too_long, 100000 bytes",)}
    assert burst.injected
