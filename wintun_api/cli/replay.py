"""Send the packets of a capture file into a session, for `inject --pcap`."""

from __future__ import annotations

import gzip
import io
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from wintun_api.cli.output import Progress, fail
from wintun_api.limits import MAX_PACKET
from wintun_api.packet.offload import completed

if TYPE_CHECKING:
    from wintun_api.capture.reader import Captured
    from wintun_api.cli.client import Client

MAX_PACKETS = 256
MAX_BYTES = 60_000  # of a batch, so that it fits into the smallest message a service may allow
CHUNK = 65536
TURN = 0.02  # seconds between batches where there is a rate
GZIP = b"\x1f\x8b"  # RFC 1952
STANDARD_INPUT = "standard input"

_Readable: TypeAlias = io.BufferedReader | gzip.GzipFile


@dataclass(slots=True)
class Totals:
    """What happened to the packets of a file.

    Attributes:
        completed: Packets that were sent after their length or checksum was filled in, because
            the capture left that to a network card.
    """

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    completed: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, report: dict[str, Any]) -> None:
        """Add what the service reports about a batch."""
        self.accepted += report["accepted"]
        self.rejected.update(report["rejected"])
        self.ring_full += report["ring_full"]
        self.refused.update(report["refused"])

    def json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "ring_full": self.ring_full,
            "refused": dict(self.refused),
            "completed": self.completed,
            "left_out": dict(self.left_out),
        }

    def __str__(self) -> str:
        words = [f"{self.accepted} packets accepted"]
        words += [f"{count} rejected ({reason})" for reason, count in self.rejected.items()]
        if self.ring_full:
            words.append(f"{self.ring_full} dropped because the send ring was full")
        words += [
            f"{count} refused by the host ({cause.replace('_', ' ')})"
            for cause, count in self.refused.items()
        ]
        if self.completed:
            words.append(
                f"{self.completed} completed (their length or checksum was left to a network card)"
            )
        words += [f"{count} left out ({reason})" for reason, count in self.left_out.items()]
        return ", ".join(words) + "."


def replay(
    client: Client, session_id: str, file: Path, rate: float | None, totals: Totals
) -> str | None:
    """Inject the packets of a pcap or pcapng file, `rate` of them a second or as fast as it goes.

    The file may be compressed by gzip; `-` is standard input. Packets that are not IP, or that a
    snap length cut, are left out and counted. Returns a sentence about what is wrong with the file
    when not all of it could be replayed.
    """
    from wintun_api.client import operations

    name = STANDARD_INPUT if str(file) == "-" else str(file)
    progress = Progress()
    most = MAX_PACKETS if rate is None else max(1, min(MAX_PACKETS, int(rate * TURN)))
    started, sent = time.monotonic(), 0
    source = _Source(most, totals)
    try:
        with _opened(file) as opened:
            for batch in source.batches(opened):
                if rate is not None:
                    time.sleep(max(0.0, started + sent / rate - time.monotonic()))
                totals.add(client.ask(operations.inject_packets(session_id, batch)))
                sent += len(batch)
                progress.show(totals.__str__)
    except _DamagedGzip:
        return f"The gzip data of {name} are cut or damaged; what came before was replayed."
    except ValueError as error:
        return f"Cannot read {name} as a capture: {error}"
    except OSError as error:
        return f"Cannot read {name}: {error.strerror or error}."
    if source.truncated:
        return f"{name} is cut in the middle of a packet; what came before was replayed."
    if not source.found:
        return f"{name} holds no packets."
    if not sent:
        return f"{name} holds no packet that can be injected."
    if not totals.accepted:
        return f"No packet of {name} was accepted."
    return None


class _DamagedGzip(Exception):
    pass


class _Source:
    """The packets of a capture in batches that a service takes.

    Attributes:
        found: Packets read, whether they can be injected or not.
        truncated: The capture was cut; known at the end.
    """

    def __init__(self, most: int, totals: Totals) -> None:
        self.found = 0
        self.truncated = False
        self._most = most
        self._totals = totals

    def batches(self, opened: _Readable) -> Iterator[list[bytes]]:
        from wintun_api.capture.reader import Reader

        reader = Reader(_chunks(opened))
        batch: list[bytes] = []
        size = 0
        try:
            for captured in reader:
                self.found += 1
                if captured.data is None or captured.missing or len(captured.data) > MAX_PACKET:
                    self._totals.left_out[captured.reason or _reason(captured)] += 1
                    continue
                packet = completed(captured.data)
                self._totals.completed += packet is not captured.data
                if batch and (len(batch) >= self._most or size + len(packet) > MAX_BYTES):
                    yield batch
                    batch, size = [], 0
                batch.append(packet)
                size += len(packet)
        except (ValueError, OSError, _DamagedGzip):
            if batch:  # what came before the fault is whole
                yield batch
            raise
        self.truncated = reader.truncated
        if batch:
            yield batch


def _reason(captured: Captured) -> str:
    return "not whole" if captured.missing else f"longer than {MAX_PACKET} bytes"


def _chunks(opened: _Readable) -> Iterator[bytes]:
    try:
        # One read of what lies below at a time, so that what precedes a fault is not lost.
        while chunk := opened.read1(CHUNK):
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise _DamagedGzip from None


@contextmanager
def _opened(file: Path) -> Iterator[_Readable]:
    """Open a file, or standard input, and see through gzip."""
    if str(file) != "-":
        with file.open("rb") as opened:
            yield _decompressed(opened)
        return
    if sys.stdin is None or sys.stdin.isatty():
        fail(
            "Standard input is a terminal, and a capture cannot be typed.",
            "Pipe a file into it: cat FILE | wintun-api inject SESSION --pcap -",
        )
    yield _decompressed(sys.stdin.buffer)


def _decompressed(opened: BinaryIO) -> _Readable:
    assert isinstance(opened, io.BufferedReader)
    return gzip.GzipFile(fileobj=opened) if opened.peek(2)[:2] == GZIP else opened
