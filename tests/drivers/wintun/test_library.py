from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wintun_api.drivers import open_driver
from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.wintun.driver import open_wintun
from wintun_api.drivers.wintun.library import WintunDll
from wintun_api.errors import DriverUnavailable
from wintun_api.settings import Settings

elsewhere = pytest.mark.skipif(sys.platform == "win32", reason="for systems that are not Windows")


@elsewhere
def test_wrong_platform() -> None:
    """Off Windows the driver says so, and what to use instead."""
    unavailable = open_wintun().unavailable_reason()
    assert unavailable is not None
    assert unavailable.reason is UnavailableReason.WRONG_PLATFORM
    assert "--driver" in unavailable.hint
    assert open_wintun().lasting
    assert not open_wintun().elevated()


@elsewhere
def test_calls_raise_the_reason() -> None:
    """A call of an unavailable driver raises its reason; `close` never does."""
    driver = open_driver("wintun", Settings())
    with pytest.raises(DriverUnavailable) as caught:
        driver.create_adapter("Demo", "Example")
    assert caught.value.reason == UnavailableReason.WRONG_PLATFORM
    assert caught.value.hint
    driver.close()


def test_capabilities_without_a_library(tmp_path: Path) -> None:
    """Without a file the capabilities are those of the current generation."""
    driver = open_wintun(tmp_path / "wintun.dll")
    assert driver.capabilities.generation == "tunnel-type"
    assert driver.library_path is None


def test_settings_become_keywords(tmp_path: Path) -> None:
    """The service's settings say which file is used."""
    path = tmp_path / "wintun.dll"
    path.write_bytes(b"MZ")
    assert open_driver("wintun", Settings(wintun_dll=path)).library_path == str(path)
    assert open_driver("wintun", Settings(data_dir=tmp_path)).library_path == str(path)


def test_no_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is not looked for: another file could be found along PATH."""
    (tmp_path / "wintun.dll").write_bytes(b"MZ")
    monkeypatch.chdir(tmp_path)
    assert WintunDll(Path("wintun.dll")).path is None
    assert WintunDll(tmp_path / "wintun.dll").path == str(tmp_path / "wintun.dll")


def test_no_library_has_no_generation(tmp_path: Path) -> None:
    """A file that is no library has no generation."""
    path = tmp_path / "wintun.dll"
    path.write_bytes(b"no library")
    assert WintunDll(path).generation is None
