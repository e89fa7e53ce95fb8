"""Provide adapters through one interface (`base`) with three implementations.

    base        the protocols Driver, Adapter, Session and their values
    limits      the limits in wintun.h, and the checks that the DLL does not make
    network_check   routes and addresses that no system would take
    windows/    what is Windows' and not Wintun's: foreign functions, files, the IP Helper
    wintun/     wintun.dll through ctypes, both generations
    emulated/   the same ctypes code with an emulated library and a peer that answers
    linux/      /dev/net/tun and rtnetlink

A driver's module is imported when it is opened, so that no platform needs modules of another one.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from wintun_api.drivers.base import Driver
from wintun_api.settings import Settings

DRIVERS: dict[str, str] = {
    "wintun": "wintun_api.drivers.wintun.driver:open_wintun",
    "linux": "wintun_api.drivers.linux.driver:open_linux",
    "emulated": "wintun_api.drivers.emulated.driver:open_emulated",
}


def open_driver(name: str, settings: Settings) -> Driver:
    """Return the driver with this name; a driver that cannot work here says so when asked.

    Raises:
        KeyError: There is no driver with this name.
    """
    module, _, factory = DRIVERS[name].partition(":")
    make: Callable[[Settings], Driver] = getattr(importlib.import_module(module), factory)
    return make(settings)
