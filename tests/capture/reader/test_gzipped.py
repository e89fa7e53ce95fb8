"""Decompressing gzip piece by piece, against the standard library's own compressor."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.capture.reader.gzipped import MOST, Gzipped

TEXT = random.Random(18).randbytes(3000) * 40
MIB = 2**20


def chunks(data: bytes, size: int = 1000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def content(data: bytes, size: int = 1000) -> bytes:
    return b"".join(Gzipped(chunks(data, size)))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(1, 50), st.booleans())
def test_members(parts: list[bytes], size: int, padded: bool) -> None:
    """Members follow each other, with or without zeros between them, in chunks of any size."""
    between = bytes(7) if padded else b""
    packed = between.join(gzip.compress(part) for part in parts)
    assert content(packed + between, size) == b"".join(parts)


@pytest.mark.parametrize("size", [1000, 200_000])
def test_other_bytes_follow(size: int) -> None:
    """Everything is given, and then a sentence says where the bytes begin that are not gzip."""
    packed = gzip.compress(TEXT)
    found: list[bytes] = []
    with pytest.raises(ValueError, match=f"Other bytes follow .* at byte {len(packed) + 7}\\."):
        found.extend(Gzipped(chunks(packed + bytes(7) + b"\n-- a signature --\n", size)))
    assert b"".join(found) == TEXT


def test_the_position() -> None:
    """It grows with the content that was taken, up to the compressed bytes, also inside a piece."""
    packed = gzip.compress(TEXT[:3000])
    gzipped = Gzipped(iter([packed]))
    (piece,) = gzipped
    positions = [gzipped.position(at) for at in range(0, len(piece) + 1, 100)]
    assert (positions[0], positions[-1]) == (0, len(packed))
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("missing", [1, 8, 9, 1000])
def test_cut(missing: int) -> None:
    """Everything up to the cut is given, and then that it is cut."""
    found: list[bytes] = []
    with pytest.raises(EOFError):
        found.extend(Gzipped(chunks(gzip.compress(TEXT)[:-missing])))
    assert TEXT.startswith(b"".join(found))
    assert found


@pytest.mark.parametrize("at", [-5, 200])
def test_damaged(at: int) -> None:
    """A wrong check sequence, or bytes that mean nothing, are a sentence."""
    packed = bytearray(gzip.compress(TEXT))
    packed[at] ^= 0xFF
    with pytest.raises(ValueError, match="are damaged"):
        content(bytes(packed))


def test_a_bomb() -> None:
    """However much comes of a few bytes, no piece is larger than 64 KiB."""
    engine = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(engine.compress(bytes(MIB)) for _ in range(64)) + engine.flush()
    assert len(packed) < 100_000
    sizes = [len(piece) for piece in Gzipped(iter([packed]))]
    assert (sum(sizes), max(sizes) <= MOST) == (64 * MIB, True)
