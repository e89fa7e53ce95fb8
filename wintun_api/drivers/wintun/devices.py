"""What the system's device manager says of an adapter's device: that it is there, though disabled.

The IP Helper does not know an adapter that is disabled, or whose driver is being replaced. Whether
its device is gone for good is known by the device manager alone (cfgmgr32.h). An adapter of 0.14 is
the software device whose instance is its GUID; those of 0.9 to 0.13 are found by Wintun itself.
"""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from wintun_api.drivers.wintun.abi import DWORD
from wintun_api.drivers.wintun.iphlpapi import CFGMGR32
from wintun_api.drivers.wintun.system_calls import SystemCalls, find_in_system
from wintun_api.errors import DriverError

# cfgmgr32.h, cfg.h
CM_LOCATE_DEVNODE_PHANTOM = 1  # also one that is registered and not there now
CR_SUCCESS = 0
CR_NO_SUCH_DEVNODE = 0x0D
DN_HAS_PROBLEM = 0x400
CM_PROB_DISABLED = 0x16

DISABLED: Final = "The adapter is disabled, as adapters are while their driver is replaced."
ABSENT: Final = "The adapter's device is registered, but it is not there at the moment."


class Presence(Enum):
    """What became of a device."""

    WORKING = "working"
    STOPPED = "stopped"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviceState:
    """The device as the system has it now; `why` is a sentence where it does not work."""

    presence: Presence
    why: str = ""


class Devices(Protocol):
    """The device manager. Calls are short, keep nothing, and may come from any thread."""

    def state(self, guid: UUID) -> DeviceState:
        """Return the state of the device of an adapter of 0.14.

        `GONE` means that no device has this GUID as its instance, and so is to be believed only of
        a device that was found by it before.
        """


class WindowsDevices:
    """The device manager of this Windows (cfgmgr32.dll)."""

    def __init__(self, calls: SystemCalls) -> None:
        self._calls = calls

    def state(self, guid: UUID) -> DeviceState:
        """Ask for the devnode, and then for its problem."""
        node, status, problem = DWORD(), DWORD(), DWORD()
        instance = f"SWD\\Wintun\\{{{guid}}}".upper()
        function = "CM_Locate_DevNodeW"
        code = self._calls.code(function, byref(node), instance, CM_LOCATE_DEVNODE_PHANTOM)
        if code == CR_NO_SUCH_DEVNODE:
            return DeviceState(Presence.GONE)
        if code == CR_SUCCESS:
            function = "CM_Get_DevNode_Status"
            code = self._calls.code(function, byref(status), byref(problem), node.value, 0)
            if code == CR_NO_SUCH_DEVNODE:
                return DeviceState(Presence.STOPPED, ABSENT)
        if code != CR_SUCCESS:
            text = "The device manager does not tell the adapter's state."
            failure = DriverError(function, code.returned, text, domain="configret")
            return DeviceState(Presence.UNKNOWN, str(failure))
        if not status.value & DN_HAS_PROBLEM:
            return DeviceState(Presence.WORKING)
        if problem.value == CM_PROB_DISABLED:
            return DeviceState(Presence.STOPPED, DISABLED)
        why = f"The adapter's device does not work (CM_PROB 0x{problem.value:02X})."
        return DeviceState(Presence.STOPPED, why)


def windows_devices() -> WindowsDevices | None:
    """Return the device manager of this Windows; None off Windows."""
    calls = SystemCalls(find_in_system)
    return WindowsDevices(calls) if calls.has(*(row.name for row in CFGMGR32)) else None
