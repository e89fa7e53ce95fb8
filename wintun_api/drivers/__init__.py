"""Provide adapters through one interface (`base`) with three implementations.

    base           the protocols Driver, Adapter, Session and their values
    limits         the limits in wintun.h, and the checks that the DLL does not make
    network_check  routes and addresses that no system would take
    timer          tell an event loop an exact time, by the means of the system
    difference     make a set of things so: apply the difference, or take it back
    windows/       what is Windows' and not Wintun's: foreign functions, files, the IP Helper
    wintun/        wintun.dll through ctypes, both generations
    emulated/      the same ctypes code with an emulated library and a peer that answers
    linux/         /dev/net/tun and rtnetlink

A driver's module is imported when it is opened, so that no platform needs modules of another one.
Each driver also works by itself, as a library: `wintun` and `emulated` need the standard library
alone, `linux` needs pyroute2 too. `open_driver` is what turns the service's settings into theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from wintun_api.drivers.base import Driver

if TYPE_CHECKING:  # the drivers themselves need no settings, so they work without pydantic
    from wintun_api.settings import Settings


def _open_wintun(settings: Settings) -> Driver:
    from wintun_api.drivers.wintun.driver import open_wintun

    return open_wintun(
        settings.wintun_dll,
        data_dir=settings.data_dir,
        allow_unverified=settings.allow_unverified_dll,
        pools=settings.pools,
        native=settings.native,
    )


def _open_linux(settings: Settings) -> Driver:
    from wintun_api.drivers.linux.driver import open_linux

    return open_linux(settings.native, settings.offload)


def _open_emulated(settings: Settings) -> Driver:
    from wintun_api.drivers.emulated.driver import open_emulated

    return open_emulated(
        settings.generation,
        state=settings.emulated_state,
        traffic=settings.traffic,
        pools=settings.pools,
    )


DRIVERS: dict[str, Callable[[Settings], Driver]] = {
    "wintun": _open_wintun,
    "linux": _open_linux,
    "emulated": _open_emulated,
}


def open_driver(name: str, settings: Settings) -> Driver:
    """Return the driver with this name; a driver that cannot work here says so when asked.

    Raises:
        KeyError: There is no driver with this name.
    """
    return DRIVERS[name](settings)
