"""Capture files of our own to replay."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.capture.samples import header
from wintun_api.capture import pcapng
from wintun_api.packet import build

PINGS = [
    build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=number, data=bytes(number))
    for number in range(40)
]
HEADER = header("x")
BLOCKS = pcapng.packets(PINGS, list(map(len, PINGS)), 0, injected=True)
TIME = 1_764_043_200 * 10**9


def capture_file(path: Path, packets: list[bytes], *, cut: int = 0) -> Path:
    """Write these packets, and as many that a snap length cut."""
    file = HEADER + pcapng.packets(packets, list(map(len, packets)), 0, injected=True)
    if cut:
        file += pcapng.packets(
            [bytes(9)] * cut, [9] * cut, 0, injected=True, original_lengths=[10] * cut
        )
    path.write_bytes(file)
    return path


def timed_file(path: Path, packets: Iterable[tuple[float, bytes]]) -> Path:
    """Write packets with the seconds at which they were captured."""
    blocks = [
        pcapng.packets([packet], [len(packet)], TIME + int(second * 10**9), injected=False)
        for second, packet in packets
    ]
    path.write_bytes(HEADER + b"".join(blocks))
    return path
