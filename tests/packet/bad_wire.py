"""Two hosts on one bad wire, which loses, delays, doubles, reorders and records packets."""

from __future__ import annotations

import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from tests.drivers.linux.kernel import inside, ip, namespace
from tests.posix import ioctl, set_nonblocking

TUNSETIFF = 0x400454CA  # if_tun.h
IFF_TUN, IFF_NO_PI = 0x1, 0x1000
HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 101)  # nanoseconds, raw IP
FIRST, SECOND = "10.66.0.1", "10.66.0.2"
FIRST_SIX, SECOND_SIX = "fd66::1", "fd66::2"


@dataclass(frozen=True)
class Faults:
    """What the wire does to packets; times are seconds, the rest are shares of all packets."""

    loss: float = 0
    doubled: float = 0
    delay: float = 0
    jitter: float = 0
    overtaking: float = 0
    mtu: int = 1500


class BadWire:
    """Two hosts, each in a network namespace of its own, and the wire between their devices.

    Attributes:
        faults: What the wire does.
        record: A pcap file of raw IP packets, closed at the end.
        place: Where packets are recorded: before the wire's faults, or behind them.
    """

    def __init__(
        self, record: Path, faults: Faults, place: Literal["before", "behind"] = "behind"
    ) -> None:
        self.record = record
        self.faults = faults
        self.place = place
        self._stack = ExitStack()
        self._hosts: list[int] = []
        self._devices: list[int] = []
        self._stop, self._stopped = os.pipe()
        self._chance = random.Random(66)  # the same faults in every run

    def __enter__(self) -> Self:
        with self._stack:
            self._stack.callback(os.close, self._stop)
            for name, addresses in (
                ("first", (FIRST, FIRST_SIX)),
                ("second", (SECOND, SECOND_SIX)),
            ):
                self._add_host(name, addresses)
            thread = threading.Thread(target=self._carry)
            thread.start()
            self._stack.callback(thread.join)
            self._stack.callback(os.close, self._stopped)
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def run(self, host: Literal[0, 1], act: Callable[[], object]) -> None:
        """Run a function on a host, in this thread; threads that it starts are there too."""
        with inside(self._hosts[host]):
            act()

    def _add_host(self, name: str, addresses: tuple[str, str]) -> None:
        with namespace():
            here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            self._hosts.append(here)
            self._stack.callback(os.close, here)
            device = os.open("/dev/net/tun", os.O_RDWR)
            set_nonblocking(device)
            self._devices.append(device)
            self._stack.callback(os.close, device)
            ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
            ip("link", "set", name, "mtu", str(self.faults.mtu), "txqueuelen", "2000", "up")
            for address in addresses:
                six = ":" in address
                more = ["nodad"] if six else []
                ip("addr", "add", f"{address}/{64 if six else 24}", "dev", name, *more)

    def _carry(self) -> None:
        waiting: list[tuple[float, int, int, bytes]] = []
        number = 0
        with self.record.open("wb") as file:
            file.write(HEADER)
            while True:
                now = time.monotonic()
                while waiting and waiting[0][0] <= now:
                    _, _, to, packet = heapq.heappop(waiting)
                    if self.place == "behind":
                        keep(file.write, packet)
                    deliver(to, packet)
                patience = max(0.0, waiting[0][0] - now) if waiting else None
                ready, _, _ = select.select([*self._devices, self._stop], [], [], patience)
                if self._stop in ready:
                    return
                for device in ready:
                    other = self._devices[1 - self._devices.index(device)]
                    for packet in burst(device):
                        if self.place == "before":
                            keep(file.write, packet)
                        for due in self._fates():
                            number += 1
                            heapq.heappush(waiting, (due, number, other, packet))

    def _fates(self) -> list[float]:
        """Return when a packet arrives: once, twice or never."""
        faults, chance = self.faults, self._chance
        times = []
        for _ in range(2 if chance.random() < faults.doubled else 1):
            if chance.random() < faults.loss:
                continue
            quick = chance.random() < faults.overtaking
            delay = 0.0 if quick else faults.delay + chance.random() * faults.jitter
            times.append(time.monotonic() + delay)
        return times


def burst(device: int) -> list[bytes]:
    """Return what is there to be read, up to a bound."""
    packets = []
    for _ in range(64):
        try:
            packets.append(os.read(device, 65535))
        except BlockingIOError:
            break
    return packets


def deliver(device: int, packet: bytes) -> None:
    """Hand a packet to a host, which may have no room for it."""
    try:
        os.write(device, packet)
    except OSError:
        return


def keep(write: Callable[[bytes], object], packet: bytes) -> None:
    """Record a packet with this moment."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    size = len(packet)
    write(struct.pack("<4I", seconds, nanoseconds, size, size) + packet)


def ping(address: str) -> None:
    """Ping an address a few times; what is lost on the way is no fault."""
    command = ["ping", "-q", "-c", "6", "-i", "0.02", "-W", "1", address]
    subprocess.run(command, capture_output=True, check=False, timeout=30)
