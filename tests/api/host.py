"""Numbered packets of a session and its host, and the code that ends a socket."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import Rig
from wintun_api.packet import build


def closed_code(error: pytest.ExceptionInfo[ConnectionClosed]) -> int:
    """Return the code that the server closed with."""
    assert error.value.rcvd is not None
    return error.value.rcvd.code


def host_sends(rig: Rig, count: int, size: int = 100, first: int = 0) -> None:
    """Let the host send numbered datagrams to somebody behind the adapter."""
    for number in range(first, first + count):
        payload = struct.pack("<I", number) + bytes(size - 32)
        packet = build.udp("10.6.7.7", "10.6.7.9", 5000, 6000, payload)
        rig.library.machine.device("OfficeNet").deliver(packet)


def numbers(packets: list[bytes]) -> list[int]:
    """Return the numbers that `host_sends` gave to these packets."""
    return [struct.unpack_from("<I", packet, 28)[0] for packet in packets]


def packet(number: int, size: int = 12) -> bytes:
    """Make a packet to which no emulated host answers, with a number at its end."""
    return build.ipv4("10.6.7.8", "10.6.7.7", 253, bytes(size - 4) + number.to_bytes(4, "big"))


def start(rig: Rig, **body: Any) -> str:
    """Start a session on 10.6.7.7/24."""
    adapter = rig.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(rig.service.session(adapter, **body)["id"])
