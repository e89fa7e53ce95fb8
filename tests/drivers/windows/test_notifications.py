"""Notifications of the IP Helper: each kind is told, until nobody listens any more."""

from __future__ import annotations

import pytest

from tests.drivers.windows.fake_iphlpapi import FakeIphlpapi
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows.notifications import CANCEL, FUNCTIONS
from wintun_api.drivers.windows.system_ip_helper import WindowsIpHelper
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver


def driver_on(windows: FakeIphlpapi) -> WintunDriver:
    return WintunDriver(
        EmulatedLibrary(Generation.TUNNEL_TYPE), WindowsIpHelper(windows.system_calls())
    )


@pytest.mark.parametrize("function", FUNCTIONS)
def test_told(function: str) -> None:
    """The watcher is called for a change of an interface, an address or a route."""
    windows, told = FakeIphlpapi(), []
    driver = driver_on(windows)
    assert driver.changes_fileno() is None
    driver.set_watcher(lambda: told.append("first"))
    windows.tell(function)
    driver.set_watcher(lambda: told.append("second"))
    windows.tell(function)
    assert told == ["first", "second"]
    driver.close()
    assert windows.notified == {}
    assert len(windows.given(CANCEL)) == len(FUNCTIONS)
    driver.close()


def test_told_late() -> None:
    """A callback that Windows had begun before the end calls nobody, and is still there."""
    windows, told = FakeIphlpapi(), []
    driver = driver_on(windows)
    driver.set_watcher(lambda: told.append(1))
    _, callback = next(iter(windows.notified.values()))
    driver.set_watcher(None)
    callback(None, None, 0)
    assert told == []
    driver.set_watcher(lambda: told.append(2))
    windows.tell(FUNCTIONS[0])
    assert told == [2]
    driver.close()


@pytest.mark.parametrize("missing", [*FUNCTIONS, CANCEL])
def test_a_system_that_does_not_tell(missing: str) -> None:
    """Where one of the functions is missing nothing is registered, and nothing fails."""
    windows = FakeIphlpapi()
    windows.missing.add(missing)
    driver = driver_on(windows)
    driver.set_watcher(lambda: None)
    assert windows.notified == {}
    driver.close()


def test_a_registration_that_fails() -> None:
    """One kind that Windows refuses does not take the others away."""
    windows = FakeIphlpapi()
    windows.fail(FUNCTIONS[1], 8)
    driver = driver_on(windows)
    driver.set_watcher(lambda: None)
    assert {name for name, _ in windows.notified.values()} == {FUNCTIONS[0], FUNCTIONS[2]}
    driver.close()
    assert windows.notified == {}
