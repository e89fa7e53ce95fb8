"""Create the emulated driver: `WintunDriver` with `EmulatedLibrary`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wintun_api.drivers.emulated.devices import EmulatedDevices
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver


def open_emulated(
    generation: Generation | str = Generation.POOL,
    *,
    state: Path | None = None,
    traffic: float = 0.0,
    pools: Iterable[str] = (),
) -> WintunDriver:
    """Return a driver on a new machine.

    Args:
        generation: The generation of the library: "pool" or "tunnel-type".
        state: A file that keeps the machine's persistent adapters; without it they are not kept.
        traffic: Packets per second that the host sends on every session.
        pools: Pools to look into in addition to those that are used.

    Raises:
        InvalidArgument: The state file is not one of the emulated driver's.
    """
    machine = Machine(state)
    library = EmulatedLibrary(Generation(generation), machine, rate=traffic)
    kept = {device.pool for device in machine.wintun_devices() if device.pool is not None}
    return emulated_driver(library, pools=(*pools, *kept))


def emulated_driver(library: EmulatedLibrary, *, pools: tuple[str, ...] = ()) -> WintunDriver:
    """Return a driver with this library; tests keep the library for its controls."""
    helper = EmulatedIpHelper(library.machine, library.run_fault)
    devices = EmulatedDevices(library.machine)
    return WintunDriver(
        library, helper, devices=devices, name="emulated", lasting=False, pools=pools
    )
