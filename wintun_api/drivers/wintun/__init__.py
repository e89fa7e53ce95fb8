"""The Wintun driver: wintun.dll through ctypes, both API generations.

    abi         wintun.h as data: handles, callbacks, PROTOTYPES
    meanings    what an error number means in a function of wintun.dll
    releases    the published files by hash, and where to get them
    supply      which DLL there is, and whether it may be loaded
    installed   what the registry tells: older adapters, the kernel driver
    library     the lower seam (WintunLibrary), and the real library behind it
    log         the logger callback in both shapes, the lines of a failed call
    driver      WintunDriver: create, open, list, delete; where the generations differ
    adapter     WintunAdapter: a handle's life, name, addresses, MTU
    session     WintunSession: receive, wait, interrupt, send, end

Everything from `driver` on also runs over `drivers.emulated`. Importing loads nothing.
"""
