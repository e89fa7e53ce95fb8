"""Events of Windows, and waiting for several of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import POINTER, c_void_p
from typing import Any

from wintun_api.drivers.windows.foreign import BOOL, DWORD, Check, EventHandle, Prototype
from wintun_api.drivers.windows.win32 import INFINITE

_PEVENT = POINTER(EventHandle)

EVENT_PROTOTYPES: tuple[Prototype, ...] = (
    Prototype("CreateEventW", EventHandle, (c_void_p, BOOL, BOOL, c_void_p), Check.NULL),
    Prototype("SetEvent", BOOL, (EventHandle,), Check.FALSE),
    Prototype("CloseHandle", BOOL, (EventHandle,), Check.FALSE),
    Prototype(
        "WaitForMultipleObjects",
        DWORD,
        (DWORD, POINTER(EventHandle), BOOL, DWORD),
        Check.WAIT,
    ),
)


class Events:
    """Make the event calls with functions of kernel32.dll."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._create = functions["CreateEventW"]
        self._set = functions["SetEvent"]
        self._close = functions["CloseHandle"]
        self._wait = functions["WaitForMultipleObjects"]

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Create an unnamed event that is not set."""
        event: EventHandle = self._create(None, manual_reset, False, None)
        return event

    def set_event(self, event: EventHandle) -> None:
        """Set the event. Any thread."""
        self._set(event)

    def close_handle(self, event: EventHandle) -> None:
        """Close the handle; no thread may be waiting for it."""
        self._close(event)

    def wait_for_multiple_objects(self, events: Sequence[EventHandle]) -> int:
        """Block without a time-out until one is set; return the index of the first such."""
        count = len(events)
        index: int = self._wait(count, (EventHandle * count)(*events), False, INFINITE)
        return index
