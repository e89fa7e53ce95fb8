"""One packet of a capture, as a reader gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

NOT_IP: Final = "not IP"


@dataclass(frozen=True, slots=True)
class Captured:
    """Hold one packet of a capture.

    Attributes:
        data: The bytes from the IP header on; None if there is no IP packet.
        missing: Number of bytes that the snap length cut off.
        time_ns: Nanoseconds since 1970; 0 if the capture does not say.
        injected: The direction as the session sees it; None if the capture does not say.
        dropped: Packets lost between the previous packet and this one.
        reason: Why `data` is None: "not IP", or the link type that is not supported.
        comment: The comments at the packet, a line each; None if it has none.
        interface: The name of the interface; None if the capture does not name it.
    """

    data: bytes | None
    missing: int
    time_ns: int
    injected: bool | None = None
    dropped: int = 0
    reason: str | None = None
    comment: str | None = None
    interface: str | None = None
