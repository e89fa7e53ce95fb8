"""What tests on the kernel need: the right to, and a network namespace of their own."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.needs import need
from tests.posix import ioctl
from wintun_api.drivers.linux import availability

CLONE_NEWNET = 0x40000000  # sched.h
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # sockios.h, if.h


def why_not() -> str | None:
    """Return why the kernel cannot be used here, None when it can."""
    unavailable = availability.unavailable_reason()
    if unavailable is not None:
        return unavailable.message
    try:
        with namespace():
            return None
    except OSError as error:
        return f"no network namespace can be made: {error.strerror}"


@contextmanager
def namespace() -> Iterator[None]:
    """Run this thread in a new network namespace; its devices vanish with it."""
    with Path("/proc/thread-self/ns/net").open() as before:
        _checked("unshare", CLONE_NEWNET)
        try:
            set_up("lo")
            yield
        finally:
            _checked("setns", before.fileno(), CLONE_NEWNET)


def keep_quiet() -> None:
    """Let devices that are made in the namespace of this thread send nothing by themselves.

    What the kernel sends on its own is of IPv6: router solicitations and multicast reports.
    """
    for which in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6").write_text("1")


@contextmanager
def namespace_of(process: int) -> Iterator[None]:
    """Run this thread in the network namespace of a process."""
    with Path(f"/proc/{process}/ns/net").open() as theirs, inside(theirs.fileno()):
        yield


@contextmanager
def inside(descriptor: int) -> Iterator[None]:
    """Run this thread in the network namespace that a descriptor is of."""
    with Path("/proc/thread-self/ns/net").open() as before:
        _checked("setns", descriptor, CLONE_NEWNET)
        try:
            yield
        finally:
            _checked("setns", before.fileno(), CLONE_NEWNET)


def set_up(device: str) -> None:
    """Set a device of this thread's namespace up; other programs are not needed for that."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", device.encode(), 0)
        (flags,) = struct.unpack_from("h", ioctl(control, SIOCGIFFLAGS, request), 16)
        ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", device.encode(), flags | IFF_UP))


def ip(*arguments: str) -> str:
    """Run the ip command in the namespace of this thread and return what it prints."""
    need("ip")
    # The child must fork from this thread: namespaces belong to threads.
    return subprocess.run(
        ["ip", *arguments], check=True, capture_output=True, text=True, errors="replace", timeout=60
    ).stdout


def ip_batch(commands: str) -> None:
    """Run many commands of ip in the namespace of this thread."""
    need("ip")
    subprocess.run(["ip", "-batch", "-"], check=True, input=commands, text=True, timeout=60)


def move(device: str, namespace: int) -> None:
    """Move a device of this thread's namespace into the one that a descriptor is of."""
    need("ip")
    subprocess.run(
        ["ip", "link", "set", device, "netns", f"/proc/self/fd/{namespace}"],
        check=True,
        pass_fds=[namespace],
        timeout=60,
    )


def host_sends(destination: str, payload: bytes) -> None:
    """Let the host send a UDP datagram."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender, suppress(BlockingIOError):
        sender.setblocking(False)
        sender.sendto(payload, (destination, 9))


def _checked(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), function)


_reason = why_not()

# For modules that need a TUN device and root.
needs_kernel = [
    pytest.mark.kernel,
    pytest.mark.skipif(_reason is not None, reason=f"no kernel TUN device: {_reason}"),
]
