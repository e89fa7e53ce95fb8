"""The device manager over functions below ctypes: where it looks, and how it reads the answers."""

from __future__ import annotations

import sys
from uuid import UUID, uuid4

import pytest

from tests.drivers.windows.fake_iphlpapi import FakeIphlpapi
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows.devices import (
    ABSENT,
    DISABLED,
    Presence,
    WindowsDevices,
    windows_devices,
)
from wintun_api.drivers.windows.system_ip_helper import WindowsIpHelper
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.errors import AdapterNotFound, AdapterUnavailable

GUID = UUID("deadbabe-cafe-beef-0123-456789abcdef")
INSTANCE = "SWD\\Wintun\\{DEADBABE-CAFE-BEEF-0123-456789ABCDEF}"
STARTED, PROBLEM = 0x8, 0x400


@pytest.fixture
def windows() -> FakeIphlpapi:
    """A Windows without devices."""
    return FakeIphlpapi()


@pytest.fixture
def devices(windows: FakeIphlpapi) -> WindowsDevices:
    """Its device manager."""
    return WindowsDevices(windows.system_calls())


def test_working(windows: FakeIphlpapi, devices: WindowsDevices) -> None:
    """A device without a problem works; it is looked for as the software device of its GUID."""
    windows.devices[INSTANCE] = (STARTED, 0)
    assert devices.state(GUID).presence is Presence.WORKING
    assert devices.state(uuid4()).presence is Presence.GONE


def test_disabled(windows: FakeIphlpapi, devices: WindowsDevices) -> None:
    """A disabled device (CM_PROB_DISABLED) is stopped, not gone."""
    windows.devices[INSTANCE] = (PROBLEM, 0x16)
    state = devices.state(GUID)
    assert (state.presence, state.why) == (Presence.STOPPED, DISABLED)


def test_another_problem(windows: FakeIphlpapi, devices: WindowsDevices) -> None:
    """Another problem is told by its number."""
    windows.devices[INSTANCE] = (PROBLEM, 0x38)
    state = devices.state(GUID)
    assert state.presence is Presence.STOPPED
    assert "CM_PROB 0x38" in state.why


def test_absent(windows: FakeIphlpapi, devices: WindowsDevices) -> None:
    """A device that is registered and not there at the moment is not gone for good."""
    windows.devices[INSTANCE] = 0x0D
    state = devices.state(GUID)
    assert (state.presence, state.why) == (Presence.STOPPED, ABSENT)


@pytest.mark.parametrize("function", ["CM_Locate_DevNodeW", "CM_Get_DevNode_Status"])
def test_no_answer(windows: FakeIphlpapi, devices: WindowsDevices, function: str) -> None:
    """Where the device manager fails nothing is known, and its CONFIGRET is shown in hex."""
    windows.devices[INSTANCE] = (STARTED, 0)
    windows.fail(function, 0x33)
    state = devices.state(GUID)
    assert state.presence is Presence.UNKNOWN
    assert f"{function}: CONFIGRET 0x00000033" in state.why


def test_off_windows() -> None:
    """Elsewhere there is no device manager."""
    if sys.platform != "win32":
        assert windows_devices() is None


class Machine:
    """A Wintun driver over the emulated library, with Windows' own functions beside it."""

    def __init__(self, windows: FakeIphlpapi, *, located: bool = True) -> None:
        self.windows = windows
        self.library = EmulatedLibrary(Generation.TUNNEL_TYPE)
        helper = WindowsIpHelper(windows.system_calls(), (0.2, 0.1))
        devices = WindowsDevices(windows.system_calls())
        self.driver = WintunDriver(self.library, helper, devices=devices)
        self.adapter = self.driver.create_adapter("Demo", "Example", GUID)
        self.interface = windows.add()
        self.interface.luid = self.adapter.luid
        for row in self.interface.rows.values():
            row.InterfaceLuid = self.adapter.luid
        self.interface.guid = GUID
        if located:
            windows.devices[INSTANCE] = (STARTED, 0)

    def states(self) -> list[str]:
        """Return why each listed adapter is unavailable."""
        return [info.unavailable for info in self.driver.adapters()]


@pytest.mark.parametrize("shown", [False, True], ids=["hidden", "shown"])
def test_disabled_is_listed(windows: FakeIphlpapi, shown: bool) -> None:
    """Disabled, whether the IP Helper knows it or not, it is listed so and nothing is closed."""
    machine = Machine(windows)
    before = machine.driver.adapters()
    assert before[0].unavailable == ""
    windows.devices[INSTANCE] = (PROBLEM, 0x16)
    if not shown:
        windows.interfaces.remove(machine.interface)
    assert machine.states() == [DISABLED]
    assert machine.adapter.info().families == ()
    with pytest.raises(AdapterUnavailable, match="disabled"):
        machine.adapter.set_mtu(1420)
    windows.devices[INSTANCE] = (STARTED, 0)
    if not shown:
        windows.interfaces.append(machine.interface)
    assert machine.driver.adapters() == before
    assert machine.library.open_handles() == (1, 0)


def test_hidden_without_a_problem(windows: FakeIphlpapi) -> None:
    """A device that works, and whose interface is not there for the moment, is listed too."""
    machine = Machine(windows)
    machine.driver.adapters()
    windows.interfaces.remove(machine.interface)
    (why,) = machine.states()
    assert "does not show the adapter" in why


def test_gone_for_good(windows: FakeIphlpapi) -> None:
    """A device that the device manager knew and knows no more is gone."""
    machine = Machine(windows)
    machine.driver.adapters()
    windows.interfaces.remove(machine.interface)
    del windows.devices[INSTANCE]
    assert machine.driver.adapters() == []
    with pytest.raises(AdapterNotFound):
        machine.adapter.info()


def test_gone_after_a_failure_to_tell(windows: FakeIphlpapi) -> None:
    """What the device manager knew once is not forgotten because it failed in between."""
    machine = Machine(windows)
    machine.driver.adapters()
    windows.fail("CM_Locate_DevNodeW", 0x13)
    assert machine.states() == [""]
    windows.interfaces.remove(machine.interface)
    del windows.devices[INSTANCE]
    assert machine.driver.adapters() == []


def test_never_located(windows: FakeIphlpapi) -> None:
    """A device that the device manager never knew by its GUID may have another instance: kept."""
    machine = Machine(windows, located=False)
    machine.driver.adapters()
    windows.interfaces.remove(machine.interface)
    (why,) = machine.states()
    assert why


@pytest.mark.parametrize("function", ["CM_Locate_DevNodeW", "CM_Get_DevNode_Status"])
def test_a_device_manager_that_fails(windows: FakeIphlpapi, function: str) -> None:
    """Its failure is no news of a removal."""
    machine = Machine(windows)
    machine.driver.adapters()
    windows.interfaces.remove(machine.interface)
    windows.fail(function, *[0x13] * 9)
    (why,) = machine.states()
    assert "CONFIGRET 0x00000013" in why


@pytest.mark.parametrize(
    "function",
    ["ConvertInterfaceLuidToIndex", "ConvertInterfaceLuidToAlias", "GetIpInterfaceEntry"],
)
@pytest.mark.parametrize("code", [2, 0x80070002])
def test_one_reading_that_finds_nothing(windows: FakeIphlpapi, function: str, code: int) -> None:
    """An answer in the middle of a change is not taken for a removal."""
    machine = Machine(windows)
    machine.driver.adapters()
    windows.fail(function, code)
    (why,) = machine.states()
    assert why
    assert machine.states() == [""]
