"""Restrict a file on Windows to SYSTEM, Administrators and, if requested, the owner.

In Windows' own notation (SDDL): P inherits no entries from the parent, OICI passes them to
children, FA is full access, SY is SYSTEM, BA is Administrators, OW is the owner.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_uint32, c_void_p
from pathlib import Path
from typing import Any

from wintun_api.drivers.windows.binding import Functions, last_error, load_system
from wintun_api.drivers.windows.foreign import BOOL, DWORD, Check, Prototype, WideString
from wintun_api.errors import DriverError

# accctrl.h, winnt.h
OWNER_SECURITY_INFORMATION = 1
DACL_SECURITY_INFORMATION = 4
PROTECTED_DACL_SECURITY_INFORMATION = 0x80000000
SDDL_REVISION_1 = 1

TRUSTED_OWNERS = ("BA", "SY")


class SecurityAttributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES."""

    _fields_ = (
        ("nLength", DWORD),
        ("lpSecurityDescriptor", c_void_p),
        ("bInheritHandle", BOOL),
    )


_W, _V, _PV, _PDWORD = WideString, c_void_p, POINTER(c_void_p), POINTER(c_uint32)
_FROM_TEXT = "ConvertStringSecurityDescriptorToSecurityDescriptorW"
_TO_TEXT = "ConvertSecurityDescriptorToStringSecurityDescriptorW"
ADVAPI32_PROTOTYPES = (
    Prototype(_FROM_TEXT, BOOL, (_W, DWORD, _PV, _PDWORD), Check.FALSE),
    Prototype(_TO_TEXT, BOOL, (_V, DWORD, DWORD, POINTER(_W), _PDWORD), Check.FALSE),
    Prototype("SetFileSecurityW", BOOL, (_W, DWORD, _V), Check.FALSE),
    Prototype("GetFileSecurityW", BOOL, (_W, DWORD, _V, DWORD, _PDWORD), Check.NONE),
)
KERNEL32_PROTOTYPES = (
    Prototype("CreateDirectoryW", BOOL, (_W, POINTER(SecurityAttributes)), Check.FALSE),
    Prototype("LocalFree", c_void_p, (_V,), Check.NONE),
)


def make_directory(path: Path) -> None:
    """Create a directory that only SYSTEM, Administrators and the owner can ever open.

    Its parents are created with default permissions. An existing directory is not changed.

    Raises:
        OSError: It cannot be created.
    """
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with _descriptor(_entries("OICI", owner=True)) as descriptor:
        attributes = SecurityAttributes(ctypes.sizeof(SecurityAttributes), descriptor, False)
        _call(_kernel32(), "CreateDirectoryW", path, byref(attributes))


def protect(path: Path, *, owner: bool = False) -> None:
    """Close a file, or a directory and everything created in it later, to other users.

    Args:
        path: The file or the directory; the present content of a directory is not changed.
        owner: Whether the owner keeps access too.

    Raises:
        OSError: This process is not allowed to.
    """
    text = _entries("OICI" if path.is_dir() else "", owner=owner)
    what = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION
    with _descriptor(text) as descriptor:
        _call(_advapi32(), "SetFileSecurityW", path, what, descriptor)


def describe(path: Path) -> str:
    """Return the owner and the entries, in SDDL.

    Raises:
        OSError: It cannot be read.
    """
    what = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION
    advapi32, size = _advapi32(), c_uint32()
    advapi32["GetFileSecurityW"](str(path), what, None, 0, byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    if not advapi32["GetFileSecurityW"](str(path), what, buffer, size, byref(size)):
        raise _os_error(last_error(), path)
    text = WideString()
    _call(advapi32, _TO_TEXT, buffer, SDDL_REVISION_1, what, byref(text), None)
    try:
        return text.text
    finally:
        _kernel32()["LocalFree"](text)


def is_ours(path: Path) -> bool:
    """Return whether it belongs to a trusted account or to the account of this process.

    Any user may create a directory in ProgramData before the service does, and its owner can write
    into it, whatever its entries are.
    """
    with tempfile.NamedTemporaryFile() as own:
        trusted = {*TRUSTED_OWNERS, _owner(describe(Path(own.name)))}
    return _owner(describe(path)) in trusted


def _owner(text: str) -> str:
    return text.partition("D:")[0].partition("G:")[0].removeprefix("O:")


def _entries(flags: str, *, owner: bool) -> str:
    accounts = ("SY", "BA", "OW") if owner else ("SY", "BA")
    return "D:P" + "".join(f"(A;{flags};FA;;;{account})" for account in accounts)


@contextmanager
def _descriptor(text: str) -> Iterator[c_void_p]:
    descriptor = c_void_p()
    _call(_advapi32(), _FROM_TEXT, text, SDDL_REVISION_1, byref(descriptor), None)
    try:
        yield descriptor
    finally:
        _kernel32()["LocalFree"](descriptor)


def _call(functions: Functions, name: str, *arguments: Any) -> None:
    path = next((one for one in arguments if isinstance(one, Path)), None)
    try:
        functions[name](*(str(one) if isinstance(one, Path) else one for one in arguments))
    except DriverError as error:
        raise _os_error(error.carried, path) from None


def _os_error(code: int, path: Path | None) -> OSError:
    if sys.platform == "win32":
        error = ctypes.WinError(code)
        error.filename = None if path is None else str(path)
        return error
    else:  # noqa: RET505  the type checker needs the branch
        return OSError(code, "", path)


def _advapi32() -> Functions:
    return load_system("advapi32.dll", ADVAPI32_PROTOTYPES)


def _kernel32() -> Functions:
    return load_system("kernel32.dll", KERNEL32_PROTOTYPES)
