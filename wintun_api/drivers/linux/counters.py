"""The counters of a device as the kernel prints them (proc_pid_net(5): /proc/net/dev).

The same numbers as IFLA_STATS64 for a TUN device, for a fiftieth of the interpreter's time, for
which packets wait.
"""

from __future__ import annotations

from pathlib import Path

from wintun_api.drivers.base import LinkCounters

# Of the calling thread: a process may have threads in several network namespaces.
DEVICES = Path("/proc/thread-self/net/dev")


def counters_of(kernel_name: str, devices: Path = DEVICES) -> LinkCounters | None:
    """Return what the kernel has counted, seen from the application; None where it is not here."""
    try:
        lines = devices.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        name, colon, rest = line.partition(":")
        if colon and name.strip() == kernel_name:
            # The kernel's TX is what it gave to the application; its RX what it took from there.
            numbers = list(map(int, rest.split()))
            return LinkCounters(
                received_packets=numbers[9],
                received_bytes=numbers[8],
                received_dropped=numbers[11],
                sent_packets=numbers[1],
                sent_bytes=numbers[0],
                sent_dropped=numbers[3],
            )
    return None
