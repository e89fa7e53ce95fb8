"""Write pcap and pcapng in every form that their documents allow, in both byte orders.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, tcpdump.org's list of link types.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

Option = tuple[int, bytes]
Options = Iterable[Option]

COMMENT, IF_NAME, TSRESOL, TSOFFSET = 1, 2, 9, 14


@dataclass(frozen=True)
class Writer:
    """Return blocks of pcapng, and files of pcap, in one byte order."""

    order: str

    def pack(self, form: str, *values: int) -> bytes:
        return struct.pack(self.order + form, *values)

    def options(self, some: Options, *, end: bool = True) -> bytes:
        found = b"".join(
            self.pack("HH", code, len(value)) + value + bytes(-len(value) % 4)
            for code, value in some
        )
        return found + bytes(4) if found and end else found

    def block(self, kind: int, body: bytes, *, counted: bool = True) -> bytes:
        """Return a block; where the padding is not `counted`, its length is that of the body."""
        padded = body + bytes(-len(body) % 4)
        length = self.pack("I", (len(padded) if counted else len(body)) + 12)
        return self.pack("I", kind) + length + padded + length

    def section(self, options: Options = (), *, length: int = -1, minor: int = 0) -> bytes:
        body = self.pack("IHHq", 0x1A2B3C4D, 1, minor, length)
        return self.block(0x0A0D0D0A, body + self.options(options))

    def interface(self, linktype: int, options: Options = (), *, snaplen: int = 0) -> bytes:
        return self.block(1, self.pack("HHI", linktype, 0, snaplen) + self.options(options))

    def enhanced(
        self,
        frame: bytes,
        options: Options = (),
        *,
        number: int = 0,
        ticks: int = 0,
        length: int | None = None,
        end: bool = True,
        counted: bool = True,
    ) -> bytes:
        original = len(frame) if length is None else length
        head = self.pack("5I", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), original)
        some = self.options(options, end=end)
        body = head + frame + (bytes(-len(frame) % 4) + some if some else b"")
        return self.block(6, body, counted=counted)

    def obsolete(
        self,
        frame: bytes,
        options: Options = (),
        *,
        number: int = 0,
        ticks: int = 0,
        drops: int = 0xFFFF,
    ) -> bytes:
        head = self.pack(
            "HH4I", number, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
        )
        return self.block(2, head + frame + bytes(-len(frame) % 4) + self.options(options))

    def simple(self, frame: bytes, *, length: int | None = None) -> bytes:
        return self.block(3, self.pack("I", len(frame) if length is None else length) + frame)

    def statistics(self, number: int, options: Options) -> bytes:
        return self.block(5, self.pack("III", number, 0, 0) + self.options(options))

    def names(self) -> bytes:
        record = b"\x0a\x06\x07\x07office.example\0"
        padding = bytes(-len(record) % 4)
        return self.block(4, self.pack("HH", 1, len(record)) + record + padding + bytes(4))

    def secrets(self) -> bytes:
        keys = b"CLIENT_RANDOM " + b"00" * 32 + b" " + b"11" * 48 + b"\n"
        padded = keys + bytes(-len(keys) % 4)
        return self.block(10, self.pack("II", 0x544C534B, len(keys)) + padded)

    def journal(self) -> bytes:
        return self.block(9, b"__REALTIME_TIMESTAMP=1764043200000000\nMESSAGE=hello\n")

    def custom(self, kind: int) -> bytes:
        return self.block(kind, self.pack("I", 32473) + b"anything")

    def pcap(self, linktype: int, *, magic: int = 0xA1B2C3D4) -> bytes:
        return self.pack("IHHiIII", magic, 2, 4, 0, 0, 262144, linktype)

    def record(
        self,
        frame: bytes,
        seconds: int = 0,
        fraction: int = 0,
        *,
        length: int | None = None,
        between: bytes = b"",
    ) -> bytes:
        original = len(frame) if length is None else length
        return self.pack("4I", seconds, fraction, len(frame), original) + between + frame


LITTLE, BIG = Writer("<"), Writer(">")
