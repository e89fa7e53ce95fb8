"""List the published wintun.dll files by hash, and say where to get them.

A release that is not in the table is accepted by its signature (`signature`). The table is for
machines that cannot check a certificate chain, and identifies the release of a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SIGNER = "WireGuard LLC"
PAGE = "https://www.wintun.net"
ARCHIVE = f"{PAGE}/builds/wintun-0.14.1.zip"


@dataclass(frozen=True, slots=True)
class Release:
    """Describe a published file: its version and its machine type."""

    version: str
    machine: str


# SHA-256 of the files in wintun-0.14.1.zip, which itself has
# 07c256185d6ee3652e09fa55c0b673e2624b565e02c4b9091c79ca7d2f24ef51.
KNOWN = {
    "e5da8447dc2c320edc0fc52fa01885c103de8c118481f683643cacc3220dafce": Release("0.14.1", "amd64"),
    "f7ba89005544be9d85231a9e0d5f23b2d15b3311667e2dad0debd344918a3f80": Release("0.14.1", "arm64"),
    "daad267411ecdc70a0535e274d2c3e9da3d0084bdac7662cb8424dd4a031b4d9": Release("0.14.1", "arm"),
    "d694fa46ab4cfebcb2632d094c7aa97278eef2f8052438621766d863ae98a931": Release("0.14.1", "x86"),
}


def member(machine: str | None) -> str:
    """Return the file of the archive that a process of this machine needs."""
    return f"wintun/bin/{machine or '<architecture>'}/wintun.dll"


def download_hint(machine: str | None, place: Path | None = None) -> str:
    """Return where to get the file for this machine, and where to put it."""
    if place is None:
        return f"Download {ARCHIVE} and use the file {member(machine)} from it."
    return (
        f"Download {ARCHIVE} and copy the file {member(machine)} from it to {place}, "
        "or to any place that you give with --wintun-dll."
    )
