"""A ping of our own, so that these tests need no program: echo requests by a raw socket."""

from __future__ import annotations

import socket
import struct
from itertools import count

from wintun_api.packet.checksum import checksum

IDENTIFIER = 0x5754
PATIENCE = 1.0  # seconds for one answer, before the next request
TRIES = 60


def echo_message(number: int) -> bytes:
    """Return an ICMP echo request (RFC 792)."""
    head = struct.pack("!BBHHH", 8, 0, 0, IDENTIFIER, number)
    return head[:2] + struct.pack("!H", checksum(head)) + head[4:]


def answers(address: str, wanted: int = 3) -> int:
    """Ping until so many answers came; return how many, which is less when too many are missing.

    This thread must be in the network namespace of the adapter; needs root.
    """
    came = 0
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinging:
        pinging.settimeout(PATIENCE)
        for number in count(1):
            if came >= wanted or number > TRIES:
                return came
            pinging.sendto(echo_message(number), (address, 0))
            came += _is_answered(pinging, address, number)
    return came


def _is_answered(pinging: socket.socket, address: str, number: int) -> bool:
    try:
        while True:
            packet, sender = pinging.recvfrom(65535)
            kind, _, _, identifier, answered = struct.unpack_from("!BBHHH", packet, 20)
            if (sender[0], kind, identifier, answered) == (address, 0, IDENTIFIER, number):
                return True
    except TimeoutError:
        return False
