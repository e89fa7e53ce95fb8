"""ping in Python: the host's echo requests through its own network, and the replies to them."""

from __future__ import annotations

import os
import socket
import struct
import time

from wintun_api.packet import build

REQUEST_SIZE = 56
PATIENCE = 30.0


def ping(destination: str, count: int) -> int:
    """Send echo requests, each once the one before was answered; return how many were answered.

    It runs in the network namespace of this thread, and needs CAP_NET_RAW there.
    """
    version = 6 if ":" in destination else 4
    family, protocol, reply = (
        (socket.AF_INET6, socket.IPPROTO_ICMPV6, 129)
        if version == 6
        else (socket.AF_INET, socket.IPPROTO_ICMP, 0)
    )
    identifier = os.getpid() & 0xFFFF
    deadline = time.monotonic() + PATIENCE
    with socket.socket(family, socket.SOCK_RAW, protocol) as pinger:
        pinger.connect((destination, 0))
        source = pinger.getsockname()[0]
        for sequence in range(1, count + 1):
            echo = build.icmp_echo(
                source,
                destination,
                identifier=identifier,
                sequence=sequence,
                data=os.urandom(REQUEST_SIZE),
            )
            message = echo[40 if version == 6 else 20 :]
            pinger.send(message)
            if not _answered(pinger, reply, message, deadline):
                return sequence - 1
    return count


def _answered(pinger: socket.socket, kind: int, request: bytes, deadline: float) -> bool:
    """Wait for the reply with the request's identifier, number and data."""
    while (left := deadline - time.monotonic()) > 0:
        pinger.settimeout(left)
        try:
            packet = pinger.recv(65535)
        except TimeoutError:
            return False
        if pinger.family == socket.AF_INET:  # comes with its header
            packet = packet[(packet[0] & 15) * 4 :]
        if struct.unpack_from("B", packet)[0] == kind and packet[4:] == request[4:]:
            return True
    return False
