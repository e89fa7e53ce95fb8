"""The machine under the benchmark: what it must have, devices, processes and their counters."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

from tests.drivers.linux.kernel import ip, why_not
from tests.posix import clock_ticks, page_size, user
from tests.waiting import within
from wintun_api.fleet.problems import ServerMissing
from wintun_api.fleet.server.program import find_program

MTU = 1420
PAGE, TICK = page_size(), clock_ticks()


def missing(parts: Iterable[str]) -> list[str]:
    """Say what this machine lacks, a sentence each."""
    lacks = []
    if user() != 0:
        lacks.append("It must run as root: it makes network namespaces and TUN devices.")
    elif reason := why_not():
        lacks.append(reason)
    tools = {"gcc": "gcc", "ip": "iproute2", "taskset": "util-linux"}
    if not {"tcp", "fleet"}.isdisjoint(parts):
        tools["iperf3"] = "iperf3"
    if not {"fleet", "fleet_scale"}.isdisjoint(parts):
        try:
            find_program()
        except ServerMissing as error:
            lacks.append(f"{error.detail} {error.hint}")
    if "profile" in parts:
        tools["perf"] = "linux-perf"
    lacks += [
        f"There is no {tool}; Debian has it in the package {package}."
        for tool, package in tools.items()
        if shutil.which(tool) is None
    ]
    return lacks


def description() -> dict[str, str]:
    """Return what a reader must know of the machine."""
    return {"kernel": platform.release(), "cores": str(os.cpu_count())}


def make_device(name: str, subnet: int, queue_length: int) -> None:
    """Make a persistent TUN device with the address 10.99.SUBNET.1/24."""
    ip("tuntap", "add", "dev", name, "mode", "tun")
    ip("addr", "add", f"10.99.{subnet}.1/24", "dev", name)
    ip("link", "set", name, "up", "mtu", str(MTU), "txqueuelen", str(queue_length))


def remove_device(name: str) -> None:
    """Remove a device; one that was moved has gone with its namespace."""
    with suppress(CalledProcessError):
        ip("link", "del", name)


def queue_length(device: str) -> int:
    """Return how many packets the device queues for whoever reads it."""
    return int(json.loads(ip("-j", "link", "show", "dev", device))[0]["txqlen"])


@dataclass(frozen=True, slots=True)
class DeviceCounters:
    """The kernel's counts of a device, named from the host's side as everywhere here.

    Attributes:
        to_application: Packets that the host queued and the application read.
        host_dropped: Packets of the host that found the queue full.
        from_application: Packets that the application wrote.
    """

    to_application: int
    host_dropped: int
    from_application: int


def device_counters(device: str) -> DeviceCounters:
    """Read the counts of a device in this thread's namespace."""
    for line in Path("/proc/thread-self/net/dev").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name.strip() == device:
            fields = [int(field) for field in rest.split()]
            return DeviceCounters(fields[9], fields[11], fields[1])
    raise LookupError(device)


def busy_seconds() -> float:
    """Return the CPU time that all cores have spent, or were kept from, so far (proc(5): stat)."""
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split()[1:9]
    )
    return (user + nice + system + irq + softirq + steal) / TICK


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process so far."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        # In nanoseconds; the ticks of /proc/PID/stat are too coarse for a run of a second.
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except FileNotFoundError:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


def resident_bytes(pid: int) -> int:
    """Return the memory a process holds now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def forget_peak(pid: int) -> None:
    """Let the most that a process held be counted from now on (proc(5): clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_bytes(pid: int) -> int:
    """Return the most that a process held."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resident_bytes(pid)


def wait_until(ready: Callable[[], bool], what: str, patience: float = 60) -> None:
    """Wait for something that gives no sign of its own."""
    if not within(patience, ready, 0.02):
        raise TimeoutError(f"{what}: not within {patience:.0f} s")
