"""Create the emulated driver: `WintunDriver` with `EmulatedLibrary`."""

from __future__ import annotations

from wintun_api.drivers.emulated.devices import EmulatedDevices
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.settings import Settings


def open_emulated(settings: Settings) -> WintunDriver:
    """Return a driver on a new machine.

    Raises:
        InvalidArgument: The state file is not one of the emulated driver's.
    """
    machine = Machine(settings.emulated_state)
    library = EmulatedLibrary(Generation(settings.generation), machine, rate=settings.traffic)
    kept = {device.pool for device in machine.wintun_devices() if device.pool is not None}
    return emulated_driver(library, pools=(*settings.pools, *kept))


def emulated_driver(library: EmulatedLibrary, *, pools: tuple[str, ...] = ()) -> WintunDriver:
    """Return a driver with this library; tests keep the library for its controls."""
    helper = EmulatedIpHelper(library.machine, library.run_fault)
    devices = EmulatedDevices(library.machine)
    return WintunDriver(library, helper, devices=devices, name="emulated", pools=pools)
