"""Make the C library keep memory that a flood will need again at once (mallopt(3)).

A burst allocates some hundred kilobytes and frees them. By default glibc returns the top of the
heap to the kernel each time, and the next burst pays a page fault for every 4 KiB of it. Reading a
packet of 1420 bytes then costs twice as much.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

# malloc.h
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3

KEPT = 64 * 1024 * 1024  # bytes at the top of the heap that are not given back
PAD = 4 * 1024 * 1024  # bytes taken at a time
LARGE = 32 * 1024 * 1024  # bytes from which on memory is mapped separately; the largest allowed


def keep_heap() -> bool:
    """Make this process keep freed memory; return False if the C library does not support it.

    Once one threshold is set, glibc no longer adapts the others, so all are set. Memory is
    reserved, not used: pages that were never touched cost nothing.
    """
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    wanted = {M_TRIM_THRESHOLD: KEPT, M_TOP_PAD: PAD, M_MMAP_THRESHOLD: LARGE}
    answers = [mallopt(option, value) for option, value in wanted.items()]
    return answers == [1, 1, 1]


def release_heap() -> bool:
    """Return free memory to the system; return False if the C library cannot (musl, Windows).

    This takes some 50 ms. glibc itself only returns the top of the heap, and one small object there
    keeps everything below it.
    """
    gc.collect()  # objects of a closed connection refer to each other
    trim = _function("malloc_trim")
    return trim is not None and bool(trim(0))


def _function(name: str) -> Any:
    """Return a function of the C library; None if it has none of this name, as on Windows."""
    platform: str = sys.platform
    if platform == "win32":
        return None  # a program there is not linked with one C library, so there is none to ask
    return getattr(ctypes.CDLL(None), name, None)
