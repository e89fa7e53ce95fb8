"""Name the numbers on which a client and the service must agree.

Sources: wintun.h (capacities, pool and packet size), ipexport.h (MAX_ADAPTER_NAME). The models of
`schemas` refuse what is beyond these numbers, and `drivers/limits` checks what a model cannot.
"""

from __future__ import annotations

MAX_POOL = 256  # UTF-16 units with the terminating zero
MAX_ADAPTER_NAME = 128  # UTF-16 units with the terminating zero
MIN_RING_CAPACITY = 0x20000  # 128 KiB
MAX_RING_CAPACITY = 0x4000000  # 64 MiB
DEFAULT_RING_CAPACITY = 0x400000  # 4 MiB
MAX_PACKET = 0xFFFF  # wintun.h: WINTUN_MAX_IP_PACKET_SIZE
MIN_MTU = 576  # RFC 791: every host accepts 576 bytes
MAX_MTU = MAX_PACKET
MAX_METRIC = 0x7FFFFFFF  # what netsh accepts, and far below the values that mean "none"

DEFAULT_LIMIT_PACKETS = 1000  # that an impairment delays at a time, as tc-netem

MAX_GRACE = 3600  # seconds that clients may have to come back

MAX_ADDRESSES = 64  # of one adapter
MAX_ROUTES = 16384  # into one adapter; the prefixes of a country are some ten thousand
MAX_OTHER_ROUTES = 256  # of other programs are listed of an adapter; more are only counted
# Bytes of a request with settings: the most routes, each as long as one can be.
MAX_SETTINGS = 4 * 1024 * 1024

MAX_FILTER = 4096  # characters of a filter
MAX_RECORDER_SECONDS = 86400
MIN_RECORDER_BYTES = 65536
MAX_RECORDER_BYTES = 2**32
MAX_CAPTURE_NAME = 64  # characters of a named capture's name
MAX_CAPTURE_ADAPTERS = 256  # that one capture names
MAX_CAPTURES = 64  # in the list of named captures
MAX_NETWORK_NAME = 32  # characters of the name of a network of many hosts
MAX_INVENTORY = 1024 * 1024  # bytes of a report about such a network
MAX_COUNT = 2**53 - 1  # of packets, or bytes: a number that every JSON reader takes exactly
MAX_CAPTURE_SECONDS = 10_000_000  # of a capture, a file, or the time after a trigger
MIN_CAPTURE_BYTES = 4096  # of a file, or of all of them
MIN_ROTATE_SECONDS = 1
MAX_CAPTURE_FILES = 2000  # of one named capture; a day has 1440 minutes

# The first descriptor that is passed to a service which is started by its socket (sd-daemon.h:
# SD_LISTEN_FDS_START).
FIRST_PASSED = 3
