"""Adapters on the Linux kernel: a persistent TUN device each, managed over rtnetlink.

    driver         LinuxDriver: create, open, list, delete; `open_linux`
    adapter        LinuxAdapter: one device and its network settings
    session        LinuxSession: packets through the descriptor of an attached device
    calls          the system calls of a packet, in Python
    native         the same for many packets at a time, in C where burst.c was built
    identity       GUID, pool and name as the device's ifalias; kernel names
    marks          alternative names of a device, which say which adapter it is
    memory         which devices are adapters, whatever becomes of their names
    addresses      from the addresses a device has to those it shall have
    routes         from the routes of ours to those that shall be there
    own_routes     our routes as the kernel has them, kept until it tells of a change
    refusals       why the kernel refused an address or a route, and whose is in the way
    transaction    many changes, all or none
    netlink        requests as bytes, many in a system call
    address_messages, route_messages  addresses and routes as those bytes
    socket_filter  programs that choose what a netlink socket gets
    resolver       DNS settings, where systemd-resolved keeps them
    files_watch    whether files have changed, by inotify
    tun            the calls of /dev/net/tun
    rtnetlink      links as values, through pyroute2
    counters       what the kernel has counted on a link
    tracker        the counters of a session's device, wherever it is, up to its last
    changes        whether anything has changed since it was read
    availability   why the driver cannot work here, as a value
    heap           what glibc keeps between bursts
    capability     the right to do it, put into effect where it is permitted
    failure        from errno to the exceptions of the package
    log            the lines a driver's log shows

Wintun's words on Linux: an adapter is a persistent device, so it outlives this process, though not
the machine's next start. Its carrier is up while a session is attached. The ring capacity becomes
the length of the device's transmit queue. All modules import on every platform.
"""
