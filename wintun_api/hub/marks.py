"""Mark packets with what happened to them, while a reader wants to know it.

An impairment marks packets on their way: each is `Marked`, which are bytes like any others for all
code that does not ask. The session makes comments of the marks, which a burst has beside its
packets. While no reader wants them, there is neither.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from wintun_api.hub.burst import Burst
from wintun_api.limits import MAX_PACKET
from wintun_api.packet.block import Block, measured
from wintun_api.packet.check import TOO_LONG, rejection

Comments = Mapping[int, tuple[str, ...]]

CORRUPTED: Final = "corrupted"
DUPLICATED: Final = "duplicated"
COPY: Final = "copy"
REORDERED: Final = "reordered"
DELAYED: Final = "delayed by {:.3f} ms"
UNDELIVERED: Final = "not delivered: {}"
REPLY: Final = "made by the impairment"
REJECTED: Final = "rejected: {}"


class Marked(bytes):
    """Be a packet that carries what happened to it.

    It takes about 250 bytes more than its packet. What waits in an impairment is bounded in packets
    and in bytes of packets, without these.

    Attributes:
        what: What was done to it, as words.
        came_ns: When it came to the impairment, on its clock.
    """

    what: tuple[str, ...]
    came_ns: int

    @classmethod
    def of(cls, packet: bytes, came_ns: int, *what: str) -> Marked:
        """Return a packet that carries this and nothing else."""
        marked = cls(packet)
        marked.what = what
        marked.came_ns = came_ns
        return marked


def comments_of(packets: Sequence[bytes]) -> Comments | None:
    """Return the marks of packets by index; None if there are none."""
    if type(packets) is Block:  # they were not touched
        return None
    marked = enumerate(packets)
    found = {index: one.what for index, one in marked if type(one) is Marked and one.what}
    return found or None


def rejected(packets: Sequence[bytes], sequence: int) -> Burst:
    """Return packets of a client that no driver gets, with the reasons.

    Of one that is too long, the burst has as much as a packet may have.

    Args:
        packets: The packets, at least one.
        sequence: The number of the next packet that is injected.
    """
    comments: dict[int, tuple[str, ...]] = {}
    for index, packet in enumerate(packets):
        reason = rejection(packet) or ""
        if reason == TOO_LONG:
            reason = f"{reason}, {len(packet)} bytes"
        comments[index] = (REJECTED.format(reason),)
    packets = [packet[:MAX_PACKET] for packet in packets]
    now = time.time_ns()
    return Burst(packets, *measured(packets), sequence, now, injected=True, comments=comments)
