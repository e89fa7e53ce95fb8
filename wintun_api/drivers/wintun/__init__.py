"""The Wintun driver: wintun.dll through ctypes, both API generations.

    abi         wintun.h as data: types, structures, PROTOTYPES
    win32       error numbers and what they mean, the event calls
    image       what a DLL file tells without being loaded
    library     the lower seam (WintunLibrary), and the real library behind it
    ip_helper   what is needed of the system's IP Helper, by LUID
    log         the logger callback in both shapes, the lines of a failed call
    driver      WintunDriver: create, open, list, delete; where the generations differ
    adapter     WintunAdapter: a handle's life, name, addresses, MTU
    session     WintunSession: receive, wait, interrupt, send, end

Everything from `driver` on also runs over `drivers.emulated`. Importing loads nothing.
"""
