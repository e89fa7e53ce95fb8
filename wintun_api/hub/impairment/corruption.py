"""Invert one bit of a packet."""

from __future__ import annotations

from typing import Final

from wintun_api.hub.impairment.chance import Events, Stream

_VERSION_BITS: Final = 4  # the first ones; no side takes a packet of another version as IP


class Corruption:
    """Say of each packet whether one of its bits is inverted, and which."""

    __slots__ = ("_draw", "_events", "_happens", "_places")

    def __init__(self, key: str, number: int) -> None:
        self._events = Events(key, number)
        self._places = Stream(f"{key}/place", number)
        self._happens = self._events.happens
        self._draw = self._places.draw

    def change(self, probability: float, correlation: float) -> None:
        """Corrupt packets with this probability from the next one on."""
        self._events.change(probability, correlation)

    def choose(self) -> float:
        """Return the place of the bit in the next packet, from 0 to 1; less than 0 for none."""
        place = self._draw()
        return place if self._happens() else -1.0

    def seek(self, number: int) -> None:
        """Go to the packet of this number, which is the next one."""
        self._events.seek(number)
        self._places.seek(number)


def inverted(packet: bytes, place: float) -> bytes:
    """Return a packet with one bit inverted: at this place of those after the version of IP."""
    index, bit = divmod(_VERSION_BITS + int(place * (8 * len(packet) - _VERSION_BITS)), 8)
    changed = bytearray(packet)
    changed[index] ^= 0x80 >> bit
    return bytes(changed)
