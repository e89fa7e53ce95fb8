"""The device manager of the emulated machine."""

from __future__ import annotations

from uuid import UUID

from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.windows.devices import DISABLED, DeviceState, Presence


class EmulatedDevices:
    """Answers from a machine; the method is that of `wintun.devices.Devices`."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def state(self, guid: UUID) -> DeviceState:
        """Return whether the device works, is disabled or is gone."""
        with self._machine.lock:
            try:
                device = self._machine.device(guid)
            except KeyError:
                return DeviceState(Presence.GONE)
            if device.enabled:
                return DeviceState(Presence.WORKING)
            return DeviceState(Presence.STOPPED, DISABLED)
