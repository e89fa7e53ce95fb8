"""Decide how many packets of a burst fit into some bytes of a file, before blocks are made of them.

The sizes here are the largest that blocks can have, so a file is never larger than it may be; it
may be smaller by the few bytes of options that its packets do not have.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from wintun_api.hub.burst import Burst

# An enhanced packet block without its packet: 32 bytes, 3 of padding, flags, the end of options,
# and the comments that say what happened to a packet.
PACKET: Final = 32 + 3 + 8 + 4 + 128
# What the first packet after a loss has more: a drop count and a comment.
LOSS: Final = 12 + 200
# The statistics of an interface, which end a file, with a comment on losses after its last packet.
STATISTICS: Final = 320
# An interface block without its filter; most of it is the name of the adapter.
INTERFACE: Final = 768


def whole(burst: Burst, snaplen: int, room: int) -> bool:
    """Return whether all packets of a burst certainly fit, without looking at each."""
    size = min(burst.size, burst.count * snaplen) if snaplen else burst.size
    return size + PACKET * burst.count + LOSS <= room


def fitting(burst: Burst, snaplen: int, room: int, start: int, most: int) -> int:
    """Return how many packets from `start`, but not more than `most`, fit."""
    if not start and most == burst.count and whole(burst, snaplen, room):
        return most
    left = room - LOSS
    for count, length in enumerate(islice(burst.lengths, start, start + most)):
        left -= PACKET + (min(length, snaplen) if snaplen else length)
        if left < 0:
            return count
    return most
