"""What the Windows process is: its event loop, last errors, events and callbacks."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.waiting import let_pass
from wintun_api.drivers.windows.binding import last_error, load_system
from wintun_api.drivers.windows.elevation import elevated
from wintun_api.drivers.windows.events import EVENT_PROTOTYPES, Events
from wintun_api.drivers.windows.foreign import EventHandle, callback_type, function_type
from wintun_api.drivers.windows.image import process_machine
from wintun_api.errors import DriverError
from wintun_api.settings import default_driver

assert sys.platform == "win32"  # conftest.py leaves it out elsewhere


@pytest.fixture
def events() -> Events:
    """The event calls of kernel32.dll."""
    return Events(dict(load_system("kernel32.dll", EVENT_PROTOTYPES)))


def test_platform() -> None:
    """A 64-bit Windows process that may manage adapters, whose driver is the real one."""
    assert process_machine() == "amd64"
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    assert ctypes.sizeof(ctypes.c_long) == 4
    assert elevated() is True
    assert default_driver() == "wintun"


def test_proactor() -> None:
    """The event loop of the service is the Proactor one, which watches no descriptors."""
    loop = asyncio.new_event_loop()
    try:
        assert type(loop).__name__ == "ProactorEventLoop"
        with pytest.raises(NotImplementedError):
            loop.add_reader(0, print)
    finally:
        loop.close()


def test_calling_convention() -> None:
    """Functions and callbacks are bound without the flag of the C convention."""
    from _ctypes import FUNCFLAG_CDECL

    for row in EVENT_PROTOTYPES:
        assert not function_type(row)._flags_ & FUNCFLAG_CDECL
    assert callback_type is ctypes.WINFUNCTYPE


def test_last_error_is_a_threads_own(events: Events) -> None:
    """A failure raises with its number, and other threads keep theirs."""
    with pytest.raises(DriverError) as caught:
        events.close_handle(EventHandle(0x7FFF_FFF0))
    assert (caught.value.function, caught.value.code) == ("CloseHandle", 6)
    assert last_error() == 6
    with ThreadPoolExecutor(1) as other:
        assert other.submit(last_error).result() == 0
    assert last_error() == 6


def test_manual_reset(events: Events) -> None:
    """A manual-reset event stays set; the first of several that are set is the answer."""
    quit_event, data = (events.create_event(manual_reset=manual) for manual in (True, False))
    events.set_event(data)
    assert events.wait_for_multiple_objects([quit_event, data]) == 1
    events.set_event(quit_event)
    events.set_event(data)
    for _ in range(3):
        assert events.wait_for_multiple_objects([quit_event, data]) == 0
    for event in (quit_event, data):
        events.close_handle(event)


def test_a_waiter_is_woken(events: Events) -> None:
    """A thread waits without the interpreter's lock until another one sets the event."""
    event = events.create_event(manual_reset=False)
    woken: list[int] = []
    waiter = threading.Thread(
        target=lambda: woken.append(events.wait_for_multiple_objects([event]))
    )
    waiter.start()
    let_pass(0.1)
    assert woken == []
    events.set_event(event)
    waiter.join(5)
    assert woken == [0]
    events.close_handle(event)


def test_callback_of_a_foreign_thread() -> None:
    """A thread that Python did not start calls back, and is waited for."""
    called: list[int] = []

    def work(_parameter: int | None) -> int:
        called.append(threading.get_ident())
        return 7

    routine = ctypes.WINFUNCTYPE(ctypes.c_uint32, ctypes.c_void_p)(work)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.CreateThread.restype = ctypes.c_void_p
    thread = ctypes.c_void_p(
        kernel32.CreateThread(None, ctypes.c_size_t(0), routine, None, 0, None)
    )
    assert kernel32.WaitForSingleObject(thread, 5000) == 0
    kernel32.CloseHandle(thread)
    assert len(called) == 1
    assert called[0] != threading.get_ident()
