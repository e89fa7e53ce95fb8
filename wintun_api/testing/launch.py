"""Become the service, with a listening socket in the place where it expects one.

It runs as a program in the namespaces that the service is to have, with the arguments LOOPBACK
PLACE DESCRIPTOR COMMAND..., and imports nothing that takes time. The process stays the same, so its
id is that of the service (sd_listen_fds(3): LISTEN_PID).
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Set the loopback device up if that is wanted, pass the socket on, and run the command."""
    loopback, place, descriptor, *command = sys.argv[1:]
    if loopback == "up":
        set_loopback_up()
    if descriptor == place:
        os.set_inheritable(int(place), True)
    else:
        os.dup2(int(descriptor), int(place))
        os.close(int(descriptor))
    os.environ["LISTEN_PID"], os.environ["LISTEN_FDS"] = str(os.getpid()), "1"
    os.execv(command[0], command)  # noqa: S606 - the service, without a shell


def set_loopback_up() -> None:
    """Set up the device `lo` of this network namespace: a host reaches itself through it."""
    if sys.platform == "linux":
        import fcntl
        import socket
        import struct

        get_flags, set_flags, up = 0x8913, 0x8914, 0x1  # sockios.h: SIOC[GS]IFFLAGS; if.h: IFF_UP
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            answer = fcntl.ioctl(control, get_flags, struct.pack("16sh14x", b"lo", 0))
            (flags,) = struct.unpack_from("h", answer, 16)
            fcntl.ioctl(control, set_flags, struct.pack("16sh14x", b"lo", flags | up))


if __name__ == "__main__":
    main()
