"""Captures cut at every byte, and captures with bytes that were changed."""

from __future__ import annotations

import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture.reader.corpus import CORPUS
from wintun_api.capture.reader import Captured, Reader

# Of a variant without a number of its own, one packet alone does not tell which it is.
SMALL = [
    name
    for name in CORPUS
    if len(CORPUS[name]) < 2000
    and not name.startswith(("pcap of Red", "pcap of SuSE", "pcap of No"))
]


def read(data: bytes) -> tuple[list[Captured], bool]:
    """Return the packets before the end or the fault, and whether the data are cut."""
    reader = Reader([data])
    found: list[Captured] = []
    with suppress(ValueError):
        found.extend(reader)
    return found, reader.truncated


@pytest.mark.parametrize("name", SMALL)
def test_every_prefix(name: str) -> None:
    """A cut file gives its first packets, one after the other, as the whole file gives them."""
    whole, _ = read(CORPUS[name])
    count = 0
    for size in range(len(CORPUS[name]) + 1):
        found, _ = read(CORPUS[name][:size])
        assert found == whole[: len(found)]
        assert len(found) - count in (0, 1)
        count = len(found)
    assert count == len(whole) > 0


@given(st.sampled_from(sorted(CORPUS)), st.integers(0), st.binary(min_size=1, max_size=8))
def test_changed_bytes(name: str, place: int, change: bytes) -> None:
    """Whatever the bytes are, there are packets or a sentence."""
    data = CORPUS[name]
    at = place % len(data)
    read(data[:at] + change + data[at + len(change) :])


def test_several_gzip_members() -> None:
    """Members one after the other are one capture, and a cut one is told."""
    data = CORPUS["blocks, little"]
    packed = gzip.compress(data[:100]) + gzip.compress(data[100:])
    assert read(packed) == read(data)
    assert read(packed[:-3]) == (read(data)[0], True)
