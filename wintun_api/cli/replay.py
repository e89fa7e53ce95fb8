"""The packets of a capture file into a session: what `inject --pcap` does."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wintun_api.cli.output import Progress, fail
from wintun_api.wire import Batch, pack

if TYPE_CHECKING:
    from wintun_api.cli.client import Client

BATCH_TYPE = "application/vnd.wintun-api.batch"
MAX_PACKETS = 256
MAX_BYTES = 60_000  # of a batch, so that it fits into the smallest message a service may allow
CHUNK = 65536
TURN = 0.02  # seconds between batches where there is a rate


@dataclass(slots=True)
class Totals:
    """What became of a file's packets."""

    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    ring_full: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, report: dict[str, Any]) -> None:
        """Add what the service says of a batch."""
        self.accepted += report["accepted"]
        self.rejected.update(report["rejected"])
        self.ring_full += report["ring_full"]

    def json(self) -> dict[str, Any]:
        """Return it for scripts."""
        return {
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "ring_full": self.ring_full,
            "left_out": dict(self.left_out),
        }

    def __str__(self) -> str:
        words = [f"{self.accepted} packets accepted"]
        words += [f"{count} rejected ({reason})" for reason, count in self.rejected.items()]
        if self.ring_full:
            words.append(f"{self.ring_full} dropped as the send ring was full")
        words += [f"{count} left out ({reason})" for reason, count in self.left_out.items()]
        return ", ".join(words) + "."


def replay(client: Client, path: str, file: Path, rate: float | None, totals: Totals) -> None:
    """Inject the packets of a pcap or pcapng file, `rate` of them a second or as fast as it goes.

    Packets that are no IP, or cut by a snap length, are left out and counted.
    """
    progress = Progress()
    most = MAX_PACKETS if rate is None else max(1, min(MAX_PACKETS, int(rate * TURN)))
    started, sent = time.monotonic(), 0
    try:
        for batch in _batches(file, most, totals.left_out):
            if rate is not None:
                time.sleep(max(0.0, started + sent / rate - time.monotonic()))
            headers = {"Content-Type": BATCH_TYPE}
            totals.add(client.request("POST", path, content=pack(Batch(batch)), headers=headers))
            sent += len(batch)
            progress.show(totals.__str__)
    except ValueError as error:
        fail(f"Cannot read {file} as a capture: {error}", str(totals))
    except OSError as error:
        fail(f"Cannot read {file}: {error.strerror or error}.")


def _batches(file: Path, most: int, left_out: Counter[str]) -> Iterator[list[bytes]]:
    from wintun_api.capture.reader import Reader

    with file.open("rb") as opened:
        reader = Reader(iter(lambda: opened.read(CHUNK), b""))
        batch: list[bytes] = []
        size = 0
        for packet in reader:
            if packet.data is None or packet.missing or len(packet.data) > 0xFFFF:
                left_out["not IP" if packet.data is None else "not whole"] += 1
                continue
            if batch and (len(batch) >= most or size + len(packet.data) > MAX_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(packet.data)
            size += len(packet.data)
        if batch:
            yield batch
