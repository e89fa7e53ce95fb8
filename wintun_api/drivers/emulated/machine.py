"""Emulate the computer: its network devices, their names and GUIDs, the driver.

A machine outlives a program. Two libraries on one machine are two programs; a new library on an
existing machine is a service that was restarted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from threading import RLock
from uuid import UUID, uuid4

from wintun_api.drivers.base import IPAddress, IPInterface, Route
from wintun_api.drivers.emulated.events import Events
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.link import Counters, Link
from wintun_api.drivers.emulated.network import Host
from wintun_api.drivers.emulated.state import DeviceState, StateFile
from wintun_api.drivers.windows.win32 import ERROR_ALREADY_EXISTS, ERROR_DUP_NAME
from wintun_api.limits import MAX_ADAPTER_NAME
from wintun_api.packet import build

IF_TYPE_PROP_VIRTUAL = 53
DEFAULT_MTU = 65535  # Windows' default for a Wintun adapter
_RENAMES = 1000
# What a change that cannot be written is undone in.
RESTORED = (
    *("name", "wintun_name", "mtu", "addresses", "metric", "routes", "dns", "dns_search"),
    *("removed", "enabled"),
)
# Settings of a device that the IP Helper's notifications report.
TOLD = frozenset(
    (
        *("name", "mtu", "addresses", "metric", "routes", "dns", "dns_search"),
        *("removed", "enabled", "link"),
    )
)


def _numbered(name: str, number: int) -> str:
    """Return the name with a number appended, shortened to the limit."""
    suffix = f" {number}"
    room = 2 * (MAX_ADAPTER_NAME - 1 - len(suffix))
    return name.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + suffix


def luid_of(index: int) -> int:
    """Return the NET_LUID of a NetLuidIndex: index in bits 24..47, type in bits 48..63."""
    return IF_TYPE_PROP_VIRTUAL << 48 | index << 24


@dataclass(eq=False, kw_only=True)
class Device:
    """Emulate a network device.

    Attributes:
        name: The alias.
        wintun_name: The name that Wintun stored at creation; the alias may differ from it later.
        pool: The pool; None if it is not a Wintun device.
        enabled: False while it is disabled: it exists, but no function of Windows reaches it.
        changed: Called after a change of a setting.
    """

    guid: UUID
    name: str
    wintun_name: str
    pool: str | None
    luid: int
    index: int
    persistent: bool
    mtu: int = DEFAULT_MTU
    addresses: tuple[IPInterface, ...] = ()
    metric: int | None = None
    routes: tuple[Route, ...] = ()
    dns: tuple[IPAddress, ...] = ()
    dns_search: tuple[str, ...] = ()
    enabled: bool = True
    removed: bool = False
    remove_with_session: bool = False
    counters: Counters = field(default_factory=Counters)
    host: Host = field(default_factory=Host)
    link: Link | None = None
    changed: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self.host.mtu = self.mtu

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, and notify watchers if the IP Helper would do so."""
        object.__setattr__(self, name, value)
        if name == "mtu" and "host" in self.__dict__:
            self.host.mtu = self.mtu
        if name in TOLD and self.changed is not None:
            self.changed()

    def set_addresses(self, addresses: Sequence[IPInterface]) -> None:
        """Make exactly these the addresses."""
        self.addresses = tuple(addresses)
        self.host.set_addresses(addresses)

    def disable(self) -> None:
        """Stop it: its session ends (38), and settings that Windows does not keep are lost."""
        self.enabled = False
        self.end_link()
        self.set_addresses(())
        self.routes, self.mtu, self.metric = (), DEFAULT_MTU, None

    def end_link(self) -> None:
        """End its session, if there is one."""
        if self.link is not None:
            self.link.terminate()
            self.link = None

    def deliver(self, packet: bytes) -> bool:
        """Send a packet from the host; it is lost without a session."""
        if self.link is None:
            self.counters.received_dropped += 1
            return False
        return self.link.deliver(packet)


class Machine:
    """Emulate devices and the kernel driver. Methods acquire the lock themselves.

    Attributes:
        lock: Held by every call into the emulated system.
        driver_version: (major, minor) in the driver store; None before the first adapter.
        reboot_required: The value that management calls report.
        loose_open: Accept "Net 10" as "Net", as 0.9 to 0.12 do.
        watchers: Called after every change of a device, as the IP Helper's notifications are.
    """

    def __init__(self, state: Path | None = None) -> None:
        self.lock = RLock()
        self.events = Events(self.lock)
        self.driver_version: tuple[int, int] | None = None
        self.reboot_required = False
        self.loose_open = False
        self.watchers: list[Callable[[], None]] = []
        self._devices: list[Device] = []
        self._indexes = itertools.count(1)
        self._state = None if state is None else StateFile(state)
        if self._state is not None:
            for known in self._state.load():
                device = self._add(known.name, known.pool, known.guid, persistent=True)
                device.mtu, device.metric = known.mtu, known.metric
                device.set_addresses(known.addresses)
                device.routes, device.dns = known.routes, known.dns
                device.dns_search = known.dns_search
                self.driver_version = (0, 13)

    @property
    def running_version(self) -> tuple[int, int] | None:
        """The loaded driver's version: it is loaded while a Wintun device is enabled."""
        loaded = any(device.enabled for device in self.wintun_devices())
        return self.driver_version if loaded else None

    def wintun_devices(self, pool: str | None = None) -> Iterator[Device]:
        """Iterate over Wintun's devices, of one pool or of all."""
        for device in list(self._devices):
            if device.pool is not None and pool in (None, device.pool):
                yield device

    def named(self, name: str) -> Device | None:
        """Return the device with this alias, ignoring case."""
        return next((one for one in self._devices if one.name.lower() == name.lower()), None)

    def by_luid(self, luid: int) -> Device | None:
        """Return the device with this LUID."""
        return next((one for one in self._devices if one.luid == luid), None)

    def device(self, name_or_guid: str | UUID) -> Device:
        """Return the device with this alias or GUID.

        Raises:
            KeyError: There is none.
        """
        for device in self._devices:
            if name_or_guid in (device.guid, device.name):
                return device
        raise KeyError(name_or_guid)

    def add_interface(self, name: str) -> Device:
        """Add a network device that is not Wintun's, such as "Ethernet"."""
        with self.lock:
            return self._add(name, None, None, persistent=False)

    def create(self, name: str, pool: str, guid: UUID | None, *, persistent: bool) -> Device:
        """Create a Wintun device; any device that already has the name is renamed.

        Raises:
            CallFailed: The GUID is in use (183), or the disk refused it.
        """
        with self.lock:
            if any(device.guid == guid for device in self._devices):
                raise CallFailed(ERROR_ALREADY_EXISTS, f"The GUID {guid} is in use")
            with self.change():
                self._evict(name, None)
                return self._add(name, pool, guid, persistent=persistent)

    def rename(self, device: Device, name: str) -> None:
        """Give the device this name; a device that already has it is renamed.

        Raises:
            CallFailed: The disk refused it.
        """
        with self.change():
            self._evict(name, device)
            device.name = device.wintun_name = name

    def set_alias(self, device: Device, alias: str) -> None:
        """Give the device this alias, as Windows does; the name that Wintun stored stays.

        Raises:
            CallFailed: Another one has it (52), or the disk refused it.
        """
        with self.change():
            if self.named(alias) not in (None, device):
                raise CallFailed(ERROR_DUP_NAME, f"The name {alias!r} is in use")
            device.name = alias

    def remove(self, *names_or_guids: Device | str | UUID) -> None:
        """Remove devices, as an administrator or the system may at any time: all or none.

        Raises:
            CallFailed: The disk refused it.
        """
        with self.lock:
            devices = [
                device
                for one in names_or_guids
                if not (device := one if isinstance(one, Device) else self.device(one)).removed
            ]
            with self.change():
                for device in devices:
                    self._devices.remove(device)
                    device.removed = True
            for device in devices:
                device.end_link()

    def disable(self, name_or_guid: str | UUID) -> None:
        """Disable a device, as an administrator does in the Device Manager."""
        with self.lock:
            self.device(name_or_guid).disable()

    def enable(self, name_or_guid: str | UUID) -> None:
        """Enable a device again; its addresses and routes are gone."""
        with self.lock:
            self.device(name_or_guid).enabled = True

    def replace_driver(self, version: tuple[int, int]) -> None:
        """Replace the kernel driver, as another program with a newer one does.

        Every Wintun device is disabled and enabled again, so every session ends (38).
        """
        with self.lock:
            devices = [device for device in self.wintun_devices() if device.enabled]
            for device in devices:
                device.disable()
            self.driver_version = version
            for device in devices:
                device.enabled = True

    def host_sends(
        self, name_or_guid: str | UUID, destination: str, payload: bytes = b"", port: int = 9
    ) -> bool:
        """Let the host send a UDP datagram into the adapter; return False if it was lost.

        Raises:
            ValueError: The destination is not in one of its subnets, and no route leads there.
        """
        with self.lock:
            device = self.device(name_or_guid)
            to = ip_address(destination)
            routed = any(to in route.destination for route in device.routes)
            for source in device.addresses:
                if to in source.network or (routed and to.version == source.version):
                    packet = build.udp(source.ip, to, 49152, port, payload)
                    return device.deliver(packet)
            raise ValueError(f"{device.name} has no route to {destination}.")

    @contextmanager
    def change(self) -> Iterator[None]:
        """Change devices in this context; at the end all changes are written or undone.

        Raises:
            CallFailed: They could not be written, so nothing has changed.
        """
        with self.lock:
            devices = list(self._devices)
            before = [[getattr(device, name) for name in RESTORED] for device in devices]
            try:
                yield
                self._save()
            except BaseException:
                self._devices[:] = devices
                for device, values in zip(devices, before, strict=True):
                    for name, value in zip(RESTORED, values, strict=True):
                        setattr(device, name, value)
                    device.host.set_addresses(device.addresses)
                raise

    def _save(self) -> None:
        if self._state is not None:
            kept = [device for device in self.wintun_devices() if device.persistent]
            self._state.save(
                [
                    DeviceState(
                        guid=one.guid,
                        name=one.name,
                        pool=one.pool or "",
                        mtu=one.mtu,
                        addresses=one.addresses,
                        metric=one.metric,
                        routes=one.routes,
                        dns=one.dns,
                        dns_search=one.dns_search,
                    )
                    for one in kept
                ]
            )

    def _tell(self) -> None:
        for watcher in list(self.watchers):
            watcher()

    def _add(self, name: str, pool: str | None, guid: UUID | None, *, persistent: bool) -> Device:
        number = next(self._indexes)
        device = Device(
            guid=guid or uuid4(),
            name=name,
            wintun_name=name,
            pool=pool,
            luid=luid_of(0x8000 + number),
            index=number + 10,
            persistent=persistent,
        )
        self._devices.append(device)
        device.changed = self._tell
        self._tell()
        return device

    def _evict(self, name: str, besides: Device | None) -> None:
        owner = self.named(name)
        if owner is None or owner is besides:
            return
        names: Iterator[str] = (_numbered(name, number) for number in range(1, _RENAMES + 1))
        new = next((one for one in names if self.named(one) is None), None)
        if new is None:
            raise CallFailed(ERROR_DUP_NAME, f"The name {name!r} cannot be freed")
        owner.name = owner.wintun_name = new
