"""Define the interface that every driver implements, in Wintun's words.

The hub knows no driver, only this module and `limits`. All of it is synchronous. Management calls
(everything on `Driver` and `Adapter` but the following) may take seconds and are made on the hub's
management thread, one at a time. `Adapter.start_session`, `Adapter.counters` and `Session.end` are
made on a thread of the session, so those of several adapters may run at once. Packet calls
(`Session.receive_packets`, `Session.send_packets`) never block and are made on one thread at a
time; `Session.interrupt` may be called on any thread.

Directions are seen from the application: *received* packets go from the host to the application,
*sent* packets from the application to the host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from typing import Final, Protocol, TypeAlias
from uuid import UUID

from wintun_api.choices import UnavailableCause
from wintun_api.drivers.limits import MAX_POOLS
from wintun_api.limits import MAX_ADAPTER_NAME, MAX_POOL
from wintun_api.packet.stamps import Stamps

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPInterface: TypeAlias = IPv4Interface | IPv6Interface
IPNetwork: TypeAlias = IPv4Network | IPv6Network


# Why a driver cannot work on this machine.
UnavailableReason: TypeAlias = UnavailableCause

ADAPTER_GONE: Final = "The adapter is gone."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Hold a reason, a sentence that explains it, and a sentence that says what to do."""

    reason: UnavailableReason
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Describe what this driver and generation can do; each difference is one field.

    Attributes:
        generation: "pool" (wintun.dll 0.9 to 0.13), "tunnel-type" (0.14) or "kernel" (Linux).
        persistent_adapters: Adapters outlive the handle and the process that created them.
        enumerate_pools: Adapters can be listed by pool; otherwise only managed ones are known.
        rename: `Adapter.set_name` works.
        delete_pool: `Driver.delete_pool` works.
        delete_driver: `Driver.delete_driver` works.
        network_settings: Addresses, MTU and routes can be read and set.
        metric: The interface has a metric that can be set.
        dns: DNS servers and search domains can be read and set.
        force_close: `Adapter.delete(force=True)` closes sessions of other processes.
        offload: A session can have the host leave segmentation and checksums to it.
        default_ipv6_metric: The metric that the system gives an IPv6 route without one, if it
            cannot tell the two apart afterwards: then both are read as 0. Otherwise 0.
    """

    generation: str
    persistent_adapters: bool
    enumerate_pools: bool
    rename: bool
    delete_pool: bool
    delete_driver: bool
    network_settings: bool
    metric: bool
    dns: bool
    force_close: bool
    offload: bool = False
    default_ipv6_metric: int = 0

    @property
    def max_name(self) -> int:
        """The longest adapter name, in UTF-16 units."""
        return MAX_ADAPTER_NAME - 1

    @property
    def max_pool(self) -> int:
        """The longest pool of an adapter to create, in UTF-16 units."""
        return MAX_POOLS.get(self.generation, MAX_POOL - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Describe a route of the host into an adapter.

    Attributes:
        destination: The network that it leads to.
        next_hop: None if every destination is on the link, as with most tunnels.
        metric: Smaller is preferred; 0 lets the system choose. Windows adds the interface's metric.
    """

    destination: IPNetwork
    next_hop: IPAddress | None = None
    metric: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterInfo:
    """Describe an adapter as the operating system reports it.

    Attributes:
        guid: The adapter's identity; names may change, LUIDs and indexes may be reused.
        name: 1 to 127 UTF-16 units.
        wintun_name: The name by which Wintun opens it, if a rename did not change that; else empty.
        pool: Wintun's pool; the tunnel type in the tunnel-type generation.
        luid: NET_LUID as an unsigned 64-bit integer; 0 if the system has none.
        interface_index: 0 if unknown.
        interface_name: The name in the system's own tools: the alias, or the kernel's name.
        mtu: Bytes; None if the driver cannot read it.
        addresses: Addresses with prefix lengths, in the order of the system.
        impaired_addresses: Those of `addresses` that another program has changed, so that they are
            not as `Adapter.set_addresses` adds them: the route to their network is missing, or
            they have a peer or a limited lifetime. `set_addresses` repairs them.
        persistent: Whether the adapter outlives the handle that created it.
        metric: The interface's metric; None if the system chooses it or has none.
        routes: The routes that were set, without those that the system adds by itself.
        other_routes: Routes that other programs have set, where the system tells whose a route
            is: the first `MAX_OTHER_ROUTES` of them. They are never changed.
        other_routes_total: How many there are; more than 16384 are not counted.
        dns: DNS servers, IPv4 before IPv6.
        dns_search: Domains that are searched for short names.
        families: The IP versions that are bound to it: 4, 6.
        orphan: Whether another program created it or left it behind, so that closing a handle of
            this process does not remove it.
        unavailable: Why it cannot be used now, as a sentence: it is disabled, or its driver is
            being replaced. Empty while it works. Such an adapter has no settings.
        link_up: Whether the interface is set up; None if the system has no such state.
        running: Whether its link is up: the interface is set up, and a session of any program is
            attached. None if the driver cannot tell.
        lost_marks: Identifying marks that the driver had written on the device and that others
            have removed; `Adapter.restore` writes them again. Always empty on Windows.
    """

    guid: UUID
    name: str
    pool: str
    luid: int
    interface_index: int
    interface_name: str
    mtu: int | None
    addresses: tuple[IPInterface, ...]
    persistent: bool
    wintun_name: str = ""
    metric: int | None = None
    routes: tuple[Route, ...] = ()
    dns: tuple[IPAddress, ...] = ()
    dns_search: tuple[str, ...] = ()
    families: tuple[int, ...] = (4, 6)
    orphan: bool = False
    unavailable: str = ""
    link_up: bool | None = None
    running: bool | None = None
    lost_marks: tuple[str, ...] = ()
    impaired_addresses: tuple[IPInterface, ...] = ()
    other_routes: tuple[Route, ...] = ()
    other_routes_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounters:
    """Hold the operating system's counters of the link since the adapter was created.

    Attributes:
        received_packets: Packets that the host gave to the application.
        received_bytes: Bytes of these packets.
        received_dropped: Packets that the host lost because the ring was full or there was no
            session. It includes all ring losses but those still in the ring when it was freed.
        sent_packets: Packets that the application gave to the host.
        sent_bytes: Bytes of these packets.
        sent_dropped: Packets from the application that the host refused.
    """

    received_packets: int = 0
    received_bytes: int = 0
    received_dropped: int = 0
    sent_packets: int = 0
    sent_bytes: int = 0
    sent_dropped: int = 0


class LogLevel(IntEnum):
    """List the levels of the driver's log (wintun.h: WINTUN_LOGGER_LEVEL)."""

    INFO = 0
    WARN = 1
    ERR = 2


@dataclass(frozen=True, slots=True)
class LogLine:
    """Hold one line of the driver's log.

    Attributes:
        level: Info, warning or error.
        time_ns: Nanoseconds since 1970, from the driver if it gives a time.
        message: The text, without a line end.
    """

    level: LogLevel
    time_ns: int
    message: str


Logger: TypeAlias = Callable[[LogLine], None]
Watcher: TypeAlias = Callable[[], None]


class Session(Protocol):
    """Exchange layer 3 packets with one adapter.

    A session ends once. A call after the end raises `SessionEnded`. `end` must not run while any
    other call of the session runs; the hub ensures that.

    Attributes:
        stamped: Whether the time of each packet is noted when it is read; False at the start. It is
            set between the packet calls, on their thread.
    """

    stamped: bool

    @property
    def capacity(self) -> int:
        """Ring capacity in bytes, a power of two."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Packets that `send_packets` accepted but the host then refused, by cause, since start.

        The causes are "link_down" (the interface was set down) and "host" (any other reason). A
        cause is missing until it occurs; Wintun and the emulated driver have none. The numbers
        only grow. The returned object never changes, so any thread may read it, also after `end`;
        it is the same object while nothing new was refused.
        """

    @property
    def truncated(self) -> int:
        """Received packets that were dropped because the driver could not read them completely.

        The number counts from the start and only grows. Any thread may read it, also after `end`.
        It is always 0 with Wintun and the emulated driver.
        """

    @property
    def offload(self) -> bool:
        """Whether the host leaves segmentation and checksums to this session.

        It then passes super-packets, which the session splits, and takes such. The packets of
        `receive_packets` and `send_packets` are those of a network in either case. It is always
        False with Wintun and the emulated driver.
        """

    @property
    def merged(self) -> int:
        """How many more packets were received than `LinkCounters.received_packets` counts.

        With offload the host counts a super-packet as one. The number counts from the start and
        only grows. Any thread may read it, also after `end`. Without offload it is 0.
        """

    @property
    def stamps(self) -> Stamps | None:
        """When the packets of the last `receive_packets` were read; None if there were none.

        It is a new object after each call that returned packets. It means something only if
        `stamped` was set before the call.
        """

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when packets wait; None if the OS has none."""

    def wait_readable(self) -> bool:
        """Block until packets may be waiting; return False after `interrupt`.

        It is only called if `fileno` is None, on one waiter thread, and uses no CPU while it
        waits. It also returns True if the adapter is gone: the next `receive_packets` then raises.

        Raises:
            DriverError: The wait failed; the hub then fails the session with this error.
        """

    def interrupt(self) -> None:
        """Make this and every later `wait_readable` return False. Any thread; idempotent."""

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Return up to `limit` received packets; none if the ring is empty. Never blocks.

        With offload there can be more: all segments of the last super-packet are returned.

        Raises:
            SessionEnded: The adapter is gone. Packets read before are never lost: they are
                returned first, and the next call raises.
            RingCorrupt: The ring is inconsistent. Packets before that are returned first, too.
        """

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Send packets in order and return how many were accepted. Never blocks.

        It stops at a full ring: a smaller number than given means that the ring has no room for
        the next packet now, and no later packet was sent, however small. Packets that the host
        refuses count as accepted and are in `refused`. Every packet must be checked beforehand
        (`packet.check`).

        A call that fails after some packets were accepted returns their number, and the next call
        raises.

        Raises:
            SessionEnded: The adapter is gone.
            DriverError: The driver refused the call; none of these packets was accepted.
        """

    def pause(self) -> None:
        """Note that nothing is read for a while, so that packets may wait from now on. Idempotent.

        It is called on the thread of the packet calls. If the adapter is removed before the next
        packet call, packets that waited are lost, and `Adapter.end_reason` says so on Linux.
        """

    def quiesce(self) -> None:
        """Stop the host from sending, so that all waiting packets can be received.

        Call it before draining the last packets and ending the session: packets that wait at `end`
        are lost and not counted. What the host sends afterwards is never received. New kernels
        count it in `LinkCounters.received_dropped`, so read the counters again after the last
        drain. It may take milliseconds; any thread may call it; it raises nothing and has no
        effect after the end. On Wintun and the emulated driver it has no effect, because Windows
        cannot stop the host, so the caller must limit the last drain.
        """

    def end(self) -> None:
        """End the session and free its ring. Idempotent (wintun.h: WintunEndSession)."""


class Adapter(Protocol):
    """Manage one adapter through a handle, which `close` or `delete` closes once."""

    @property
    def reboot_required(self) -> bool:
        """Whether a reboot is required after creating it (wintun.h: WintunCreateAdapter)."""

    def info(self) -> AdapterInfo:
        """Read the adapter from the operating system.

        An adapter that the system does not show for the moment is described as it was last seen,
        with `unavailable` and without settings.

        Raises:
            AdapterNotFound: Another program removed it.
        """

    def end_reason(self) -> str:
        """Return a sentence that says why its session has ended by itself.

        The sentence is short, because it is also the reason in a close frame, and says whether a
        new session would work. This may be called after the adapter is gone, and on a thread of
        the session.
        """

    def counters(self) -> LinkCounters:
        """Read the link counters of the operating system.

        They never decrease while the adapter exists. After it was removed, by any program, the
        last known values are returned: on Linux the final ones of a device with a session.

        Raises:
            AdapterNotFound: The adapter was removed before this handle had read any. Linux does
                not raise this.
        """

    def start_session(self, capacity: int, *, offload: bool | None = None) -> Session:
        """Start the adapter's session (wintun.h: WintunStartSession).

        Args:
            capacity: The ring capacity in bytes.
            offload: Whether the host leaves segmentation and checksums to the session; None: as
                the driver was told. Where the system refuses it, the session runs without.

        Raises:
            NotSupported: The driver does not have the offload that is wanted.
            SessionExists: The adapter already has one, perhaps in another process.
            AdapterUnavailable: It is disabled, or its driver is being replaced.
            AdapterNotFound: The adapter is gone.
        """

    def set_name(self, name: str) -> None:
        """Rename the adapter (wintun.h: WintunSetAdapterName).

        Raises:
            AdapterExists: Another adapter has this name.
            NotSupported: The generation cannot rename adapters.
        """

    def set_addresses(self, addresses: Sequence[IPInterface]) -> None:
        """Replace the adapter's addresses with these, all or none.

        Link-local addresses of the system stay.

        Raises:
            InvalidArgument: An adapter cannot have one of them, or one has two prefix lengths.
            AddressExists: Another interface has one, and the system allows it only once.
            SettingRefused: The system cannot apply one at present, or keeps one that should go.
            NotSupported: The driver cannot set addresses.
        """

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU in bytes, for IPv4 and IPv6 alike.

        Raises:
            NotSupported: The driver does not support it.
        """

    def set_metric(self, metric: int | None) -> None:
        """Set the interface's metric for both IP versions; None lets the system choose.

        Raises:
            NotSupported: The system does not have interface metrics.
        """

    def set_routes(self, routes: Sequence[Route]) -> None:
        """Replace the adapter's routes with these, all or none; the system's own routes stay.

        The system adds a route without a next hop to the network of each address: such a route may
        be given, but is not in `AdapterInfo.routes`.

        Raises:
            InvalidArgument: A next hop is not possible.
            RouteExists: Another program has the route, and the system allows it only once.
            SettingRefused: The system cannot apply one at present.
            NotSupported: The driver does not support it.
        """

    def set_dns(self, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the adapter's DNS servers and search domains with these.

        Raises:
            NotSupported: The system does not have DNS settings per interface.
        """

    def restore(self) -> None:
        """Set the interface up, and write the driver's identifying marks again.

        This restores what other programs have changed, except the network settings, which have
        their own calls. It does nothing if there is nothing to restore.

        Raises:
            AdapterNotFound: The adapter is gone.
        """

    def close(self) -> None:
        """Close the handle (wintun.h: WintunFreeAdapter, WintunCloseAdapter). Idempotent."""

    def delete(self, *, force: bool = False) -> bool:
        """Remove the device and close the handle; return whether a reboot is required.

        A session of this process ends (`SessionEnded` on its next call). With `force`, sessions of
        other processes are closed too (wintun.h: WintunDeleteAdapter).
        """


class Driver(Protocol):
    """Create, open and list adapters on this machine."""

    @property
    def name(self) -> str:
        """The driver's key in `drivers.DRIVERS`: "wintun", "linux" or "emulated"."""

    @property
    def library_path(self) -> str | None:
        """The absolute path of the loaded library, if there is one."""

    @property
    def capabilities(self) -> Capabilities:
        """What the driver can do, or could do if it is unavailable."""

    @property
    def lasting(self) -> bool:
        """Whether its machine outlives this process: pools and GUIDs are worth remembering."""

    def unavailable_reason(self) -> Unavailable | None:
        """Return why the driver cannot work here, or None. Loads nothing, never raises."""

    def elevated(self) -> bool:
        """Return whether this process has the rights to manage adapters. Never raises."""

    def create_adapter(self, name: str, pool: str, requested_guid: UUID | None = None) -> Adapter:
        """Create an adapter (wintun.h: WintunCreateAdapter).

        Without `requested_guid` the system chooses a random one.

        Raises:
            AdapterExists: The name (machine-wide, whatever the case) or the GUID is in use.
            AccessDenied: The process is not elevated.
        """

    def open_adapter(self, name: str, pool: str) -> Adapter:
        """Open an existing adapter (wintun.h: WintunOpenAdapter).

        Raises:
            AdapterNotFound: No adapter has this name in this pool.
        """

    def adapters(self, pool: str | None = None) -> list[AdapterInfo]:
        """List the adapters of a pool, or of every pool the driver can see.

        The pool generation can only look into named pools: for None it looks into those that this
        process has used. The tunnel-type generation lists adapters of which this process holds a
        handle, and as `orphan` those of other programs whose description names such a pool.

        An adapter of which this process holds a handle is left out only if its device is known to
        be gone. The caller may then close the handle, which would remove an existing device.
        """

    def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool (wintun.h: WintunDeletePoolDriver).

        Return whether a reboot is required.

        Raises:
            NotSupported: The generation does not have pools.
        """

    def delete_driver(self) -> bool:
        """Remove the driver from the system (wintun.h: WintunDeleteDriver).

        Return whether a reboot is required. The call fails while any adapter uses the driver.

        Raises:
            NotSupported: The generation does not have this call.
        """

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) of the loaded kernel driver, or None if none is loaded."""

    def set_logger(self, logger: Logger | None) -> None:
        """Send the driver's log lines to `logger`; None drops them (wintun.h: WintunSetLogger).

        `logger` is called on any thread, perhaps after the call that caused the line has returned.
        It must be quick and must not raise. Set it to None before the process ends.
        """

    def changes_fileno(self) -> int | None:
        """Return a descriptor that becomes readable when something in `adapters` may have changed.

        It reports changes by any program, until `adapters` is called. None if the driver calls its
        watcher instead.
        """

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Call `watcher` when something in `adapters` may have changed; None stops the calls.

        It is called on any thread, perhaps also for changes by this process. It must be quick and
        must not raise. A driver with a `changes_fileno` never calls it.
        """

    def close(self) -> None:
        """Release everything but the devices: unset the logger, close system handles."""
