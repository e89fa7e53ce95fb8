"""Number the packets that one end sends, as an IP stack does."""

from __future__ import annotations

from ipaddress import IPv4Address

from wintun_api.packet import build


class Numbering:
    """Give packets the hops that they have left, and IPv4 packets consecutive identifications."""

    def __init__(self, ttl: int, identification: int) -> None:
        """Begin behind an identification.

        Args:
            ttl: The hops that a packet has left unless told otherwise.
            identification: The last one that was used.
        """
        self._ttl = ttl
        self._identification = identification

    def __call__(self, packet: bytes, ttl: int | None = None) -> bytes:
        """Return the packet with its hops and its number."""
        hops = self._ttl if ttl is None else ttl
        if packet[0] >> 4 == 6:
            return packet[:7] + bytes((hops,)) + packet[8:]
        self._identification = (self._identification + 1) & 0xFFFF
        return build.ipv4(
            IPv4Address(packet[12:16]),
            IPv4Address(packet[16:20]),
            packet[9],
            packet[20:],
            ttl=hops,
            identification=self._identification,
        )
