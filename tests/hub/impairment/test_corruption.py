"""hub.impairment.corruption: one bit, anywhere but in the version of IP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.bounds import PACKETS, near_counts, near_share
from wintun_api.hub.impairment.chance import BLOCK
from wintun_api.hub.impairment.corruption import Corruption, inverted

PACKET = bytes(range(20))
BITS = 8 * len(PACKET) - 4


def difference(one: bytes, two: bytes) -> list[int]:
    """Return the numbers of the bits in which two packets differ, from the first one sent."""
    apart = int.from_bytes(one) ^ int.from_bytes(two)
    bits: list[int] = []
    while apart:
        bits.append(8 * len(one) - apart.bit_length())
        apart ^= 1 << (apart.bit_length() - 1)
    return bits


@given(st.binary(min_size=1, max_size=100), st.floats(0, 1, exclude_max=True))
def test_one_bit_is_inverted(packet: bytes, place: float) -> None:
    """The packet keeps its size and its version, and differs in one bit."""
    changed = inverted(packet, place)
    assert len(changed) == len(packet)
    assert len(difference(packet, changed)) == 1
    assert changed[0] >> 4 == packet[0] >> 4
    assert inverted(changed, place) == packet


def test_the_first_and_the_last_bit() -> None:
    """The places are all bits after the version."""
    assert difference(PACKET, inverted(PACKET, 0.0)) == [4]
    assert difference(PACKET, inverted(PACKET, 1 - 2**-53)) == [8 * len(PACKET) - 1]


@pytest.mark.parametrize(("probability", "correlation"), [(1, 0), (0.2, 0), (0.2, 0.5)])
def test_places_are_even(probability: float, correlation: float) -> None:
    """Every bit is as likely as any other, and the share of packets is what was asked for."""
    corruption = Corruption("corrupt", 0)
    corruption.change(probability, correlation)
    counts = [0] * BITS
    for number in range(PACKETS):
        if not number % BLOCK:
            corruption.seek(number)
        place = corruption.choose()
        if place >= 0:
            (bit,) = difference(PACKET, inverted(PACKET, place))
            counts[bit - 4] += 1
    near_share(sum(counts), PACKETS, probability, correlation)
    near_counts(counts, [sum(counts) / BITS] * BITS)
