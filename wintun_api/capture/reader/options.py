"""Read the options of pcapng's blocks; none is taken for more than its length allows."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from wintun_api.capture import pcapng

MAX_NAME: Final = 256  # characters of an interface's name that are kept
_SHORT: Final = 64  # bytes; what is longer is read anew each time
# What the options of a packet say: whether it was injected, what was lost before it, the comment.
About = tuple[bool | None, int, str | None]
NOTHING: Final[About] = (None, 0, None)


def options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the codes and values of options; ends at one that is longer than what is there."""
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from(f"{order}HH", data, at)
        at += 4
        if not code or at + length > len(data):
            return
        yield code, data[at : at + length]
        at += length + -length % 4


def text(value: bytes) -> str:
    """Return a text option, which is UTF-8 and may have been padded with zeros."""
    return value.rstrip(b"\0").decode(errors="replace")


def about_packet(data: bytes, order: str) -> About:
    """Return what the options of an enhanced packet block say."""
    # Most packets of a capture have one of a few sets of options.
    return _known(data, order) if len(data) <= _SHORT else _read(data, order)


def _read(data: bytes, order: str) -> About:
    injected: bool | None = None
    dropped = 0
    comments: list[str] = []
    for code, value in options(data, order):
        if code == pcapng.FLAGS and len(value) == 4:
            direction = struct.unpack(f"{order}I", value)[0] & 3
            if direction in (pcapng.INBOUND, pcapng.OUTBOUND):
                injected = direction == pcapng.INBOUND
        elif code == pcapng.DROP_COUNT and len(value) == 8:
            (dropped,) = struct.unpack(f"{order}Q", value)
        elif code == pcapng.COMMENT:
            comments.append(text(value))
    return injected, dropped, "\n".join(comments) if comments else None


_known = lru_cache(maxsize=256)(_read)
