"""What is Windows' own, and not Wintun's: foreign functions, files and the IP Helper.

    foreign      types of foreign functions, and prototypes as data
    win32        error numbers, and how a returned one is read
    failures     the exception for an error number
    binding      functions made of prototypes
    events       events, and waiting for several of them
    clock_tick   wake threads every millisecond instead of every 15.6
    elevation    whether this process runs as Administrator
    acl          who may open a file
    held         a file that cannot change while it is checked and loaded
    image        what a DLL file tells without being loaded
    signature    Authenticode: whether Windows trusts a file, and who signed it
    ip_helper    what drivers need of the IP Helper, by LUID: the protocol
    system_ip_helper   the real one: identity of interfaces, and what the next five do
    interface_rows, address_rows, route_rows, dns_settings, notifications
    iphlpapi     netioapi.h as data: structures and prototypes
    devices      what the device manager says: disabled, or gone
    system_calls   functions that return their error number, and may be missing

Importing loads nothing, on any system.
"""
