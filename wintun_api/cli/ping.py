"""The packet of the demo, as a shell can print it."""

from __future__ import annotations

from wintun_api.drivers.base import IPInterface
from wintun_api.packet.build import icmp_echo

DATA = b"wintun-api"


def echo_request(interface: IPInterface) -> bytes:
    """Return an echo request to an adapter's address from the next address of its subnet."""
    address = interface.ip
    return icmp_echo(address + 1, address, identifier=0x4321, sequence=1, data=DATA)


def printf_line(packet: bytes) -> str:
    r"""Return a command that prints the bytes in any POSIX shell: in octal, as \x is not POSIX."""
    return "printf '" + "".join(f"\\{byte:03o}" for byte in packet) + "'"
