"""The reader against tshark, on files that no program wrote but our own generator."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tests.capture import tshark
from tests.capture.reader.corpus import CORPUS
from wintun_api.capture.reader import Captured, Reader
from wintun_api.packet.decode import decode

FIELDS = (
    "frame.time_epoch",
    "frame.cap_len",
    "frame.len",
    "frame.interface_name",
    "frame.comment",
    "frame.packet_flags_direction",
    "frame.drop_count",
    "udp.srcport",
    "frame.encap_type",
)


def ours(packet: Captured) -> tuple[object, ...]:
    """Return what we say of a packet, as far as tshark says it too."""
    port = decode(packet.data).source_port if packet.data else None
    return (
        packet.time_ns,
        packet.missing,
        packet.interface,
        packet.comment,
        packet.injected,
        packet.dropped,
        port,
    )


def theirs(row: list[str]) -> tuple[object, ...]:
    """Return what tshark says of a packet."""
    time, captured, length, interface, comment, direction, dropped, port, _ = row
    return (
        int(Decimal(time or 0) * 10**9),
        int(length) - int(captured),
        None if interface in ("", "unknown") else interface,
        comment.replace("|", "\n") or None,
        {"0x00000001": True, "0x00000002": False}.get(direction),
        int(dropped or 0),
        int(port.split("|")[0]) if port else None,
    )


@tshark.needs_tshark
@pytest.mark.parametrize("name", CORPUS)
def test_tshark_reads_the_same(tmp_path: Path, name: str) -> None:
    """Count, times, lengths, interfaces, comments, directions, drops and packets are the same."""
    path = tmp_path / "f"
    path.write_bytes(CORPUS[name])
    reader = Reader([CORPUS[name]])
    found = [ours(packet) for packet in reader]
    rows, complaints = tshark.rows(path, *FIELDS)
    assert complaints == ""
    # tshark shows journals and custom blocks as records, which have no link type.
    assert found == [theirs(row) for row in rows if row[-1]]
    assert len(found) >= 4
    assert not reader.truncated
