"""Wireshark's reading of a capture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.needs import needs

TSHARK = shutil.which("tshark")
needs_tshark = needs("tshark")

FIELDS = (
    "frame.time_epoch",
    "frame.cap_len",
    "frame.len",
    "frame.interface_name",
    "frame.packet_flags_direction",
    "frame.drop_count",
)
DIRECTIONS = {"0x00000001": "inbound", "0x00000002": "outbound"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What tshark says of one packet."""

    time_ns: int
    captured: int
    length: int
    interface: str
    direction: str
    dropped: int


def command(*arguments: str) -> list[str]:
    """Return a tshark command line that prints what `frame_of` reads, a line a packet."""
    fields = [word for field in FIELDS for word in ("-e", field)]
    return [str(TSHARK), "-n", "-l", *arguments, "-T", "fields", *fields]


def environment(home: Path) -> dict[str, str]:
    """A home of its own: no profile of the user's may change what is printed."""
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


def frame_of(line: str) -> Frame:
    """Return the packet of one line."""
    time, captured, length, interface, direction, dropped = line.rstrip("\n").split("\t")
    return Frame(
        int(Decimal(time) * 10**9),
        int(captured),
        int(length),
        interface,
        DIRECTIONS.get(direction, direction),
        int(dropped or 0),
    )


def read(path: Path) -> list[Frame]:
    """Return the packets of a file."""
    done = _run(command("-r", str(path)), path.parent)
    return [frame_of(line) for line in done.splitlines()]


def contents(path: Path) -> list[bytes]:
    """Return the bytes of every packet of a file, as tshark has them."""
    hexadecimal = ("-T", "jsonraw", "-J", "frame")
    done = _run([str(TSHARK), "-n", "-r", str(path), *hexadecimal], path.parent)
    return [
        bytes.fromhex(packet["_source"]["layers"]["frame_raw"][0]) for packet in json.loads(done)
    ]


def rows(path: Path, *names: str) -> tuple[list[list[str]], str]:
    """Return these fields of each packet that tshark reads, and what it complains about.

    Several values of one field are separated by "|".
    """
    words = [word for name in names for word in ("-e", name)]
    line = [str(TSHARK), "-n", "-r", str(path), "-T", "fields", "-E", "aggregator=|", *words]
    done = subprocess.run(
        line,
        check=False,
        capture_output=True,
        text=True,
        env=environment(path.parent),
        timeout=60,
    )
    complaints = [one for one in done.stderr.splitlines() if one and not one.startswith("Running")]
    return [one.split("\t") for one in done.stdout.splitlines()], " ".join(complaints)


def _run(line: list[str], home: Path) -> str:
    done = subprocess.run(
        line, check=False, capture_output=True, text=True, env=environment(home), timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "malformed" not in done.stderr, done.stderr
    assert "cut short" not in done.stderr, done.stderr
    return done.stdout
