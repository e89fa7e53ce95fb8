"""The Wintun driver: wintun.dll through ctypes, both API generations.

    abi         wintun.h as data: types, structures, PROTOTYPES
    win32       error numbers and what they mean, the event calls
    binding     functions made of prototypes
    image       what a DLL file tells without being loaded
    releases    the published files by hash, and where to get them
    signature   Authenticode: whether Windows trusts a file, and who signed it
    held        a file that cannot change while it is checked and loaded
    supply      which DLL there is, and whether it may be loaded
    acl         who may open a file on Windows
    installed   what the registry tells: older adapters, the kernel driver
    library     the lower seam (WintunLibrary), and the real library behind it
    ip_helper   what is needed of the system's IP Helper, by LUID
    windows_ip  the real one: identity, and what the next four do
    interface_rows  address_rows  route_rows  dns_settings   by netioapi.h, a concern each
    iphlpapi    netioapi.h as data: structures and prototypes
    devices        what the device manager says: disabled, or gone
    system_calls   functions that return their error number, and may be missing
    log         the logger callback in both shapes, the lines of a failed call
    driver      WintunDriver: create, open, list, delete; where the generations differ
    adapter     WintunAdapter: a handle's life, name, addresses, MTU
    session     WintunSession: receive, wait, interrupt, send, end

Everything from `driver` on also runs over `drivers.emulated`. Importing loads nothing.
"""
