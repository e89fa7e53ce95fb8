"""Provide adapters with wintun.dll through ctypes, in both API generations.

    abi         wintun.h as data: types, structures, PROTOTYPES
    win32       error numbers and what they mean, the event calls
    binding     create functions from prototypes
    image       read a DLL file without loading it
    releases    the published files by hash, and where to get them
    signature   Authenticode: whether Windows trusts a file, and who signed it
    held        keep a file from changing while it is checked and loaded
    supply      find the DLL, and decide whether it may be loaded
    acl         who may open a file on Windows
    installed   read the registry: older adapters, the kernel driver
    library     the interface to a library (WintunLibrary), and the real library
    ip_helper   the interface to the system's IP Helper, by LUID
    windows_ip  the real IP Helper: identity, and what the next four do
    interface_rows  address_rows  route_rows  dns_settings   parts of netioapi.h
    iphlpapi    netioapi.h as data: structures and prototypes
    devices        ask the device manager whether a device is disabled or gone
    system_calls   call functions that return their error number and may be missing
    log         the logger callback of both generations, the lines of a failed call
    driver      WintunDriver: create, open, list, delete; where the generations differ
    adapter     WintunAdapter: a handle's life, name, addresses, MTU
    session     WintunSession: receive, wait, interrupt, send, end

Everything from `driver` on also runs with `drivers.emulated`. Importing loads nothing.
"""
