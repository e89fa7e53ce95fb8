"""A timer that a descriptor tells, exact to microseconds (timerfd_create(2))."""

from __future__ import annotations

import ctypes
import errno
import os
from ctypes import POINTER, byref, c_int, c_long
from functools import cache
from typing import Any, Final

# time.h, sys/timerfd.h
CLOCK_MONOTONIC: Final = 1
TFD_NONBLOCK, TFD_CLOEXEC = 0o4000, 0o2000000
TFD_TIMER_ABSTIME: Final = 1

_NS: Final = 1_000_000_000


class TimerSpec(ctypes.Structure):
    """struct itimerspec: an interval, and the first time."""

    _fields_ = (
        ("interval_seconds", c_long),
        ("interval_ns", c_long),
        ("seconds", c_long),
        ("ns", c_long),
    )


class TimerDescriptor:
    """Make a descriptor readable at a time of the monotonic clock. One thread at a time.

    Raises:
        OSError: The kernel does not provide the descriptor.
    """

    def __init__(self) -> None:
        self._libc = _libc()
        self._spec = TimerSpec()
        self._descriptor: int = self._libc.timerfd_create(
            CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC
        )
        if self._descriptor < 0:
            code = ctypes.get_errno() or errno.EMFILE
            raise OSError(code, os.strerror(code))

    def fileno(self) -> int | None:
        """Return the descriptor, which is readable from the time on until another one is set."""
        return self._descriptor

    def set(self, at_ns: int | None) -> None:
        """Set the time instead of the one that was set before; None for never."""
        # A time of 0 would be none at all.
        self._spec.seconds, self._spec.ns = divmod(0 if at_ns is None else max(at_ns, 1), _NS)
        self._libc.timerfd_settime(self._descriptor, TFD_TIMER_ABSTIME, byref(self._spec), None)

    def close(self) -> None:
        """Close the descriptor. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@cache
def _libc() -> Any:
    # The calls are short, so that the interpreter lock is kept.
    libc = ctypes.PyDLL(None, use_errno=True)
    libc.timerfd_create.argtypes = (c_int, c_int)
    libc.timerfd_settime.argtypes = (c_int, c_int, POINTER(TimerSpec), POINTER(TimerSpec))
    return libc
