"""Numbers and structures of the kernel's headers that several modules use.

Python has some of them, but only on Linux; with these the modules can be imported anywhere.
"""

from __future__ import annotations

import struct
from pathlib import Path

AF_INET6, AF_NETLINK = 10, 16  # linux/socket.h

# linux/netlink.h
NETLINK_ROUTE = 0
SOL_NETLINK = 270
NLM_F_REQUEST, NLM_F_ACK = 0x1, 0x4
NLA_TYPE_MASK = 0x3FFF
MESSAGE = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
ATTRIBUTE = struct.Struct("=HH")  # nlattr: length, type
NUMBER = struct.Struct("=i")

# linux/rtnetlink.h
RTM_NEWLINK, RTM_DELLINK = 16, 17
RTM_NEWADDR, RTM_DELADDR = 20, 21
RTMGRP_LINK = 0x1
# RTMGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE
LINKS_ADDRESSES_ROUTES = RTMGRP_LINK | 0x10 | 0x40 | 0x100 | 0x400
LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change

IFF_UP = 0x1  # linux/if.h

OWN_NAMESPACE = Path("/proc/thread-self/ns/net")  # processes may have threads in several
