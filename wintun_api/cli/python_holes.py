"""Security holes of Python itself that concern this service, by version.

Only holes in what the service uses are listed: the event loop, its streams and TLS. The ranges are
those of the change logs of CPython, beginning with the first version that the service supports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wintun_api.api.protocol import BLIND_WRITELINES

Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Hole:
    """One hole.

    Attributes:
        name: Its CVE number.
        versions: The first and the last version of each line of releases that has it.
        windows_only: Whether only Windows has it.
        effect: What it means for the service, as a sentence.
        advice: What to do, as a sentence.
    """

    name: str
    versions: tuple[tuple[Version, Version], ...]
    windows_only: bool
    effect: str
    advice: str

    def concerns(self, version: Version, *, windows: bool) -> bool:
        """Return whether a version of Python has it on this kind of system."""
        here = windows or not self.windows_only
        return here and any(first <= version <= last for first, last in self.versions)


HOLES: Final = (
    Hole(
        "CVE-2024-12254",
        BLIND_WRITELINES,
        windows_only=False,
        effect="asyncio does not hold back what it writes to a client that does not read. "
        "The service checks that itself, so its memory stays bounded.",
        advice="Use Python 3.12.9, 3.13.2 or newer.",
    ),
    Hole(
        "CVE-2024-3219",
        (((3, 11, 0), (3, 11, 9)), ((3, 12, 0), (3, 12, 4))),
        windows_only=True,
        effect="Another program on this machine can take the connection that wakes the event "
        "loop while the service starts. Answers and packets are then delayed.",
        advice="Use Python 3.11.10, 3.12.5 or newer.",
    ),
)


def holes_of(version: Version, *, windows: bool) -> list[Hole]:
    """Return the holes of a version of Python on this kind of system."""
    return [hole for hole in HOLES if hole.concerns(version, windows=windows)]
