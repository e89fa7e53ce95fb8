"""hub.burst_limit: packets in parts of a limited number and size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wintun_api.hub.burst_limit import BurstLimit


@given(
    lengths=st.lists(st.integers(1, 60), max_size=50),
    packets=st.integers(1, 10),
    size=st.integers(1, 200),
)
def test_parts_are_the_whole(lengths: list[int], packets: int, size: int) -> None:
    """Nothing is lost or reordered, and a part exceeds the size only with a single packet."""
    whole = [bytes([number % 256]) * length for number, length in enumerate(lengths)]
    parts = list(BurstLimit(packets, size).parts(whole, lengths, sum(lengths)))
    assert [packet for part, _, _ in parts for packet in part] == whole
    for part, sizes, total in parts:
        assert list(map(len, part)) == list(sizes)
        assert sum(sizes) == total
        assert len(part) <= packets
        assert total <= size or len(part) == 1


def test_what_fits_is_not_copied() -> None:
    """Few enough packets stay the same object."""
    packets = [b"a", b"b"]
    ((part, _, _),) = BurstLimit(2, 2).parts(packets, [1, 1], 2)
    assert part is packets
