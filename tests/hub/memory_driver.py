"""A driver of plain memory below the upper seam, for the suites of the hub.

It keeps adapters in a dictionary and packets in queues, and does at once what it is asked. A test
holds a call (`hold`), lets one fail (`fail`), and plays the host: it delivers packets, breaks the
ring, takes the device away. Nothing of Wintun, Linux or a network is in it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from uuid import UUID, uuid4

from wintun_api.drivers.base import (
    Adapter,
    AdapterInfo,
    Capabilities,
    IPAddress,
    IPInterface,
    LinkCounters,
    Logger,
    Route,
    Unavailable,
    Watcher,
)
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    DriverError,
    NotSupported,
    RingCorrupt,
    SessionEnded,
    SessionExists,
)
from wintun_api.packet.stamps import Stamps

HELD_TOO_LONG = 30.0  # seconds; a call that a test forgot to let go


@dataclass(slots=True)
class Gate:
    """A call that is held: `reached` once it has begun, and it returns after `open`."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def open(self) -> None:
        """Let the call, and later ones, go on."""
        self.opened.set()


class MemorySession:
    """Packets in a queue, and a send ring of `room` packets."""

    def __init__(self, device: Device, capacity: int) -> None:
        self.capacity = capacity
        self.refused: Mapping[str, int] = MappingProxyType({})
        self.truncated = 0
        self.offload = False
        self.merged = 0
        self.stamped = False
        self.stamps: Stamps | None = None
        self.room: int | None = None
        self.sent: list[bytes] = []
        self.ended = False
        self.quiesced = False
        self._device = device
        self._ring: deque[bytes | DriverError] = deque()
        self._changed = threading.Condition()
        self._interrupted = False

    # The host's side

    def deliver(self, *packets: bytes | DriverError) -> None:
        """Put packets into the receive ring; an error is raised behind those before it."""
        with self._changed:
            self._ring.extend(packets)
            self._device.received += sum(isinstance(one, bytes) for one in packets)
            self._changed.notify_all()

    def refuse(self, cause: str, count: int) -> None:
        """Let the host refuse packets that the ring has taken."""
        known = self.refused.get(cause, 0)
        self.refused = MappingProxyType({**self.refused, cause: known + count})

    # The seam

    def fileno(self) -> int | None:
        return None

    def wait_readable(self) -> bool:
        self._device.driver.run("wait_readable")
        with self._changed:
            self._changed.wait_for(lambda: self._ring or self._interrupted or self._device.gone)
            return not self._interrupted

    def interrupt(self) -> None:
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        packets: list[bytes] = []
        with self._changed:
            while self._ring and len(packets) < limit:
                head = self._ring[0]
                if isinstance(head, DriverError):
                    if not packets:
                        self._ring.popleft()
                        raise head
                    break
                packets.append(head)
                self._ring.popleft()
            if not packets and self._device.gone:
                raise SessionEnded.from_call("ReceivePacket", 38)
        if self.stamped and packets:
            self.stamps = Stamps.of([time.time_ns() for _ in packets])
        return packets

    def send_packets(self, packets: Sequence[bytes]) -> int:
        self._device.driver.run("send_packets")
        if self._device.gone:
            raise SessionEnded.from_call("SendPacket", 38)
        count = len(packets) if self.room is None else min(self.room, len(packets))
        self.sent += packets[:count]
        if self.room is not None:
            self.room -= count
        return count

    def pause(self) -> None:
        """Nothing is known of what waits."""

    def quiesce(self) -> None:
        self._device.driver.run("quiesce")
        self.quiesced = True

    def end(self) -> None:
        self._device.driver.run("end_session")
        if not self.ended:
            self.ended = True
            self._device.session = None


class Device:
    """What the system has of one adapter, whatever handles there are."""

    def __init__(self, driver: MemoryDriver, info: AdapterInfo) -> None:
        self.driver = driver
        self.info = info
        self.session: MemorySession | None = None
        self.gone = False
        self.received = 0
        self.dropped = 0

    def remove(self) -> None:
        """Take the device away, as another program does."""
        self.gone = True
        self.driver.devices.pop(self.info.guid, None)
        if self.session is not None:
            with self.session._changed:
                self.session._changed.notify_all()


class MemoryAdapter:
    """A handle of a device."""

    reboot_required = False

    def __init__(self, device: Device) -> None:
        self.device = device
        self.closed = 0

    def info(self) -> AdapterInfo:
        self.device.driver.run("read_adapter")
        self._exists()
        return self.device.info

    def end_reason(self) -> str:
        self.device.driver.run("end_reason")
        return "The adapter is gone." if self.device.gone else "The driver has ended it."

    def counters(self) -> LinkCounters:
        self.device.driver.run("counters")
        return LinkCounters(
            received_packets=self.device.received, received_dropped=self.device.dropped
        )

    def start_session(self, capacity: int, *, offload: bool | None = None) -> MemorySession:
        self.device.driver.run("start_session")
        if offload and not self.device.driver.capabilities.offload:
            raise NotSupported
        self._exists()
        if self.device.session is not None:
            raise SessionExists.from_call("StartSession", 1247)
        self.device.session = MemorySession(self.device, capacity)
        return self.device.session

    def set_name(self, name: str) -> None:
        self._set("set_name", name=name)

    def set_addresses(self, addresses: Sequence[IPInterface]) -> None:
        self._set("set_addresses", addresses=tuple(addresses))

    def set_mtu(self, mtu: int) -> None:
        self._set("set_mtu", mtu=mtu)

    def set_metric(self, metric: int | None) -> None:
        self._set("set_metric", metric=metric)

    def set_routes(self, routes: Sequence[Route]) -> None:
        self._set("set_routes", routes=tuple(routes))

    def set_dns(self, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        self._set("set_dns", dns=tuple(servers), dns_search=tuple(search))

    def restore(self) -> None:
        self.device.driver.run("restore")

    def close(self) -> None:
        self.device.driver.run("close")
        self.closed += 1

    def delete(self, *, force: bool = False) -> bool:
        del force
        self.device.driver.run("delete_adapter")
        self._exists()
        self.device.remove()
        return False

    def _set(self, call: str, **changed: object) -> None:
        self.device.driver.run(call)
        self._exists()
        self.device.info = replace(self.device.info, **changed)  # type: ignore[arg-type]

    def _exists(self) -> None:
        if self.device.gone:
            raise AdapterNotFound.from_call("OpenAdapter", 1168)


class MemoryDriver:
    """The driver, with the host's side of its adapters and the knobs of its calls.

    Attributes:
        devices: What the system has, by GUID.
        handles: Every handle that was ever given out.
        calls: The names of the calls so far, in order.
        watcher: What the hub wants to be told by.
    """

    name = "memory"
    library_path: str | None = None
    capabilities = Capabilities(
        generation="pool",
        persistent_adapters=True,
        enumerate_pools=True,
        rename=True,
        delete_pool=True,
        delete_driver=True,
        network_settings=True,
        metric=True,
        dns=True,
        force_close=True,
    )

    def __init__(self) -> None:
        self.devices: dict[UUID, Device] = {}
        self.handles: list[MemoryAdapter] = []
        self.calls: list[str] = []
        self.watcher: Watcher | None = None
        self.logger: Logger | None = None
        self.unavailable: Unavailable | None = None
        self._gates: dict[str, Gate] = {}
        self._watched: dict[str, threading.Event] = {}
        self._errors: dict[str, deque[DriverError]] = {}

    # Knobs

    def run(self, call: str) -> None:
        """Note a call; wait where a test holds it, and raise what a test wants it to raise."""
        self.calls.append(call)
        called = self._watched.get(call)
        if called is not None:
            called.set()
        gate = self._gates.get(call)
        if gate is not None:
            gate.reached.set()
            assert gate.opened.wait(HELD_TOO_LONG), f"{call} was held and never let go"
        errors = self._errors.get(call)
        if errors:
            raise errors.popleft()

    @contextmanager
    def hold(self, call: str) -> Iterator[Gate]:
        """Hold the calls of this name until the gate is opened, at the latest on leaving."""
        gate = self._gates[call] = Gate()
        try:
            yield gate
        finally:
            gate.open()
            self._gates.pop(call, None)

    def watch(self, call: str, called: threading.Event) -> None:
        """Set the event with the next call of this name."""
        self._watched[call] = called

    def fail(self, call: str, *errors: DriverError) -> None:
        """Let the next calls of this name raise these, one each."""
        self._errors.setdefault(call, deque()).extend(errors)

    def device(self, name: str) -> Device:
        """Return the device of this name."""
        return next(one for one in self.devices.values() if one.info.name == name)

    def find(self, name: str) -> Device | None:
        """Return the device of this name; None if there is none."""
        return next((one for one in self.devices.values() if one.info.name == name), None)

    def add(self, name: str, pool: str = "Test", guid: UUID | None = None) -> Device:
        """Make a device, as another program does."""
        info = AdapterInfo(
            guid=guid or uuid4(),
            name=name,
            pool=pool,
            luid=0,
            interface_index=len(self.devices) + 1,
            interface_name=name,
            mtu=1420,
            addresses=(),
            persistent=True,
        )
        device = self.devices[info.guid] = Device(self, info)
        return device

    def changed(self) -> None:
        """Tell that something has changed, from another thread as drivers do."""
        if self.watcher is not None:
            thread = threading.Thread(target=self.watcher)
            thread.start()
            thread.join()

    # The seam

    @property
    def lasting(self) -> bool:
        return False

    def unavailable_reason(self) -> Unavailable | None:
        return self.unavailable

    def elevated(self) -> bool:
        return True

    def create_adapter(self, name: str, pool: str, requested_guid: UUID | None = None) -> Adapter:
        self.run("create_adapter")
        taken = {one.info.name.casefold() for one in self.devices.values()}
        if name.casefold() in taken or requested_guid in self.devices:
            raise AdapterExists.from_call("CreateAdapter", 183)
        return self._handle(self.add(name, pool, requested_guid))

    def open_adapter(self, name: str, pool: str) -> Adapter:
        self.run("open_adapter")
        for device in self.devices.values():
            if (device.info.name, device.info.pool) == (name, pool):
                return self._handle(device)
        raise AdapterNotFound.from_call("OpenAdapter", 1168)

    def adapters(self, pool: str | None = None) -> list[AdapterInfo]:
        self.run("adapters")
        infos = [device.info for device in list(self.devices.values())]
        return [info for info in infos if pool in (None, info.pool)]

    def delete_pool(self, pool: str) -> bool:
        self.run("delete_pool")
        for device in list(self.devices.values()):
            if device.info.pool == pool:
                device.remove()
        return False

    def delete_driver(self) -> bool:
        self.run("delete_driver")
        return False

    def running_driver_version(self) -> tuple[int, int] | None:
        self.run("running_driver_version")
        return (1, 0)

    def set_logger(self, logger: Logger | None) -> None:
        self.logger = logger

    def changes_fileno(self) -> int | None:
        return None

    def set_watcher(self, watcher: Watcher | None) -> None:
        self.watcher = watcher

    def close(self) -> None:
        self.run("close_driver")

    def _handle(self, device: Device) -> MemoryAdapter:
        handle = MemoryAdapter(device)
        self.handles.append(handle)
        return handle


def corrupt() -> RingCorrupt:
    """Return the error of a receive ring that is found inconsistent."""
    return RingCorrupt.from_call("ReceivePacket", 13)
