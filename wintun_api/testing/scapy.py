"""A socket with which Scapy sends and receives on an adapter, without Npcap and without rights.

    with WintunSocket("Lab") as socket:
        reply = socket.sr1(IP(dst="10.9.0.1") / ICMP(), timeout=2)
        packets = socket.sniff(count=10, timeout=5)

    with WintunSocket("Lab").as_default():
        reply = sr1(IP(dst="10.9.0.1") / ICMP(), timeout=2)

The program that holds the socket is the network behind the adapter, as every program with the
session is. What it sends, the host receives; what the host sends there, it receives.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_interface
from typing import Any, ClassVar, Final, Literal, Protocol, TypeAlias, cast
from uuid import UUID

try:
    from scapy.automaton import ObjectPipe
    from scapy.config import conf
    from scapy.data import MTU
    from scapy.error import log_runtime
    from scapy.interfaces import InterfaceProvider, NetworkInterface
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.packet import Packet
    from scapy.plist import PacketList, SndRcvList
    from scapy.supersocket import SuperSocket
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "wintun_api.testing.scapy needs Scapy: pip install 'wintun-api[scapy]'", name=missing.name
    ) from missing

from wintun_api.choices import CloseCode
from wintun_api.client import (
    Accounts,
    AdapterHandle,
    Client,
    ClientError,
    Loss,
    SessionHandle,
    StreamClosed,
)
from wintun_api.client.blocking import PacketStream
from wintun_api.packet.check import check_packet
from wintun_api.schemas.adapters import Adapter
from wintun_api.schemas.control import Ended
from wintun_api.testing.subnets import neighbour

__all__ = ["WintunSocket"]

_NO_ADAPTER: Final = (
    "Give one adapter, as the first argument or as `iface`: its name, GUID, model or handle, a "
    "handle of its session, or the fixture tun_adapter."
)
MAX_INBOX: Final = 4 * 1024 * 1024  # bytes that wait here for Scapy; more wait in the service


class HasHandle(Protocol):
    """Describe something that has the handle of an adapter, such as the fixture `tun_adapter`."""

    @property
    def handle(self) -> AdapterHandle:
        """The handle."""


_Address: TypeAlias = "IPv4Interface | IPv6Interface"
_Row4: TypeAlias = tuple[int, int, str, str, str, int]
_Row6: TypeAlias = tuple[str, int, str, str, list[str], int]
Which: TypeAlias = "str | UUID | Adapter | AdapterHandle | SessionHandle | HasHandle"


class WintunSocket(SuperSocket):
    """Exchange the IP packets of an adapter with Scapy: `sr`, `sr1`, `sniff`, `send` and the like.

    Each socket is a client of the session of its own, so several may be open at once, and each
    gets every packet. The source of a packet without one is the neighbour of the adapter's address.

    `sniff` and `AsyncSniffer` end when the session has ended or the service stops, and close the
    socket. A stream that breaks ends them too, with a warning of Scapy; `recv` raises then.

    A context manager, which closes the socket. Any thread may use it.
    """

    desc = "exchange the IP packets of a Wintun adapter through its service"
    closed = True  # until it is open

    def __init__(
        self,
        adapter: Which | None = None,
        *,
        iface: Which | None = None,
        client: Client | None = None,
        direction: Literal["received", "injected", "both"] = "received",
        basecls: type[Packet] | None = None,
        filter: str | None = None,  # noqa: A002  Scapy's name
        nofilter: bool | int | None = False,
        **_of_scapy: object,
    ) -> None:
        """Open the socket; where the adapter has no session, start one.

        Such a session ends when the last of its sockets was closed, and also when their programs
        were killed. To start it needs a token with the scope `admin`; with the handle of a session
        that runs, `capture` and `inject` are enough.

        Args:
            adapter: The adapter's name, GUID, model or handle, a handle of its session, or the
                fixture `tun_adapter`. It must exist.
            iface: The same, by Scapy's name for it.
            client: The client to use for a name, GUID or model. Without it the socket makes one,
                which finds the service as the command line does.
            direction: Which packets Scapy gets: `received` from the host, `injected` by any client
                of the session (also by this socket), or both.
            basecls: The class of the packets; by default `IP` or `IPv6`, as their first byte says.
            filter: Must be None: use `lfilter` of `sniff` instead, a function in Python.
            nofilter: Whether to ignore `filter`, which some of Scapy's functions always give:
                `traceroute(host, nofilter=1)`.

        Raises:
            TypeError: No adapter was given, or two, or something else.
            ValueError: A filter was given.
            ClientError: There is no such adapter, the service refuses, or it does not answer.
        """
        which = iface if adapter is None else adapter
        if which is None or None not in (adapter, iface):
            raise TypeError(_NO_ADAPTER)
        if filter is not None and not nofilter:
            raise ValueError(
                "A filter in the language of libpcap is not possible here. "
                "Give sniff() a function as `lfilter`. Give traceroute(), and other functions that "
                "make a filter themselves, `nofilter=1`."
            )
        self.basecls = basecls
        self.direction = direction
        self.promisc = False
        with ExitStack() as opening:
            self._stream, self._session, found = _open_stream(which, client, direction, opening)
            self.iface = self._interface = _Interface(found, partial(_another, self._session))
            self._addresses = [ip_interface(str(one)) for one in found.addresses]
            self._inbox = Inbox()
            reader = threading.Thread(
                target=_read, args=(self._stream, self._inbox), name="scapy-reader", daemon=True
            )
            reader.start()
            opening.callback(reader.join)
            opening.callback(self._stream.close)
            if self._stream.hello.started:
                opening.callback(_end_unless_needed, self._session)
            opening.callback(self._inbox.close)
            self._opened = opening.pop_all()
        self.closed = False

    @property
    def ended(self) -> Ended | None:
        """How the session has ended; None while it runs."""
        return self._stream.ended

    @property
    def accounts(self) -> Accounts:
        """What became of the packets that were sent, as far as the service has said."""
        return self._stream.accounts

    @property
    def waiting(self) -> int:
        """How many bytes of packets wait here."""
        return self._inbox.waiting

    @property
    def session(self) -> SessionHandle:
        """The session of the adapter."""
        return self._session

    @property
    def lost(self) -> int:
        """How many packets the socket did not get. Scapy's log has the causes."""
        return self._inbox.lost

    def send(self, x: Packet) -> int:
        """Inject a packet; return its length in bytes. It waits while the send ring is full.

        Raises:
            InvalidPacket: It is not an IP packet: an Ethernet frame, for example.
            ClientError: The session has ended, or the socket is closed.
        """
        with self._routes():
            data = bytes(x)
        check_packet(data)
        with suppress(AttributeError):  # bytes have no such field
            x.sent_time = time.time()
        try:
            self._stream.put(data)
        except ClientError as error:
            raise as_of_socket(error) from None
        return len(data)

    def recv_raw(self, x: int = MTU) -> tuple[type[Packet] | None, bytes | None, float | None]:
        """Wait for a packet; return its class, at most `x` of its bytes, and its time.

        The time is when the service got the packet, in seconds since 1970.

        Raises:
            EOFError: The session has ended, or the socket is closed.
            StreamClosed: The stream has ended otherwise.
        """
        data, moment = self._inbox.take()
        return self.basecls or _class_of(data), data[:x], moment

    def fileno(self) -> int:
        """Return what `select` waits for: a descriptor, or an event on Windows."""
        return self._inbox.fileno()

    @staticmethod
    def select(
        sockets: list[SuperSocket], remain: float | None = conf.recv_poll_rate
    ) -> list[SuperSocket]:
        """Return the sockets that have a packet or have ended; wait at most `remain` seconds."""
        return ObjectPipe.select(sockets, remain)

    def close(self) -> None:
        """Close the socket. The last one ends the session if sockets started it. Idempotent."""
        if self.closed:
            return
        self.closed = True
        self._opened.close()

    def sr(self, *args: Any, **kargs: Any) -> tuple[SndRcvList, PacketList]:
        """Send packets and return those that were answered, and the others."""
        with self._routes():
            return super().sr(*args, **kargs)

    def sr1(self, *args: Any, **kargs: Any) -> Packet | None:
        """Send a packet and return the first answer."""
        with self._routes():
            return super().sr1(*args, **kargs)

    @contextmanager
    def as_default(self) -> Iterator[WintunSocket]:
        """Let `sr`, `sr1`, `srloop`, `send`, `sniff` and the like use the adapter in this context.

        They are the functions of `scapy.all`, which open and close sockets as they need them. In
        this context Scapy's own tables have the adapter as an interface, with routes; the system
        is not changed. The socket is closed at the end.
        """
        before = {name: getattr(conf, name) for name in _DEFAULTS}
        with self, self._routes(default=True), self._routes():
            for name in _DEFAULTS:
                setattr(conf, name, self._interface if name == "iface" else self._interface.another)
            try:
                yield self
            finally:
                for name, value in before.items():
                    setattr(conf, name, value)

    @contextmanager
    def _routes(self, *, default: bool = False) -> Iterator[None]:
        """Let Scapy find the adapter, and source addresses, for its subnets, or for all others."""
        interface = self._interface
        with _TABLES:
            _Provider.add(interface)
            use = _uses.setdefault((interface.network_name, default), _Use())
            if not use.count:
                use.rows4 = _rows_v4(self._addresses, interface.network_name, default)
                use.rows6 = _rows_v6(self._addresses, interface.network_name, default)
                _set_routes(use.rows4 + conf.route.routes, use.rows6 + conf.route6.routes)
            use.count += 1
        try:
            yield
        finally:
            with _TABLES:
                use.count -= 1
                if not use.count:
                    _set_routes(
                        [row for row in conf.route.routes if row not in use.rows4],
                        [row for row in conf.route6.routes if row not in use.rows6],
                    )
                    del _uses[interface.network_name, default]
                _Provider.remove(interface)


_DEFAULTS = ("iface", "L2listen", "L2socket", "L3socket", "L3socket6")
_TABLES = threading.RLock()  # held while Scapy's interfaces and routes are changed


class Inbox:
    """Keep packets in order between the thread that reads the stream and those of Scapy."""

    def __init__(self) -> None:
        self.lost = 0
        self._packets: deque[tuple[bytes, float]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._bell: ObjectPipe[None] = ObjectPipe("WintunSocket")  # rung while take() returns
        self._rung = False
        self._over = False
        self._error: ClientError | None = None

    @property
    def waiting(self) -> int:
        """Bytes of the packets that wait."""
        return self._bytes

    def fileno(self) -> int:
        """Return what `select` waits for: it is readable while `take` returns at once."""
        return self._bell.fileno()

    def put(self, packets: Sequence[bytes], moment: float) -> bool:
        """Append packets; wait while there are too many. Return False when it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._bytes < MAX_INBOX or self._over)
            if self._over:
                return False
            self._packets.extend((bytes(packet), moment) for packet in packets)
            self._bytes += sum(map(len, packets))
            if self._packets:
                self._ring()
            return True

    def take(self) -> tuple[bytes, float]:
        """Wait for the next packet.

        Raises:
            EOFError: There are no more.
            ClientError: There are no more, because of this error.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._packets or self._over)
            if not self._packets:
                raise self._error or EOFError
            data, moment = self._packets.popleft()
            self._bytes -= len(data)
            if not self._packets and not self._over:
                self._bell.recv()
                self._rung = False
            self._changed.notify_all()
            return data, moment

    def end(self, error: ClientError | None) -> None:
        """Note that there are no more packets than those that wait."""
        with self._changed:
            if not self._over:
                self._over, self._error = True, error
            self._ring()

    def close(self) -> None:
        """Discard what waits, and end waiting.

        The bell's descriptor is closed with this object: a thread may still be selecting it.
        """
        with self._changed:
            self._over = True
            self._packets.clear()
            self._ring()

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            self._bell.send(None)
        self._changed.notify_all()


def _read(stream: PacketStream, inbox: Inbox) -> None:
    """Take packets from the stream to its end. It knows no socket, which may be forgotten."""
    failure: ClientError | None = None
    try:
        for item in stream:
            if isinstance(item, Loss):
                count = item.count or 0
                inbox.lost += count
                log_runtime.warning("%d packets were lost (%s).", count, item.cause)
            elif not inbox.put(item.packets, item.time_ns / 1e9):
                return
    except ClientError as error:
        failure = as_of_socket(error)
    except (CancelledError, RuntimeError):  # the stream was closed meanwhile
        pass
    finally:
        inbox.end(failure)


# Close code of the stream -> what to do next. The advice of the client names options of a stream.
_NEXT: Final[dict[int, str]] = {
    CloseCode.ABNORMAL: "Open another WintunSocket.",
    CloseCode.GOING_AWAY: "Open another WintunSocket when the service has started again.",
    CloseCode.ENDED: "Open another WintunSocket, which starts a session.",
    CloseCode.TOKEN: "Open another WintunSocket with a client that has a valid token.",
    CloseCode.DISCONNECTED: "Open another WintunSocket if the administrator agrees.",
    CloseCode.SLOW: "Open another WintunSocket, and read its packets faster.",
}


def as_of_socket(error: ClientError) -> ClientError:
    """Return the error of a stream, with advice that a user of the socket can follow."""
    if isinstance(error, StreamClosed):
        error.hint = _NEXT.get(error.code, error.hint)
    return error


def _class_of(data: bytes) -> type[Packet]:
    version = data[0] >> 4 if data else 0
    return IP if version == 4 else IPv6 if version == 6 else conf.raw_layer


# The session


def _another(session: SessionHandle, **arguments: Any) -> WintunSocket:
    """Open another socket for the same session, as Scapy's functions do."""
    arguments.pop("iface", None)
    return WintunSocket(session, **arguments)


def _open_stream(
    which: Which, client: Client | None, direction: str, opening: ExitStack
) -> tuple[PacketStream, SessionHandle, Adapter]:
    """Return a stream, its session and its adapter; what is made for them ends with `opening`."""
    if isinstance(which, SessionHandle):
        stream = which.packets(direction=direction, full="wait")
        adapter = which.client.get_adapter(which.refresh().adapter)
        return opening.enter_context(stream), which, adapter
    if isinstance(which, str | UUID | Adapter):
        client = client or opening.enter_context(Client())
        which = client.adapter(which if isinstance(which, Adapter) else _find(client, which))
    elif not isinstance(which, AdapterHandle):
        handle: object = getattr(which, "handle", None)
        if not isinstance(handle, AdapterHandle):
            raise TypeError(_NO_ADAPTER)
        which = handle
    # The session ends also when this process is killed, and not while another socket needs it.
    stream = opening.enter_context(
        which.packets(ends="session", grace=0, direction=direction, full="wait")
    )
    return stream, which.client.session(stream.hello.session), which.refresh()


def _end_unless_needed(session: SessionHandle) -> None:
    """End a session now, and not a moment later, if no other client holds it."""
    with suppress(ClientError):  # it has ended, or the service has, or the token
        if session.refresh().holders == 1:
            session.end()


def _find(client: Client, which: str | UUID) -> Adapter:
    adapters = client.list_adapters()
    for one in adapters:
        if str(which).lower() in (str(one.guid), one.name.lower()):
            return one
    names = ", ".join(repr(one.name) for one in adapters) or "none"
    raise ClientError(f"There is no adapter {str(which)!r}.", hint=f"There are: {names}.")


# Scapy's tables


class _Provider(InterfaceProvider):
    """Keep adapters among Scapy's interfaces, also when Scapy reads these again."""

    name = "wintun-api"
    interfaces: ClassVar[dict[str, list[NetworkInterface]]] = {}

    def load(self) -> dict[str, NetworkInterface]:
        return {name: several[-1] for name, several in self.interfaces.items()}

    def _is_valid(self, dev: NetworkInterface) -> bool:
        return True

    def _l2socket(self, dev: NetworkInterface) -> type[SuperSocket]:
        return cast("_Interface", dev).another

    def _l2listen(self, dev: NetworkInterface) -> type[SuperSocket]:
        return cast("_Interface", dev).another

    def _l3socket(self, dev: NetworkInterface, ipv6: bool) -> type[SuperSocket]:
        return cast("_Interface", dev).another

    @classmethod
    def add(cls, interface: NetworkInterface) -> None:
        name = interface.network_name
        cls.interfaces.setdefault(name, []).append(interface)
        if cls not in conf.ifaces.providers:
            conf.ifaces.register_provider(cls)
        conf.ifaces.data[name] = interface

    @classmethod
    def remove(cls, interface: NetworkInterface) -> None:
        name = interface.network_name
        several = cls.interfaces[name]
        several.remove(interface)
        if several:
            conf.ifaces.data[name] = several[-1]
        else:
            del cls.interfaces[name]
            conf.ifaces.data.pop(name, None)


class _Interface(NetworkInterface):
    """An adapter as one of Scapy's interfaces. `another` opens a socket on it, as a class does."""

    def __init__(self, adapter: Adapter, another: Callable[..., SuperSocket]) -> None:
        self.another = cast("type[SuperSocket]", another)
        names = {"name": adapter.name, "network_name": f"wintun-api:{adapter.guid}"}
        addresses = [str(ip_interface(str(one)).ip) for one in adapter.addresses]
        super().__init__(_Provider(), {**names, "description": adapter.name, "ips": addresses})


def _source(address: _Address) -> str | None:
    """Return the address of this program behind an adapter with this one; None without room."""
    found = neighbour(address)
    return None if found is None else str(found)


@dataclass(slots=True)
class _Use:
    """Count the contexts that need an adapter's routes, and hold the rows of Scapy's tables."""

    count: int = 0
    rows4: list[_Row4] = field(default_factory=list)
    rows6: list[_Row6] = field(default_factory=list)


# By the network name of the interface, and whether it is the default routes.
_uses: dict[tuple[str, bool], _Use] = {}


def _rows_v4(addresses: Sequence[_Address], name: str, default: bool) -> list[_Row4]:
    """Return routes to the hosts and their subnets, or default routes."""
    no_gateway = str(IPv4Network(0).network_address)
    rows: list[_Row4] = []
    for address in addresses:
        source = _source(address)
        if isinstance(address, IPv4Interface) and source is not None:
            own = [IPv4Network(address.ip), address.network]
            networks = [IPv4Network((0, 0))] if default else own
            for one in networks:
                number, mask = int(one.network_address), int(one.netmask)
                rows.append((number, mask, no_gateway, name, source, 0))
    return rows


def _rows_v6(addresses: Sequence[_Address], name: str, default: bool) -> list[_Row6]:
    rows: list[_Row6] = []
    for address in addresses:
        source = _source(address)
        if isinstance(address, IPv6Interface) and source is not None:
            own = [IPv6Network(address.ip), address.network]
            networks = [IPv6Network((0, 0))] if default else own
            for one in networks:
                prefix = str(one.network_address)
                rows.append((prefix, one.prefixlen, "::", name, [source], 0))
    return rows


def _set_routes(rows4: list[_Row4], rows6: list[_Row6]) -> None:
    """Replace Scapy's lists, because other threads may be looking for a route in the old ones."""
    conf.route.routes, conf.route6.routes = rows4, rows6
    conf.route.invalidate_cache()
    conf.route6.invalidate_cache()
