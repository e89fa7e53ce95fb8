"""A captured packet as a line: for a person, or as JSON for a program."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from wintun_api.capture.reader import Captured
from wintun_api.cli.output import printable
from wintun_api.packet.decode import Summary, decode

NANOSECONDS = 1_000_000_000


def line_of(packet: Captured, *, several: bool = False) -> str:
    """Return a line as tcpdump writes it, in local time; with the interface if there are several.

    Comments follow in brackets.
    """
    seconds, fraction = divmod(packet.time_ns, NANOSECONDS)
    clock = datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")
    summary = _summary(packet)
    where = f"{packet.interface} " if several and packet.interface else ""
    comment = "" if packet.comment is None else f" [{'; '.join(packet.comment.splitlines())}]"
    ends = f"{summary.source} > {summary.destination} " if summary.source else ""
    return printable(
        f"{clock}.{fraction // 1000:06} {where}{_direction(packet)} {ends}"
        f"{summary.protocol_name}: {summary.info}{comment}"
    )


def json_of(packet: Captured) -> str:
    """Return a JSON object in one line: what `line_of` says, and the bytes."""
    data = packet.data or b""
    summary = _summary(packet)
    seconds, fraction = divmod(packet.time_ns, NANOSECONDS)
    second = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return json.dumps(
        {
            "time": f"{second}.{fraction:09}Z",
            "direction": _direction(packet),
            "source": summary.source,
            "destination": summary.destination,
            "source_port": summary.source_port,
            "destination_port": summary.destination_port,
            "protocol": summary.protocol_name or None,
            "length": len(data) + packet.missing,
            "info": summary.info,
            "data": data.hex(),
            "lost_before": packet.dropped,
            "interface": packet.interface,
            "comment": packet.comment,
        }
    )


def _summary(packet: Captured) -> Summary:
    data = packet.data or b""
    return decode(data, len(data) + packet.missing)


def _direction(packet: Captured) -> str:
    return "injected" if packet.injected else "received"
