"""The checked build: what it reports, and what its knobs do."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.drivers.emulated.waiting import Noticed
from tests.waiting import let_pass
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import AdapterHandle, Generation, SessionHandle, exports_of
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.errors import AccessDenied, AdapterNotFound, DriverError

Call = Callable[..., Any]
pool_only = pytest.mark.parametrize("generation", [Generation.POOL], indirect=True)


@pytest.fixture
def call(library: EmulatedLibrary) -> Call:
    """Call a function of the library by its name."""
    return lambda name, *arguments: library.functions[name](*arguments)


@pytest.fixture
def handle(library: EmulatedLibrary, call: Call) -> AdapterHandle:
    """The handle of a new adapter "Demo"."""
    arguments = (
        ("Example", "Demo", None, None)
        if library.generation is Generation.POOL
        else ("Demo", "Example", None)
    )
    handle: AdapterHandle = call("WintunCreateAdapter", *arguments)
    return handle


@pytest.fixture
def started(call: Call, handle: AdapterHandle) -> SessionHandle:
    """The handle of a session on "Demo"."""
    started: SessionHandle = call("WintunStartSession", handle, 0x20000)
    return started


@pytest.fixture
def close(library: EmulatedLibrary) -> str:
    """The name of the function that gives an adapter's handle back."""
    return "WintunFreeAdapter" if library.generation is Generation.POOL else "WintunCloseAdapter"


@pytest.fixture
def misuse(library: EmulatedLibrary) -> Callable[[], str]:
    """Return the one line of misuse and take it off the record."""

    def take() -> str:
        (line,) = library.misuse
        library.misuse.clear()
        return line

    return take


Misuse = Callable[[], str]


def send_one(call: Call, started: SessionHandle) -> None:
    address = call("WintunAllocateSendPacket", started, 20)
    ctypes.memset(address, 0x45, 20)
    call("WintunSendPacket", started, address)


def test_functions(library: EmulatedLibrary) -> None:
    """The library has the functions of its generation, and no others."""
    assert set(library.functions) == exports_of(library.generation)


def test_double_release(
    call: Call, library: EmulatedLibrary, started: SessionHandle, misuse: Misuse
) -> None:
    """Releasing a packet twice is reported."""
    library.machine.device("Demo").deliver(bytes(20))
    size = ctypes.c_uint32()
    address = call("WintunReceivePacket", started, ctypes.byref(size))
    assert size.value == 20
    call("WintunReleaseReceivePacket", started, address)
    assert library.misuse == []
    call("WintunReleaseReceivePacket", started, address)
    assert misuse().startswith("WintunReleaseReceivePacket: ")


@pytest.mark.parametrize("function", ["WintunReleaseReceivePacket", "WintunSendPacket"])
@pytest.mark.parametrize("address", [None, 0x1234])
def test_foreign_pointer(
    call: Call, started: SessionHandle, misuse: Misuse, function: str, address: int | None
) -> None:
    """A pointer that the library never gave is reported."""
    call(function, started, address)
    assert "foreign" in misuse()


def test_double_send(call: Call, started: SessionHandle, misuse: Misuse) -> None:
    """Sending a packet twice is reported."""
    address = call("WintunAllocateSendPacket", started, 20)
    call("WintunSendPacket", started, address)
    call("WintunSendPacket", started, address)
    assert "sent before" in misuse()


def test_never_sent(call: Call, started: SessionHandle, misuse: Misuse) -> None:
    """An allocation that was never sent is reported at the end."""
    call("WintunAllocateSendPacket", started, 20)
    call("WintunEndSession", started)
    assert misuse() == "WintunEndSession: 1 allocated packets were never sent"


def test_never_released(
    call: Call, library: EmulatedLibrary, started: SessionHandle, misuse: Misuse
) -> None:
    """A packet that was never released is reported at the end."""
    library.machine.device("Demo").deliver(bytes(20))
    call("WintunReceivePacket", started, ctypes.byref(ctypes.c_uint32()))
    call("WintunEndSession", started)
    assert misuse() == "WintunEndSession: 1 received packets were never released"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("WintunEndSession", ()),
        ("WintunReceivePacket", (ctypes.byref(ctypes.c_uint32()),)),
        ("WintunReleaseReceivePacket", (0x1000,)),
        ("WintunAllocateSendPacket", (20,)),
        ("WintunSendPacket", (0x1000,)),
    ],
)
def test_after_the_end(
    call: Call, started: SessionHandle, misuse: Misuse, function: str, arguments: tuple[Any, ...]
) -> None:
    """Every call with an ended session is reported."""
    call("WintunEndSession", started)
    assert not call(function, started, *arguments)
    assert misuse() == f"{function}: the session handle was given back by WintunEndSession"


def test_no_event_after_the_end(call: Call, started: SessionHandle, misuse: Misuse) -> None:
    """An ended session has no event, which is reported and fails."""
    call("WintunEndSession", started)
    with pytest.raises(DriverError, match="WintunGetReadWaitEvent"):
        call("WintunGetReadWaitEvent", started)
    assert "was given back by WintunEndSession" in misuse()


def test_overlong_allocation(call: Call, started: SessionHandle, misuse: Misuse) -> None:
    """An allocation that would overrun the ring is reported; the DLL would not notice."""
    assert call("WintunAllocateSendPacket", started, 65536) is None
    assert "65536" in misuse()


def test_double_close(call: Call, handle: AdapterHandle, close: str, misuse: Misuse) -> None:
    """Giving an adapter's handle back twice is reported."""
    call(close, handle)
    call(close, handle)
    assert misuse() == f"{close}: the adapter handle was given back by {close}"


def test_closed_adapter(call: Call, handle: AdapterHandle, close: str, misuse: Misuse) -> None:
    """A call with a handle that was given back fails and is reported."""
    call(close, handle)
    with pytest.raises(DriverError):
        call("WintunStartSession", handle, 0x20000)
    assert "given back" in misuse()


def test_wrong_kind_of_handle(call: Call, started: SessionHandle, misuse: Misuse) -> None:
    """A session's handle in an adapter's clothes is reported."""
    with pytest.raises(DriverError):
        call("WintunStartSession", AdapterHandle(started.value), 0x20000)
    assert "is not a valid adapter handle" in misuse()


@pytest.mark.parametrize("generation", [Generation.TUNNEL_TYPE], indirect=True)
def test_close_null(call: Call) -> None:
    """Closing NULL is allowed in the tunnel-type generation."""
    call("WintunCloseAdapter", None)


@pool_only
def test_free_within_enumeration(
    call: Call, library: EmulatedLibrary, handle: AdapterHandle, misuse: Misuse
) -> None:
    """The handle of an enumeration is not the callback's to free, nor to keep."""
    from wintun_api.drivers.wintun.abi import EnumCallback

    kept: list[AdapterHandle] = []

    def on_adapter(one: AdapterHandle, parameter: int) -> int:
        assert parameter == -5
        kept.append(AdapterHandle(one.value))
        call("WintunFreeAdapter", one)
        return 1

    call("WintunEnumAdapters", "Example", EnumCallback(on_adapter), -5)
    assert "WintunEnumAdapters' own" in misuse()
    with pytest.raises(DriverError):
        call("WintunGetAdapterName", kept[0], None)
    assert "given back by WintunEnumAdapters" in misuse()


@pool_only
def test_enumeration_stops(call: Call, library: EmulatedLibrary) -> None:
    """Zero from the callback ends the enumeration, with success."""
    from wintun_api.drivers.wintun.abi import EnumCallback

    for name in ("One", "Two", "Three"):
        call("WintunCreateAdapter", "Example", name, None, None)
    seen: list[int] = []

    def on_adapter(one: AdapterHandle, _parameter: int) -> int:
        seen.append(one.value or 0)
        return len(seen) < 2

    assert call("WintunEnumAdapters", "Example", EnumCallback(on_adapter), 0) == 1
    assert len(seen) == 2


def test_close_of_an_event_in_use(
    call: Call, library: EmulatedLibrary, started: SessionHandle, misuse: Misuse
) -> None:
    """Ending a session under its waiter is reported: the real one hangs or worse."""
    event = call("WintunGetReadWaitEvent", started)
    quit_event = library.create_event(manual_reset=True)
    waiting = library.machine.events.sources[quit_event.value or 0] = Noticed()
    failures: list[BaseException] = []

    def wait() -> None:
        try:
            library.wait_for_multiple_objects([quit_event, event])
        except DriverError as error:
            failures.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert waiting.noticed.wait(30)
    call("WintunEndSession", started)
    waiter.join(30)
    assert len(failures) == 1
    assert any("waiting for the read-wait event" in line for line in library.misuse)
    library.misuse.clear()
    library.close_handle(quit_event)


def test_event_closed_twice(library: EmulatedLibrary, misuse: Misuse) -> None:
    """Closing an event twice fails with 6 and is reported."""
    event = library.create_event(manual_reset=True)
    library.close_handle(event)
    with pytest.raises(DriverError) as caught:
        library.close_handle(event)
    assert caught.value.code == 6
    misuse()


@pytest.mark.filterwarnings("error")
def test_exception_in_a_function(
    library: EmulatedLibrary, handle: AdapterHandle, call: Call, misuse: Misuse
) -> None:
    """An exception of the emulation itself does not vanish."""
    library.raise_next("WintunStartSession", ZeroDivisionError("a bug"))
    with pytest.raises(DriverError):
        call("WintunStartSession", handle, 0x20000)
    assert misuse() == "WintunStartSession: raised ZeroDivisionError('a bug')"


def test_last_error_is_of_the_thread(library: EmulatedLibrary, call: Call) -> None:
    """A failure in one thread is not the last error of another."""
    library.fail_next("WintunGetRunningDriverVersion", 1234)
    with pytest.raises(DriverError):
        call("WintunGetRunningDriverVersion")
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(library.last_error()))
    thread.start()
    thread.join()
    assert (library.last_error(), seen) == (1234, [0])


def test_success_leaves_the_last_error(library: EmulatedLibrary, call: Call) -> None:
    """A successful call does not clear the last error, so nobody may take it for a result."""
    library.fail_next("WintunGetRunningDriverVersion", 1234)
    with pytest.raises(DriverError):
        call("WintunGetRunningDriverVersion")
    library.machine.create("Demo", "Example", None, persistent=True)
    library.machine.driver_version = (0, 13)
    assert call("WintunGetRunningDriverVersion") == 13
    assert library.last_error() == 1234


def test_signed_codes_become_unsigned(library: EmulatedLibrary, call: Call) -> None:
    """An HRESULT is kept as 32 unsigned bits."""
    library.fail_next("WintunGetRunningDriverVersion", -2147024891)
    with pytest.raises(DriverError) as caught:
        call("WintunGetRunningDriverVersion")
    assert caught.value.code == library.last_error() == 0x80070005


def test_capacity_is_the_drivers_business(
    library: EmulatedLibrary, call: Call, handle: AdapterHandle
) -> None:
    """A capacity that the driver does not take fails with 87, as it does below the DLL."""
    for capacity in (0, 0x10000, 0x20001, 0x8000000):
        with pytest.raises(DriverError) as caught:
            call("WintunStartSession", handle, capacity)
        assert caught.value.code == 87


@pytest.mark.parametrize(
    ("generation", "code"),
    [(Generation.POOL, 87), (Generation.TUNNEL_TYPE, 111)],
    indirect=["generation"],
)
def test_long_names(library: EmulatedLibrary, call: Call, code: int) -> None:
    """A name too long fails with the number of the generation."""
    arguments: tuple[Any, ...] = ("Example", "n" * 128, None)
    if library.generation is Generation.POOL:
        arguments += (None,)
    else:
        arguments = ("n" * 128, "Example", None)
    with pytest.raises(DriverError) as caught:
        call("WintunCreateAdapter", *arguments)
    assert caught.value.code == code


def test_unelevated(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """A fault can last for several calls."""
    library.fail_next("WintunCreateAdapter", 5, times=2)
    for _ in range(2):
        with pytest.raises(AccessDenied):
            wintun.create_adapter("Demo", "Example")
    wintun.create_adapter("Demo", "Example")


def test_void_cannot_fail(library: EmulatedLibrary) -> None:
    """A function that returns nothing cannot be made to fail."""
    with pytest.raises(ValueError, match="WintunEndSession"):
        library.fail_next("WintunEndSession", 5)


def test_delay(library: EmulatedLibrary, wintun: WintunDriver) -> None:
    """A delayed call takes its time, and holds up nobody else."""
    library.delay_next("WintunCreateAdapter", 0.5)
    start = time.monotonic()
    thread = threading.Thread(target=wintun.create_adapter, args=("Demo", "Example"))
    thread.start()
    library.close_handle(library.create_event(manual_reset=True))
    assert thread.is_alive()
    thread.join()
    assert time.monotonic() - start >= 0.5


def test_hold(library: EmulatedLibrary, wintun: WintunDriver) -> None:
    """A held call waits until it is let go."""
    gate = library.hold_next("WintunCreateAdapter")
    thread = threading.Thread(target=wintun.create_adapter, args=("Demo", "Example"))
    thread.start()
    let_pass(0.02)
    assert list(library.machine.wintun_devices()) == []
    gate.set()
    thread.join(30)
    assert len(list(library.machine.wintun_devices())) == 1


def test_knobs_need_a_session(adapter: WintunAdapter, library: EmulatedLibrary) -> None:
    """A knob of a ring says when there is none."""
    with pytest.raises(ValueError, match="no session"):
        library.hold_consumer("Demo")
    with pytest.raises(KeyError):
        library.corrupt_ring("Nobody")


def test_exit_ends_sessions(call: Call, library: EmulatedLibrary, started: SessionHandle) -> None:
    """The end of a process takes its sessions along, without misuse."""
    library.exit_process()
    assert library.open_handles() == (0, 0)
    other = EmulatedLibrary(library.generation, library.machine)
    driver = WintunDriver(other)
    if library.generation is Generation.POOL:
        driver.open_adapter("Demo", "Example").start_session(0x20000).end()
    else:
        with pytest.raises(AdapterNotFound):
            driver.open_adapter("Demo", "Example")
