"""What Wireshark's capinfos says of a file; it refuses one that is cut within a block."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.capture.tshark import environment


@dataclass(frozen=True, slots=True)
class Info:
    """What capinfos says.

    Attributes:
        packets: Packets in the file.
        size: Bytes of the file.
        interfaces: Its interface blocks.
        statistics: Its statistics blocks.
        first_ns: The time of its earliest packet; None if it has none.
        last_ns: The time of its latest packet; None if it has none.
    """

    packets: int
    size: int
    interfaces: int
    statistics: int
    first_ns: int | None
    last_ns: int | None


def info_of(path: Path) -> Info:
    """Return what capinfos says of a file."""
    (info,) = infos_of([path])
    return info


def infos_of(paths: Sequence[Path]) -> list[Info]:
    """Return what capinfos says of each of these files."""
    if not paths:
        return []
    said = text_of(*paths, options=("-M", "-S", "-c", "-s", "-a", "-e", "-I"))
    _, *parts = said.split("File name:")
    assert len(parts) == len(paths), said
    return [_info(part) for part in parts]


def text_of(*paths: Path, options: Sequence[str] = ()) -> str:
    """Return what capinfos writes of files."""
    done = subprocess.run(
        ["capinfos", *options, *map(str, paths)],
        check=False,
        capture_output=True,
        text=True,
        env=environment(paths[0].parent),
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _info(text: str) -> Info:
    said = {
        name.strip(): value.strip()
        for name, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    }
    return Info(
        packets=int(said["Number of packets"]),
        size=int(said["File size"].removesuffix(" bytes")),
        interfaces=int(said.get("Number of interfaces in file", 0)),  # it leaves a zero out
        statistics=text.count("Number of stat entries = 1"),
        first_ns=_time(said.get("Earliest packet time") or said.get("First packet time", "n/a")),
        last_ns=_time(said.get("Latest packet time") or said.get("Last packet time", "n/a")),
    )


def _time(said: str) -> int | None:
    return None if said == "n/a" else int(Decimal(said) * 10**9)
