from __future__ import annotations

import pytest

from wintun_api import errors
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows.events import EVENT_PROTOTYPES
from wintun_api.drivers.windows.failures import ANYWHERE
from wintun_api.drivers.windows.win32 import ReturnedCode
from wintun_api.drivers.wintun.meanings import BY_FUNCTION, driver_error


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
    assert [row.name for row in EVENT_PROTOTYPES] == [
        "CreateEventW",
        "SetEvent",
        "CloseHandle",
        "WaitForMultipleObjects",
    ]


@pytest.mark.parametrize("code", [0, 2, 5, 183, 0x80070005, 0xE000023D])
def test_check_raises(library: EmulatedLibrary, code: int) -> None:
    """A failed function raises with the saved last error, whatever it is."""
    library.fail_next("WintunOpenAdapter", code)
    arguments = ("Example", "Demo") if library.generation == "pool" else ("Demo",)
    with pytest.raises(errors.DriverError) as caught:
        library.functions["WintunOpenAdapter"](*arguments)
    assert (caught.value.function, caught.value.code) == ("WintunOpenAdapter", code)


HIGH_WORDS = {"HRESULT": 0x80070000, "NTSTATUS": 0xC0070000}


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("kind", HIGH_WORDS)
@pytest.mark.parametrize(("function", "code"), [*BY_FUNCTION, *(("f", n) for n in ANYWHERE)])
def test_a_carried_code_means_the_same(function: str, code: int, kind: str, signed: bool) -> None:
    """An HRESULT or NTSTATUS of Win32 origin is read as its code; the number as it came stays."""
    plain = driver_error(function, code)
    number = HIGH_WORDS[kind] | code if code < 0x10000 else 0x800F0000 | code & 0xFFFF
    error = driver_error(function, number - (1 << 32) if signed else number)
    assert type(error) is type(plain)
    assert (error.code, error.carried) == (number, code)
    assert error.detail == plain.detail
    assert error.hint == plain.hint
    assert f"0x{number:08X}, which is win32 error" in str(error)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0x80040154, "HRESULT 0x80040154"),
        (0x8000FFFF, "HRESULT 0x8000FFFF"),
        (0x800B0109, "HRESULT 0x800B0109"),
        (0xD0000022, "HRESULT 0xD0000022"),
        (0xC0000035, "NTSTATUS 0xC0000035"),
        (0xC0000022, "NTSTATUS 0xC0000022"),
        (0xE000020B, "SetupAPI error 0xE000020B"),
    ],
)
def test_other_numbers_are_shown_as_what_they_are(number: int, written: str) -> None:
    """A number that carries no Win32 code is neither read as one nor written as one."""
    error = driver_error("WintunCreateAdapter", number)
    assert type(error) is errors.DriverError
    assert (error.code, error.carried) == (number, number)
    assert f"(WintunCreateAdapter: {written})" in str(error)


def test_zero_in_an_hresult_is_a_failure() -> None:
    """HRESULT_FROM_WIN32(0) would be S_OK; a library that says so nonetheless has failed."""
    assert "without an error number" in str(driver_error("WintunCreateAdapter", 0x80070000))


def test_a_configret_is_not_a_win32_code() -> None:
    """The device manager's numbers are small too, and mean something else: 5 is no denial."""
    error = errors.DriverError("CM_Get_DevNode_Status", 5, domain="configret")
    assert error.carried == 5
    assert "(CM_Get_DevNode_Status: CONFIGRET 0x00000005)" in str(error)


def test_a_returned_code_compares_as_what_it_carries() -> None:
    """What the IP Helper returned is compared by the code and remembered as it came."""
    code = ReturnedCode(-2147023728)  # HRESULT_FROM_WIN32(ERROR_NOT_FOUND)
    assert code == 1168
    assert code in (1168, 2)
    assert code.returned == 0x80070490
