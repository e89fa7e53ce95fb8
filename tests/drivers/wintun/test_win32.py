from __future__ import annotations

import pytest

from wintun_api import errors
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.win32 import WIN32_PROTOTYPES, driver_error, elevated


@pytest.mark.parametrize(
    ("function", "code", "kind"),
    [
        ("WintunCreateAdapter", 5, errors.AccessDenied),
        ("WintunStartSession", 5, errors.AccessDenied),
        ("WintunCreateAdapter", 50, errors.NotSupported),
        ("WintunCreateAdapter", 183, errors.AdapterExists),
        ("WintunCreateAdapter", 52, errors.AdapterExists),
        ("WintunCreateAdapter", 2, errors.DriverError),
        ("WintunCreateAdapter", 111, errors.DriverError),
        ("WintunOpenAdapter", 2, errors.AdapterNotFound),
        ("WintunOpenAdapter", 1168, errors.AdapterNotFound),
        ("WintunOpenAdapter", 183, errors.AdapterNotFound),
        ("WintunSetAdapterName", 52, errors.AdapterExists),
        ("WintunSetAdapterName", 2, errors.AdapterNotFound),
        ("WintunStartSession", 1247, errors.SessionExists),
        ("WintunStartSession", 2, errors.AdapterNotFound),
        ("WintunStartSession", 87, errors.DriverError),
        ("WintunReceivePacket", 38, errors.SessionEnded),
        ("WintunReceivePacket", 13, errors.RingCorrupt),
        ("WintunAllocateSendPacket", 38, errors.SessionEnded),
        ("WintunAllocateSendPacket", 111, errors.RingFull),
        ("WintunCreateAdapter", 13, errors.DriverError),
        ("WintunDeletePoolDriver", 2, errors.DriverError),
        ("WintunGetRunningDriverVersion", 2, errors.DriverError),
        ("WintunCreateAdapter", 4319, errors.DriverError),
    ],
)
def test_meaning_by_function(function: str, code: int, kind: type[errors.DriverError]) -> None:
    """A number means what it means in its function."""
    error = driver_error(function, code)
    assert type(error) is kind
    assert (error.function, error.code, error.domain) == (function, code, "win32")


def test_hresult_is_unsigned() -> None:
    """An HRESULT comes signed from ctypes, and is shown in hexadecimal."""
    error = driver_error("WintunCreateAdapter", -2147024891)
    assert error.code == 0x80070005
    assert "0x80070005" in str(error)


def test_zero_is_a_failure() -> None:
    """A failed call without an error number is an error with words of its own."""
    error = driver_error("WintunCreateAdapter", 0)
    assert error.code == 0
    assert "without an error number" in str(error)


def test_event_calls() -> None:
    """The Win32 calls beside the library are these four."""
    assert [row.name for row in WIN32_PROTOTYPES] == [
        "CreateEventW",
        "SetEvent",
        "CloseHandle",
        "WaitForMultipleObjects",
    ]


def test_elevated_is_a_bool() -> None:
    """Elevation can be asked for on every system."""
    assert elevated() in (True, False)


@pytest.mark.parametrize("code", [0, 2, 5, 183, 0x80070005, 0xE000023D])
def test_check_raises(library: EmulatedLibrary, code: int) -> None:
    """A failed function raises with the saved last error, whatever it is."""
    library.fail_next("WintunOpenAdapter", code)
    arguments = ("Example", "Demo") if library.generation == "pool" else ("Demo",)
    with pytest.raises(errors.DriverError) as caught:
        library.functions["WintunOpenAdapter"](*arguments)
    assert (caught.value.function, caught.value.code) == ("WintunOpenAdapter", code)
