"""A gathering and a file over the memory driver, and what Wireshark reads in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from tests.capture import tshark
from tests.hub.running import Hub, soon
from wintun_api.choices import Direction
from wintun_api.hub.capture.file import PcapngFile
from wintun_api.hub.capture.gathering import Gathered, Gathering
from wintun_api.hub.capture.selection import Selection
from wintun_api.packet import build

FIELDS = (
    "frame.interface_id",
    "frame.interface_name",
    "frame.len",
    "frame.drop_count",
    "frame.comment",
)


def packet(number: int, size: int = 8) -> bytes:
    """Return an IP packet with a number at its end."""
    return build.ipv4("10.0.0.1", "10.0.0.2", 17, bytes(size) + number.to_bytes(4, "big"))


def number_of(one: bytes) -> int:
    """Return the number of such a packet."""
    return int.from_bytes(one[-4:], "big")


@dataclass(frozen=True, slots=True)
class Line:
    """What tshark says of one packet."""

    interface: int
    name: str
    length: int
    dropped: int
    comment: str


def lines(path: Path) -> list[Line]:
    """Return the packets of a file, as tshark reads them."""
    rows, complaints = tshark.rows(path, *FIELDS)
    assert complaints == ""
    return [
        Line(int(interface), name, int(length), int(dropped or 0), comment)
        for interface, name, length, dropped, comment in rows
    ]


@dataclass(slots=True)
class Taker:
    """Take what a gathering has, and write a file of it."""

    file: PcapngFile = field(default_factory=PcapngFile)
    gathering: Gathering = field(init=False)
    told: list[Gathered] = field(default_factory=list)
    written: bytes = b""
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    def gather(
        self,
        one: Hub,
        selection: Selection | None = None,
        *,
        packets: int = 1000,
        size: int = 1 << 20,
    ) -> Gathering:
        """Begin with a selection, by default all adapters."""
        self.gathering = Gathering(
            one.registry.sessions,
            selection or Selection(),
            direction=Direction.BOTH,
            limit_packets=packets,
            limit_bytes=size,
            wake=self.woken.set,
        )
        self.written += self.file.begin()
        self.gathering.begin()
        return self.gathering

    def take(self, size: int = 1 << 30) -> list[Gathered]:
        """Take what waits now, and write it."""
        taken = self.gathering.take(size)
        for gathered in taken:
            self.written += self.file.introduce(gathered.source)
            self.written += self.file.lose(gathered.source, gathered.losses)
            for burst in gathered.bursts:
                self.written += self.file.add(gathered.source, burst)
            if gathered.ended:
                self.written += self.file.end_of(gathered.source)
        self.told += taken
        return taken

    async def until(self, packets: int = 0, ended: int = 0) -> None:
        """Take until so many packets came and so many sessions have ended."""
        while len(self.packets) < packets or sum(one.ended for one in self.told) < ended:
            self.woken.clear()
            if not self.take():
                await soon(self.woken.wait())

    @property
    def packets(self) -> list[bytes]:
        """All packets that were taken."""
        bursts = [burst for gathered in self.told for burst in gathered.bursts]
        return [one for burst in bursts for one in burst.packets]

    def save(self, path: Path) -> Path:
        """End the file, and return where it is."""
        path.write_bytes(self.written + self.file.end())
        return path
