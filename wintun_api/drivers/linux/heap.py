"""The C library's heap, told to keep what a flood will ask for again at once (mallopt(3)).

A burst takes some hundred kilobytes and gives them back. By default glibc returns the top of the
heap to the kernel each time, and the next burst pays a page fault for every 4 KiB of it: where that
happens, reading a packet of 1420 bytes costs twice as much.
"""

from __future__ import annotations

import ctypes
import gc

# malloc.h
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3

KEPT = 64 * 1024 * 1024  # bytes at the top of the heap that are not given back
PAD = 4 * 1024 * 1024  # bytes taken at a time
LARGE = 32 * 1024 * 1024  # bytes from which on memory is mapped by itself; the greatest allowed


def keep_heap() -> bool:
    """Let this process keep freed memory; return False where the C library has no such choice.

    Once set, glibc no longer adapts the thresholds by itself, so all of them are. Memory is
    reserved, not used: what was never touched costs nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = {M_TRIM_THRESHOLD: KEPT, M_TOP_PAD: PAD, M_MMAP_THRESHOLD: LARGE}
    answers = [mallopt(option, value) for option, value in wanted.items()]
    return answers == [1, 1, 1]


def release_heap() -> bool:
    """Give free memory back to the system; return False where the C library cannot (musl, Windows).

    Takes some 50 ms. glibc itself gives back the top of the heap alone, and one small object there
    keeps everything below it.
    """
    gc.collect()  # what a connection leaves refers to itself
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))
