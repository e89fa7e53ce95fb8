"""The decoders in this process: batches, captures, packets, and frames cut anywhere.

They must give a value or their own error, in time and without taking more memory than they were
given; and what two of them say of the same bytes must agree.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Sequence

from websockets.frames import Frame, Opcode

from tests.attack.attack import SHOWN, Attack
from tests.attack.frames import _lying_batches, broken_kinds, sound_kinds
from tests.attack.mutations import changed, pieces
from tests.attack.streams import FRAME_WORDS
from tests.capture.samples import header
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Reader
from wintun_api.chunks import Codec, MessageReader, codec
from wintun_api.errors import FrameError
from wintun_api.native import speedups
from wintun_api.packet import build
from wintun_api.packet.check import rejection
from wintun_api.packet.decode import decode
from wintun_api.wire import Batch, pack, unpack

PART = "fuzz"
SLOW = 2.0  # seconds for one input of at most 300 kB
PACKETS = (
    build.udp("10.0.0.1", "10.0.0.2", 1, 2, b"hello"),
    build.tcp("10.0.0.1", "10.0.0.2", 80, 4000, flags=0x12),
    build.icmp_echo("10.0.0.1", "10.0.0.2", identifier=1, sequence=2),
    build.icmp_echo("fd00::1", "fd00::2", identifier=1, sequence=2),
    build.udp("fd00::1", "fd00::2", 53, 53, b"x" * 100),
    b"\x60" + bytes(5) + b"\x00\x40" + bytes(32) + b"\x2b\x00" * 20,
    b"\x46\x00\x00\x20" + bytes(28),
)
WORDS = (
    b"\x0a\x0d\x0d\x0a", b"\x4d\x3c\x2b\x1a", b"\x1a\x2b\x3c\x4d", b"\x06\x00\x00\x00", b"WTB1",
    b"\x01\x00\x00\x00", b"\x05\x00\x00\x00", b"\x03\x00\x00\x00", b"\x00\x00\x00\x06", b"\xff" * 4,
    b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\x65\x00\x00\x00", b"\x00" * 4,
    b"\x0c\x00\x00\x00", b"\x10\x00\x00\x00", b"\x09\x00\x01\x00\xff", b"\x45", b"\x60", b"\x4f",
    b"\x00\x3c", b"\x2c\x00", b"\x3a\x00", b"\xff\xff\xff\x7f", b"\x02\x00\x00\x00\x08\x00",
)  # fmt: skip


class Disagreement(Exception):
    """Two readings of the same bytes differ."""


def _batches(_: random.Random, data: bytes) -> None:
    try:
        batches = unpack(data)
    except FrameError:
        return
    again = unpack(b"".join(pack(_plain(batch)) for batch in batches)) if batches else []
    if [list(one.packets) for one in again] != [list(one.packets) for one in batches]:
        raise Disagreement("a batch that was read and written again has other packets")
    if sum(len(packet) for one in batches for packet in one.packets) > len(data):
        raise Disagreement("more packets than bytes")


def _plain(batch: Batch) -> Batch:
    return Batch(
        packets=list(batch.packets),
        sequence=batch.sequence,
        time_ns=batch.time_ns,
        injected=batch.injected,
        original_lengths=batch.original_lengths,
        sequence_deltas=batch.sequence_deltas,
    )


def _captures(random_: random.Random, data: bytes) -> None:
    whole = _read(iter([data]))
    if whole != _read(iter(pieces(random_, data) or [b""])):
        raise Disagreement("a capture reads differently when it comes in pieces")


def _read(chunks: object) -> tuple[list[object], str]:
    found: list[object] = []
    try:
        for captured in Reader(chunks):  # type: ignore[arg-type]
            found.append(captured)
            if len(found) > 100_000:
                raise Disagreement("more packets than bytes")
    except ValueError as error:
        return found, str(error)
    return found, ""


def _packets(_: random.Random, data: bytes) -> None:
    packet = data[:65535]
    summary = decode(packet)
    if summary.length != len(packet):
        raise Disagreement(f"{len(packet)} bytes are summarised as {summary.length}")
    if any(ord(letter) < 32 for letter in summary.info + (summary.source or "")):
        raise Disagreement("control characters in a summary")
    reason = rejection(packet)
    if reason is None and summary.version not in (4, 6):
        raise Disagreement("a packet passes the check and is no IP for the decoder")


CODECS = [
    [codec(extension, batched=batched) for extension in {None, speedups()}]
    for batched in (False, True)
]


def _frames(random_: random.Random, data: bytes) -> None:
    for codecs in CODECS:
        whole = _messages([data], codecs[0])
        for one in codecs:
            if whole != _messages([data], one):
                raise Disagreement("frames read differently in C and in Python")
            if whole != _messages(pieces(random_, data), one):
                raise Disagreement("frames read differently when they come in pieces")


def _messages(chunks: Sequence[bytes], one: Codec) -> tuple[list[bytes], bytes, dict[str, int]]:
    """Return the packets, everything that is left to the ordinary parser, and what was counted."""
    reader = MessageReader(256 * 1024)
    reader.codec = one
    packets: list[bytes] = []
    rest = b""
    counts = {"messages": 0}
    for chunk in chunks:
        for part in reader.read(chunk):
            if isinstance(part, bytes):
                rest += part
                continue
            packets += part.sifted.packets
            counts["messages"] += part.number
            for reason, count in part.sifted.rejected.items():
                counts[reason] = counts.get(reason, 0) + count
            if part.fault is not None:
                packets.append(str(part.fault).encode())
    return packets, rest, counts


def _corpus() -> dict[str, tuple[list[bytes], Sequence[bytes]]]:
    batches = [pack(Batch([packet])) for packet in PACKETS]
    batches += [
        pack(Batch(PACKETS, original_lengths=[2000] * len(PACKETS))),
        pack(Batch(PACKETS, sequence_deltas=[0, *[2] * (len(PACKETS) - 1)], injected=True)),
        b"".join(batches),
        *[payload for _, payload in _lying_batches()],
    ]
    head = header("A", snaplen=100, description="d")
    lengths = list(map(len, PACKETS))
    blocks = pcapng.packets(PACKETS, lengths, 10**18, injected=True, dropped=3)
    end = pcapng.statistics(start_ns=1, end_ns=2, received=7, dropped=1)
    captures = [head, head + blocks, head + blocks + end, head + head + blocks + blocks]
    for order, magic in (
        ("<", b"\xd4\xc3\xb2\xa1"),
        (">", b"\xa1\xb2\xc3\xd4"),
        ("<", b"\x4d\x3c\xb2\xa1"),
    ):
        import struct

        file = magic + struct.pack(order + "HHiIII", 2, 4, 0, 0, 65535, 101)
        for packet in PACKETS:
            file += struct.pack(order + "IIII", 1, 2, len(packet), len(packet)) + packet
        captures.append(file)
    frames = [kind.unit * 3 for kind in sound_kinds()]
    frames += [kind.sent for kind in broken_kinds(random.Random(0)) if len(kind.sent) < 5000]
    frames += [Frame(Opcode.BINARY, one).serialize(mask=True) for one in batches]
    return {
        "batches": (batches, WORDS),
        "captures": (captures, WORDS),
        "packets": (list(PACKETS), WORDS),
        "cut frames": (frames, FRAME_WORDS),
    }


Fuzzer = Callable[[random.Random, bytes], None]
FUZZERS: dict[str, Fuzzer] = {
    "batches": _batches,
    "captures": _captures,
    "packets": _packets,
    "cut frames": _frames,
}


def fuzz(attack: Attack, name: str, fuzzer: Fuzzer, seconds: float) -> int:
    """Run a decoder over changed inputs for so long; return how many."""
    random_ = attack.random(PART, name)
    corpus, words = _corpus()[name]
    count, until = 0, time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        seed = random_.choice(corpus)
        data = changed(random_, seed, words, corpus)
        try:
            fuzzer(random_, data)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{name}: {type(error).__name__} in {where.name}"
            attack.found(PART, kind, traceback.format_exc()[-SHOWN * 2 :], data)
        else:
            if len(corpus) < 400 and random_.random() < 0.001:
                corpus.append(data)
        if time.monotonic() - began > SLOW:
            took = time.monotonic() - began
            attack.found(PART, f"{name}: one input takes long", f"{took:.1f} s", data)
        count += 1
    return count
