"""The upper seam: what every driver offers, in Wintun's words.

The hub, the API and the tests know only this module. All of it is synchronous. Management calls
(everything on `Driver` and `Adapter` but the next ones) may take seconds and come from the hub's
management thread, one at a time. `Adapter.start_session`, `Adapter.counters` and `Session.end` come
from a thread of the session, so those of several adapters may run at once. Packet calls
(`Session.receive_packets`, `Session.send_packets`) never block and come from one thread at a time;
`Session.interrupt` may come from any thread.

Directions are the application's: *received* is host to application, *sent* application to host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
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

from wintun_api.drivers.limits import MAX_ADAPTER_NAME, MAX_POOL, MAX_POOLS

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPInterface: TypeAlias = IPv4Interface | IPv6Interface
IPNetwork: TypeAlias = IPv4Network | IPv6Network


ADAPTER_GONE: Final = "The adapter is gone."


class UnavailableReason(StrEnum):
    """Why a driver cannot work on this machine; a value, never a crash."""

    WRONG_PLATFORM = "wrong_platform"
    LIBRARY_NOT_FOUND = "library_not_found"
    WRONG_ARCHITECTURE = "wrong_architecture"
    LIBRARY_UNUSABLE = "library_unusable"
    LIBRARY_UNSIGNED = "library_unsigned"
    LIBRARY_TAMPERED = "library_tampered"
    LIBRARY_UNVERIFIED = "library_unverified"
    UNTRUSTED_SIGNER = "untrusted_signer"
    NOT_ELEVATED = "not_elevated"
    NO_TUN_DEVICE = "no_tun_device"
    NETWORK_NOT_OWNED = "network_not_owned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """A reason with the sentence that explains it and the one that says what to do."""

    reason: UnavailableReason
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What this driver and generation can do; every difference in behaviour is one field here.

    Attributes:
        generation: "pool" (wintun.dll 0.9 to 0.13), "tunnel-type" (0.14) or "kernel" (Linux).
        persistent_adapters: Adapters outlive the handle, and the process, that made them.
        enumerate_pools: Adapters can be listed pool by pool; else only managed ones are known.
        rename: `Adapter.set_name` works.
        delete_pool: `Driver.delete_pool` works.
        delete_driver: `Driver.delete_driver` works.
        network_settings: Addresses, MTU and routes can be read and set.
        metric: The interface has a metric that can be set.
        dns: DNS servers and search domains can be read and set.
        force_close: `Adapter.delete(force=True)` closes sessions of other processes.
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

    @property
    def max_name(self) -> int:
        """UTF-16 units of the longest name of an adapter."""
        return MAX_ADAPTER_NAME - 1

    @property
    def max_pool(self) -> int:
        """UTF-16 units of the longest pool of an adapter to create."""
        return MAX_POOLS.get(self.generation, MAX_POOL - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the host that leads into an adapter.

    Attributes:
        destination: Which addresses it is for.
        next_hop: None where every destination is on the link, as with most tunnels.
        metric: Smaller is preferred; 0 is the system's own choice. Windows adds the interface's.
    """

    destination: IPNetwork
    next_hop: IPAddress | None = None
    metric: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterInfo:
    """One adapter as the operating system has it now.

    Attributes:
        guid: The adapter's identity; names may change, LUIDs and indexes may be used again.
        name: 1 to 127 UTF-16 units.
        wintun_name: What Wintun opens it by, where a rename has left that behind; else empty.
        pool: Wintun's pool; the tunnel type in the tunnel-type generation.
        luid: NET_LUID as an unsigned 64-bit integer; 0 where the system has none.
        interface_index: 0 where not known.
        interface_name: What the system's own tools call it: the alias, or the kernel's name.
        mtu: Bytes; None where the driver cannot read it.
        addresses: With prefix lengths, in the order of the system.
        persistent: The adapter outlives the handle that made it.
        metric: The interface's own; None where the system chooses it, or has none.
        routes: Those that were set; none that the system makes by itself.
        dns: Servers, IPv4 before IPv6.
        dns_search: Domains that short names are looked for in.
        families: The versions of IP that are bound to it: 4, 6.
        orphan: Made by another program, or left by one, so that no handle of ours removes it.
        unavailable: Why the system can do nothing with it now, as a sentence: it is disabled, or
            its driver is being replaced. Empty while it works. Such an adapter has no settings.
        link_up: The interface is set up, by whatever program; None where the driver cannot tell.
        lost_marks: What the driver had written on the device to know it by and others have taken
            away; `Adapter.restore` writes it again. Always empty on Windows, which keeps the GUID.
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
    lost_marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCounters:
    """What the operating system counts on the link since the adapter was made.

    Attributes:
        received_packets: Packets the host gave to the application.
        received_bytes: Bytes of them.
        received_dropped: Packets the host lost because the ring was full or nobody had a session.
            This is where ring loss is: it misses only what waited in the ring when it was freed.
        sent_packets: Packets the application gave to the host.
        sent_bytes: Bytes of them.
        sent_dropped: Packets of the application that the host refused.
    """

    received_packets: int = 0
    received_bytes: int = 0
    received_dropped: int = 0
    sent_packets: int = 0
    sent_bytes: int = 0
    sent_dropped: int = 0


class LogLevel(IntEnum):
    """Levels of the driver's log (wintun.h: WINTUN_LOGGER_LEVEL)."""

    INFO = 0
    WARN = 1
    ERR = 2


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the driver's log.

    Attributes:
        level: Info, warning or error.
        time_ns: Nanoseconds since 1970, from the driver where it gives one.
        message: The text, without line end.
    """

    level: LogLevel
    time_ns: int
    message: str


Logger: TypeAlias = Callable[[LogLine], None]
Watcher: TypeAlias = Callable[[], None]


class Session(Protocol):
    """A running exchange of layer 3 packets with one adapter.

    It ends once. A call after the end raises `SessionEnded`. `end` runs only when no other call of
    the session does; the hub sees to that.
    """

    @property
    def capacity(self) -> int:
        """Ring capacity in bytes, a power of two."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Packets that `send_packets` took and the host then refused, by cause, since the start.

        The causes are "link_down" (the interface was set down) and "host" (any other reason). A
        cause is missing until it has happened; Wintun and the emulated driver have none. The
        numbers only grow. What is returned never changes, so any thread may read it, also after
        `end`; while nothing new was refused it is the same object.
        """

    @property
    def truncated(self) -> int:
        """Received packets that were dropped because the driver could not read all of them.

        It counts since the start, only grows, and may be read from any thread, also after `end`.
        Always 0 with Wintun and the emulated driver.
        """

    def fileno(self) -> int | None:
        """Return a descriptor that polls readable when packets wait; None where the OS has none."""

    def wait_readable(self) -> bool:
        """Block until packets may be waiting; return False after `interrupt`.

        Only called where `fileno` is None, from one waiter thread. Costs no CPU while it waits.
        True also when the adapter is gone: the next `receive_packets` then says so.

        Raises:
            DriverError: The wait failed; the hub fails the session by this error.
        """

    def interrupt(self) -> None:
        """Make this and every later `wait_readable` return False. Any thread; idempotent."""

    def receive_packets(self, limit: int) -> Sequence[bytes]:
        """Return up to `limit` received packets; none when the ring is exhausted. Never blocks.

        Raises:
            SessionEnded: The adapter is gone. Packets drained before are never lost: they are
                returned first, and the next call raises.
            RingCorrupt: The ring is inconsistent; likewise after the packets before it.
        """

    def send_packets(self, packets: Sequence[bytes]) -> int:
        """Send packets in order and return how many were taken. Never blocks.

        Stops at a full ring: fewer than given means the ring has no room for the next one now, and
        nothing behind that one was sent, however small. Packets that the host refuses are taken
        too, and are in `refused`. Every packet must be checked before (`packet.check`).

        A call that fails behind packets that were taken returns their number, and the next one
        raises.

        Raises:
            SessionEnded: The adapter is gone.
            DriverError: The driver refused the call; none of these packets was taken.
        """

    def quiesce(self) -> None:
        """Stop the host from sending, so that what waits now is the last and can all be received.

        Call it before the last packets are drained and the session is ended; what waits at `end` is
        lost and counted nowhere. What the host sends after it is never received: new kernels count
        it in `LinkCounters.received_dropped`, so read the counters once more after the last drain.
        It may take milliseconds, and any thread may call it; it raises nothing, and does nothing
        after the end. On Wintun and the emulated driver it does nothing: Windows cannot stop the
        host, so the caller bounds the last drain itself.
        """

    def end(self) -> None:
        """End the session and free its ring. Idempotent (wintun.h: WintunEndSession)."""


class Adapter(Protocol):
    """A handle of one adapter. Handles are given back once, by `close` or `delete`."""

    @property
    def reboot_required(self) -> bool:
        """Whether creating it asked for a reboot (wintun.h: WintunCreateAdapter)."""

    def info(self) -> AdapterInfo:
        """Read the adapter from the operating system.

        One that the system does not show for the moment is described as it was last seen, with
        `unavailable` and without settings.

        Raises:
            AdapterNotFound: It was removed by somebody else.
        """

    def end_reason(self) -> str:
        """Say as a sentence why its session has ended by itself.

        It is short, for it is also the reason of a close frame, and says whether a new session
        would work. It may be called after the adapter is gone, and from a thread of the session.
        """

    def counters(self) -> LinkCounters:
        """Read the link counters of the operating system.

        They never go back while the adapter exists. After it was removed, by whatever program, the
        last known values are returned: on Linux those that a device with a session had at last.

        Raises:
            AdapterNotFound: The adapter was removed before this handle had read any; not on Linux.
        """

    def start_session(self, capacity: int) -> Session:
        """Start the adapter's session (wintun.h: WintunStartSession).

        Raises:
            SessionExists: The adapter has one already, perhaps of another process.
            AdapterUnavailable: It is disabled, or its driver is being replaced.
            AdapterNotFound: The adapter is gone.
        """

    def set_name(self, name: str) -> None:
        """Rename the adapter (wintun.h: WintunSetAdapterName).

        Raises:
            AdapterExists: Another adapter has this name.
            NotSupported: The generation cannot.
        """

    def set_addresses(self, addresses: Sequence[IPInterface]) -> None:
        """Make exactly these the adapter's addresses, all or none.

        Link-local ones of the system stay.

        Raises:
            InvalidArgument: One that no adapter can have, or one with two prefix lengths.
            AddressExists: Another interface has one, where the system allows it once.
            SettingRefused: The system refuses one as things are, or keeps one that is not wanted.
            NotSupported: The driver cannot.
        """

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU in bytes, for IPv4 and IPv6 alike.

        Raises:
            NotSupported: The driver cannot.
        """

    def set_metric(self, metric: int | None) -> None:
        """Set the interface's metric, for both versions of IP; None lets the system choose.

        Raises:
            NotSupported: The system has none.
        """

    def set_routes(self, routes: Sequence[Route]) -> None:
        """Make exactly these the adapter's routes, all or none; those that the system makes stay.

        A route without a next hop to the network of one of the adapter's addresses is there with
        the address: it may be given, and is not in `AdapterInfo.routes`.

        Raises:
            InvalidArgument: A next hop that cannot be.
            RouteExists: Another program has the route, where the system allows it once.
            SettingRefused: The system refuses one as things are.
            NotSupported: The driver cannot.
        """

    def set_dns(self, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Make exactly these the adapter's DNS servers and search domains.

        Raises:
            NotSupported: The system cannot per interface.
        """

    def restore(self) -> None:
        """Set the interface up, and write again what the driver knows the device by.

        It puts back what other programs have changed, apart from the network settings, which have
        calls of their own. It does nothing where there is nothing to put back.

        Raises:
            AdapterNotFound: The adapter is gone.
        """

    def close(self) -> None:
        """Give the handle back (wintun.h: WintunFreeAdapter, WintunCloseAdapter). Idempotent."""

    def delete(self, *, force: bool = False) -> bool:
        """Remove the device and give the handle back; return whether a reboot is required.

        A session of this process ends (`SessionEnded` on its next call). With `force`, sessions of
        other processes are closed too (wintun.h: WintunDeleteAdapter).
        """


class Driver(Protocol):
    """One way to have adapters on this machine."""

    @property
    def name(self) -> str:
        """Its key in `drivers.DRIVERS`: "wintun", "linux" or "emulated"."""

    @property
    def library_path(self) -> str | None:
        """The absolute path of the loaded library, where there is one."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. For a driver that is unavailable, what it could."""

    def unavailable_reason(self) -> Unavailable | None:
        """Say why the driver cannot work here, or None. Loads nothing, never raises."""

    def create_adapter(self, name: str, pool: str, requested_guid: UUID | None = None) -> Adapter:
        """Create an adapter (wintun.h: WintunCreateAdapter).

        Without `requested_guid` the system chooses a random one.

        Raises:
            AdapterExists: The name (machine-wide, whatever the case) or the GUID is in use.
            AccessDenied: Not elevated.
        """

    def open_adapter(self, name: str, pool: str) -> Adapter:
        """Open an existing adapter (wintun.h: WintunOpenAdapter).

        Raises:
            AdapterNotFound: None has this name in this pool.
        """

    def adapters(self, pool: str | None = None) -> list[AdapterInfo]:
        """List the adapters of a pool, or of every pool the driver can see.

        The pool generation can only look into named pools: for None it looks into those that this
        process has used. The tunnel-type generation lists those this process holds a handle of,
        and as `orphan` those of other programs whose description names such a pool.

        An adapter that this process holds a handle of is left out only when its device is known to
        be gone: whoever reads the list may then give the handle back, which removes a device that
        still exists.
        """

    def delete_pool(self, pool: str) -> bool:
        """Delete every adapter of a pool (wintun.h: WintunDeletePoolDriver).

        Returns whether a reboot is required.

        Raises:
            NotSupported: The generation has no pools.
        """

    def delete_driver(self) -> bool:
        """Remove the driver from the system (wintun.h: WintunDeleteDriver).

        Returns whether a reboot is required. It fails while any adapter uses the driver.

        Raises:
            NotSupported: The generation has no such call.
        """

    def running_driver_version(self) -> tuple[int, int] | None:
        """Return (major, minor) of the loaded kernel driver, None while none is loaded."""

    def set_logger(self, logger: Logger | None) -> None:
        """Send the driver's log lines to `logger`, or nowhere (wintun.h: WintunSetLogger).

        `logger` is called on any thread, also after the call that caused the line has returned; it
        must be quick and must not raise. Set None before the process ends.
        """

    def changes_fileno(self) -> int | None:
        """Return a descriptor that polls readable after something in `adapters` may have changed.

        Whatever program changed it. Calling `adapters` makes it silent again. None where the driver
        calls its watcher instead.
        """

    def set_watcher(self, watcher: Watcher | None) -> None:
        """Call `watcher` after something in `adapters` may have changed, or call nobody.

        It is called on any thread, perhaps for changes of this process too; it must be quick and
        must not raise. A driver with a `changes_fileno` never calls it.
        """

    def close(self) -> None:
        """Let go of everything but the devices: unset the logger, close system handles."""
