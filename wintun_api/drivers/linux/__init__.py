"""Provide adapters on Linux: each is a persistent TUN device, managed over rtnetlink.

    driver         LinuxDriver: create, open, list, delete; `open_linux`
    adapter        LinuxAdapter: one device and its network settings
    session        LinuxSession: packets through the descriptor of an attached device
    calls          the system calls for packets, in Python
    segment_calls  the same for a device that passes super-packets
    identity       GUID, pool and name in the device's ifalias; kernel names
    marks          alternative names of a device that identify the adapter
    memory         remember which devices are adapters, even if they are renamed
    addresses      change a device's addresses to the wanted ones
    routes         change our routes to the wanted ones
    own_routes     cache our routes until the kernel reports a change
    other_routes   the same for the routes of other programs
    refusals       explain why the kernel refused an address or a route
    transaction    make many changes, all or none
    headers        numbers and structures of the kernel's headers that several modules use
    netlink        send requests as bytes, many in one system call
    address_messages, route_messages  addresses and routes as those bytes
    socket_filter  programs that select what a netlink socket receives
    resolver       DNS settings in systemd-resolved
    files_watch    detect changed files with inotify
    timer_descriptor  tell an event loop an exact time with timerfd
    tun            the calls of /dev/net/tun
    rtnetlink      links as values, through pyroute2
    counters       the kernel's counters of a link
    queue_losses   packets that vanished from a device's queue, which the kernel does not count
    tracker        the counters of a session's device, until the device is removed
    changes        detect whether anything has changed since it was read
    availability   why the driver cannot work here, as a value
    heap           how much memory glibc keeps between bursts
    capability     CAP_NET_ADMIN, put into effect if it is permitted
    failure        convert errno to the exceptions of the package
    log            the lines of the driver's log

In Wintun's words: an adapter is a persistent device, so it outlives this process, but not a restart
of the machine. Its carrier is up while a session is attached. The ring capacity becomes the length
of the device's transmit queue. All modules can be imported on every platform.
"""
