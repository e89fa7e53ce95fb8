"""Ask the system's device manager whether an adapter's device exists, even if it is disabled.

The IP Helper does not show an adapter that is disabled or whose driver is being replaced. Only the
device manager knows whether its device is gone for good (cfgmgr32.h). An adapter of 0.14 is the
software device whose instance is its GUID; Wintun itself finds those of 0.9 to 0.13.
"""

from __future__ import annotations

from ctypes import byref
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol
from uuid import UUID

from wintun_api.drivers.windows.foreign import DWORD
from wintun_api.drivers.windows.iphlpapi import CFGMGR32
from wintun_api.drivers.windows.system_calls import SystemCalls, find_in_system
from wintun_api.errors import DriverError

# cfgmgr32.h, cfg.h
CM_LOCATE_DEVNODE_PHANTOM = 1  # also a device that is registered but not present
CR_SUCCESS = 0
CR_NO_SUCH_DEVNODE = 0x0D
DN_HAS_PROBLEM = 0x400
CM_PROB_DISABLED = 0x16

DISABLED: Final = "The adapter is disabled, perhaps while its driver is being replaced."
ABSENT: Final = "The adapter's device is registered, but it is not present now."


class Presence(Enum):
    """Name the presence of a device."""

    WORKING = "working"
    STOPPED = "stopped"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DeviceState:
    """Describe a device; `why` is a sentence if it does not work."""

    presence: Presence
    why: str = ""


class Devices(Protocol):
    """Ask the device manager. Calls are short, have no state, and may come from any thread."""

    def state(self, guid: UUID) -> DeviceState:
        """Return the state of the device of an adapter of 0.14.

        `GONE` means that no device has this GUID as its instance. It is only reliable for a device
        that was found by its GUID before.
        """


class WindowsDevices:
    """Ask the device manager of this Windows (cfgmgr32.dll)."""

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
            text = "The device manager does not report the adapter's state."
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
