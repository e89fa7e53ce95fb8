"""The Wintun driver: wintun.dll through ctypes, both API generations.

    abi          wintun.h as data: handles, callbacks, PROTOTYPES
    meanings     what an error number means in a function of wintun.dll
    releases     the published files by hash, and where to get them
    supply       which DLL there is, and whether it may be loaded
    installed    what the registry tells: older adapters, the kernel driver
    library      the lower seam (WintunLibrary), and the real library behind it
    log          the logger callback in both shapes, the lines of a failed call
    calls        Calls: a call of the library, with the log lines of its failure
    generations  where the two generations differ: abilities, and the calls of each
    names        what adapters are called by Wintun and by Windows
    readings     Readings: describe adapters, also those that the system hides now
    bursts       RingCalls: receive and send packets, with ctypes or in C
    session      WintunSession: receive, wait, interrupt, send, end
    adapter      WintunAdapter: a handle's life, and the settings of its adapter
    driver       WintunDriver: create, open, list, delete

Everything from `calls` on also runs over `drivers.emulated`. Importing loads nothing.

It works as a library too, with the standard library alone: see `open_wintun`.
"""

from wintun_api.drivers.wintun.abi import PROTOTYPES, Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.driver import WintunDriver, open_wintun
from wintun_api.drivers.wintun.session import WintunSession

__all__ = [
    "PROTOTYPES",
    "Generation",
    "WintunAdapter",
    "WintunDriver",
    "WintunSession",
    "open_wintun",
]
