from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.drivers.windows.library_files import library_file
from tests.drivers.wintun.genuine import needs_windows
from wintun_api.drivers.wintun import installed


@pytest.fixture
def key() -> Iterator[str]:
    """A registry key of the machine that is gone afterwards."""
    if sys.platform == "win32":
        import winreg

        path = rf"SOFTWARE\wintun-api-test-{uuid4().hex}"
        winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, path).Close()
        yield path
        for name in ("0000", "0001", "0002"):
            try:
                winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, rf"{path}\{name}")
            except OSError:
                continue
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, path)
    else:
        yield ""  # a test that would use it is left out


def write(key: str, name: str, value: int | str | list[str] | bytes, kind: str) -> None:
    """Set a value of a key."""
    if sys.platform == "win32":
        import winreg

        with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
            winreg.SetValueEx(opened, name, 0, getattr(winreg, kind), value)


@needs_windows
def test_older_adapters(key: str) -> None:
    """Devices with the hardware id Wintun are older adapters, others are not."""
    write(rf"{key}\0000", "HardwareID", ["kmloop"], "REG_MULTI_SZ")
    write(rf"{key}\0001", "HardwareID", ["Wintun"], "REG_MULTI_SZ")
    write(rf"{key}\0001", "DeviceDesc", "@oem1.inf,%w%;Wintun Userspace Tunnel", "REG_SZ")
    write(rf"{key}\0002", "HardwareID", ["wintun"], "REG_MULTI_SZ")
    write(rf"{key}\0002", "FriendlyName", "OpenVPN Tunnel #2", "REG_SZ")
    assert installed.older_adapters(key) == [
        "Wintun Userspace Tunnel (ROOT\\NET\\0001)",
        "OpenVPN Tunnel #2 (ROOT\\NET\\0002)",
    ]


@needs_windows
def test_driver_version(key: str, tmp_path: Path) -> None:
    """The installed driver's version is that of its file."""
    assert installed.driver_version(key) is None
    path = tmp_path / "wintun.sys"
    path.write_bytes(library_file(["One"], version=(0, 13, 0, 0)))
    write(key, "ImagePath", f"\\??\\{path}", "REG_EXPAND_SZ")
    assert installed.driver_version(key) == "0.13"
    path.unlink()
    assert installed.driver_version(key) is None


@needs_windows
def test_net_setup(key: str) -> None:
    """A service that is disabled is told from one that is not, and from none."""
    assert installed.net_setup_disabled(key) is None
    write(key, "Start", 3, "REG_DWORD")
    assert installed.net_setup_disabled(key) is False
    write(key, "Start", 4, "REG_DWORD")
    assert installed.net_setup_disabled(key) is True


def test_driver_file() -> None:
    """Every form that an ImagePath has leads to the file."""
    expected = str(Path(r"C:\Windows" + r"\System32\drivers\wintun.sys"))
    for form in (
        r"\SystemRoot\System32\drivers\wintun.sys",
        r"System32\drivers\wintun.sys",
        r"\??\C:\Windows\System32\drivers\wintun.sys",
        r"%SystemRoot%\System32\drivers\wintun.sys",
    ):
        assert str(installed.driver_file(form, r"C:\Windows")) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="for systems that are not Windows")
def test_elsewhere() -> None:
    """Off Windows there is nothing, and no error."""
    assert installed.older_adapters() == []
    assert installed.driver_version() is None
    assert installed.net_setup_disabled() is None
    assert installed.native_machine() is None
