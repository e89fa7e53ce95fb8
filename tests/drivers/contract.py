"""What every driver does: one suite, run over each of them.

A subclass gives a `driver` fixture and says how its host sends; what a driver cannot do is known
from its capabilities, or skipped by the hooks at the end of the class.
"""

from __future__ import annotations

import itertools
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from uuid import UUID, uuid4

import pytest

from tests.waiting import let_pass
from wintun_api.drivers.base import (
    ADAPTER_GONE,
    Adapter,
    AdapterInfo,
    Driver,
    IPInterface,
    LogLevel,
    LogLine,
    Route,
    Session,
)
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    InvalidArgument,
    NotSupported,
    RouteExists,
    SessionEnded,
    SessionExists,
    SettingRefused,
    WintunApiError,
)
from wintun_api.packet import build

CAPACITY = 0x20000  # 128 KiB
PATIENCE = 30.0  # seconds for a host to answer
CLOCK_STEP = 20_000_000  # nanoseconds; Python's clock on Windows moves in steps of about 15 ms

Make = Callable[..., Adapter]


def drain(session: Session) -> list[bytes]:
    """Return what waits, until the ring is exhausted once."""
    packets: list[bytes] = []
    while more := session.receive_packets(256):
        packets += more
    return packets


def bursts(
    session: Session, limit: int = 256, again: Callable[[], object] = int
) -> Iterator[Sequence[bytes]]:
    """Yield what comes, until `PATIENCE`; `again` is called every 0.3 s, for slow hosts."""
    end = time.monotonic() + PATIENCE
    repeat = time.monotonic() + 0.3
    while time.monotonic() < end:
        if packets := session.receive_packets(limit):
            yield packets
        descriptor = session.fileno()
        if descriptor is not None:
            select.select([descriptor], [], [], 0.05)
        else:
            let_pass(0.005)  # nothing says when its ring has something
        if time.monotonic() > repeat:
            again()
            repeat += 0.3


def receive_until(
    session: Session,
    wanted: Callable[[bytes], bool],
    count: int = 1,
    again: Callable[[], object] = int,
) -> list[bytes]:
    """Return the first `count` wanted packets."""
    found: list[bytes] = []
    for packets in bursts(session, again=again):
        found += filter(wanted, packets)
        if len(found) >= count:
            return found[:count]
    raise AssertionError(f"{len(found)} of {count} packets came within {PATIENCE} s.")


def is_datagram(payload: bytes) -> Callable[[bytes], bool]:
    """Return a test for a UDP datagram that ends with this payload."""

    def wanted(packet: bytes) -> bool:
        protocol = packet[9] if packet[0] >> 4 == 4 else packet[6]
        return protocol == build.UDP and packet.endswith(payload)

    return wanted


def is_echo_reply(identifier: int) -> Callable[[bytes], bool]:
    """Return a test for an echo reply, of either version, with this identifier."""

    def wanted(packet: bytes) -> bool:
        if packet[0] >> 4 == 4:
            message, kind = packet[(packet[0] & 15) * 4 :], build.ECHO_REPLY
            protocol = packet[9] == build.ICMP
        else:
            message, kind = packet[40:], build.ECHO_REPLY_V6
            protocol = packet[6] == build.ICMPV6
        return protocol and message[0] == kind and message[4:6] == identifier.to_bytes(2, "big")

    return wanted


def telling(driver: Driver) -> Callable[[], object]:
    """Listen to a driver from now on; the result waits for its next word."""
    descriptor = driver.changes_fileno()
    if descriptor is None:
        told = threading.Event()
        driver.set_watcher(told.set)
        return lambda: told.wait(PATIENCE)
    # What the kernel tells late of what is already there.
    while select.select([descriptor], [], [], 0.5)[0]:
        driver.adapters()
    return lambda: select.select([descriptor], [], [], PATIENCE)[0]


def own_addresses(info: AdapterInfo) -> set[IPInterface]:
    """Return the addresses but for the link-local ones, which a system adds by itself."""
    return {address for address in info.addresses if not address.ip.is_link_local}


class DriverContract:
    """Subclasses override the `driver` fixture and `host_sends`."""

    IPV4 = IPv4Interface("10.6.7.7/24")
    IPV4_PEER = "10.6.7.8"
    IPV6 = IPv6Interface("fd06:7::7/64")
    IPV6_PEER = "fd06:7::8"

    # What a subclass gives.

    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        raise NotImplementedError

    def host_sends(self, adapter: Adapter, destination: str, payload: bytes) -> None:
        """Let the host send a UDP datagram to an address in a subnet of the adapter."""
        raise NotImplementedError

    def hold_host(self, adapter: Adapter) -> AbstractContextManager[None]:
        """Stop the host from taking packets, so that the send ring fills."""
        pytest.skip("The host of this driver cannot be held.")

    # Fixtures.

    @pytest.fixture
    def names(self) -> Iterator[str]:
        """Names nobody has yet."""
        run = uuid4().hex[:6]
        return (f"wt{run}{number}" for number in itertools.count())

    @pytest.fixture
    def make(self, driver: Driver, names: Iterator[str]) -> Iterator[Make]:
        """Create adapters that are gone after the test, whatever became of it."""
        made: list[Adapter] = []

        def create(
            name: str | None = None, pool: str = "Example", guid: UUID | None = None
        ) -> Adapter:
            adapter = driver.create_adapter(name or next(names), pool, guid)
            made.append(adapter)
            return adapter

        yield create
        for adapter in made:
            with suppress(WintunApiError):
                name, pool = adapter.info().name, adapter.info().pool
                adapter.close()
                driver.open_adapter(name, pool).delete()
            with suppress(WintunApiError):
                adapter.delete()

    @pytest.fixture
    def adapter(self, driver: Driver, make: Make) -> Adapter:
        """An adapter with addresses of both families."""
        adapter = make()
        if driver.capabilities.network_settings:
            adapter.set_addresses([self.IPV4, self.IPV6])
        return adapter

    @pytest.fixture
    def session(self, adapter: Adapter) -> Iterator[Session]:
        """A running session on `adapter`."""
        session = adapter.start_session(CAPACITY)
        yield session
        session.end()

    @pytest.fixture
    def with_addresses(self, driver: Driver) -> None:
        """Skip where addresses and MTU cannot be set."""
        if not driver.capabilities.network_settings:
            pytest.skip("The driver has no network settings.")

    # Adapters.

    def test_available(self, driver: Driver) -> None:
        """A driver that works here says so, and that this process may use it."""
        assert driver.unavailable_reason() is None
        assert driver.elevated()

    def test_created_is_listed(self, driver: Driver, make: Make) -> None:
        """A created adapter is in the list of its pool, and in the list of all."""
        adapter = make()
        assert adapter.info() in driver.adapters("Example")
        assert adapter.info() in driver.adapters()

    def test_info(self, driver: Driver, make: Make, names: Iterator[str]) -> None:
        """An adapter has the name, pool and persistence it was created with."""
        name = next(names)
        info = make(name, "Example").info()
        assert (info.name, info.pool) == (name, "Example")
        assert info.persistent == driver.capabilities.persistent_adapters
        assert 0 <= info.luid < 1 << 64

    def test_guid_honoured(self, make: Make) -> None:
        """A requested GUID is what the adapter has."""
        guid = uuid4()
        assert make(guid=guid).info().guid == guid

    def test_guid_random(self, make: Make) -> None:
        """Without a requested GUID every adapter gets one of its own."""
        assert make().info().guid != make().info().guid

    def test_guid_stays(self, make: Make) -> None:
        """The GUID is the same every time it is read."""
        adapter = make()
        assert adapter.info().guid == adapter.info().guid

    @pytest.mark.parametrize("name", ["Büro-Netz", "網路", "Net \U0001f30d", "\U0001f30d" * 63])
    def test_names_are_utf16(self, make: Make, name: str) -> None:
        """A name beyond ASCII, surrogate pairs included, comes back as it went."""
        assert make(name).info().name == name

    @pytest.mark.parametrize(
        "name", ["", "a" * 128, "\U0001f30d" * 64, "a\0b", "a/b", "a\u202eb", "\u200ba"]
    )
    def test_bad_names(self, driver: Driver, name: str) -> None:
        """A name that no driver would take is refused before the driver sees it."""
        with pytest.raises(InvalidArgument):
            driver.create_adapter(name, "Example")

    def test_three_pools(self, driver: Driver, make: Make) -> None:
        """A pool's list has its adapters and no others."""
        made = {pool: make(pool=pool).info() for pool in ("WireGuard", "Example", "Büro")}
        for pool, info in made.items():
            assert driver.adapters(pool) == [info]
        assert {info.guid for info in driver.adapters()} == {one.guid for one in made.values()}

    def test_three_in_a_pool(self, driver: Driver, make: Make) -> None:
        """A pool holds several adapters."""
        made = {make().info().guid for _ in range(3)}
        assert {info.guid for info in driver.adapters("Example")} == made

    def test_unknown_pool_is_empty(self, driver: Driver) -> None:
        """A pool that nobody uses is an empty list, no error."""
        assert driver.adapters("Nobody's") == []

    @pytest.mark.parametrize("pool", ["Example", "Other"])
    def test_same_name(self, driver: Driver, make: Make, pool: str) -> None:
        """A name in use is refused, whatever the pool and the case; the other keeps it."""
        info = make().info()
        with pytest.raises(AdapterExists) as caught:
            driver.create_adapter(info.name.upper(), pool)
        assert caught.value.name == info.name.upper()
        assert [one.name for one in driver.adapters()] == [info.name]

    def test_same_guid(self, driver: Driver, make: Make, names: Iterator[str]) -> None:
        """A GUID in use is refused."""
        guid = uuid4()
        make(guid=guid)
        with pytest.raises(AdapterExists) as caught:
            driver.create_adapter(next(names), "Example", guid)
        assert caught.value.guid == guid

    def test_open(self, driver: Driver, make: Make) -> None:
        """An opened adapter is the one that was created."""
        info = make().info()
        opened = driver.open_adapter(info.name, info.pool)
        assert opened.info() == info
        assert not opened.reboot_required
        opened.close()

    def test_open_unknown(self, driver: Driver, names: Iterator[str]) -> None:
        """To open what is not there says so, with the name."""
        name = next(names)
        with pytest.raises(AdapterNotFound) as caught:
            driver.open_adapter(name, "Example")
        assert caught.value.adapter == name

    def test_open_in_another_pool(self, driver: Driver, make: Make) -> None:
        """An adapter is not found in a pool it is not in."""
        info = make().info()
        with pytest.raises(AdapterNotFound):
            driver.open_adapter(info.name, "Other")

    def test_rename(self, driver: Driver, make: Make, names: Iterator[str]) -> None:
        """A renamed adapter has the new name and the old identity."""
        adapter, name = make(), next(names)
        guid = adapter.info().guid
        if not driver.capabilities.rename:
            with pytest.raises(NotSupported):
                adapter.set_name(name)
            return
        adapter.set_name(name)
        assert (adapter.info().name, adapter.info().guid) == (name, guid)

    def test_open_after_a_rename(self, driver: Driver, make: Make, names: Iterator[str]) -> None:
        """A renamed adapter is opened by its new name, and is not found by its old one."""
        if not driver.capabilities.rename:
            pytest.skip("The driver cannot rename.")
        adapter, name = make(), next(names)
        old, pool = adapter.info().name, adapter.info().pool
        adapter.set_name(name)
        opened = driver.open_adapter(name, pool)
        assert opened.info() == adapter.info()
        opened.close()
        with pytest.raises(AdapterNotFound):
            driver.open_adapter(old, pool)

    def test_rename_to_a_name_in_use(self, driver: Driver, make: Make) -> None:
        """Another adapter's name is refused, and the other one keeps it."""
        if not driver.capabilities.rename:
            pytest.skip("The driver cannot rename.")
        adapter, other = make(), make()
        name = other.info().name
        with pytest.raises(AdapterExists):
            adapter.set_name(name)
        assert other.info().name == name

    def test_delete(self, driver: Driver, make: Make) -> None:
        """A deleted adapter is in no list, and cannot be opened."""
        adapter = make()
        info = adapter.info()
        assert adapter.delete() is False
        assert driver.adapters() == []
        with pytest.raises(AdapterNotFound):
            driver.open_adapter(info.name, info.pool)

    def test_name_and_guid_are_free_again(self, make: Make) -> None:
        """After a deletion the same name and GUID may be used."""
        guid = uuid4()
        adapter = make(guid=guid)
        name = adapter.info().name
        adapter.delete()
        assert make(name, guid=guid).info().guid == guid

    def test_close_is_idempotent(self, make: Make) -> None:
        """A handle is given back once, however often it is asked for."""
        adapter = make()
        adapter.close()
        adapter.close()

    def test_closed_handle(self, make: Make) -> None:
        """A handle that was given back finds no adapter."""
        adapter = make()
        adapter.close()
        with pytest.raises(AdapterNotFound):
            adapter.info()

    def test_persistence(self, driver: Driver, make: Make) -> None:
        """A closed handle leaves the adapter behind exactly where adapters are persistent."""
        adapter = make()
        info = adapter.info()
        adapter.close()
        if driver.capabilities.persistent_adapters:
            driver.open_adapter(info.name, info.pool).delete()
        else:
            with pytest.raises(AdapterNotFound):
                driver.open_adapter(info.name, info.pool)

    def test_delete_pool(self, driver: Driver, make: Make) -> None:
        """Deleting a pool takes its adapters, and no others."""
        if not driver.capabilities.delete_pool:
            with pytest.raises(NotSupported):
                driver.delete_pool("Example")
            return
        make(), make()
        kept = make(pool="Other").info()
        assert driver.delete_pool("Example") is False
        assert driver.adapters() == [kept]

    def test_delete_driver(self, driver: Driver) -> None:
        """An unused driver can be removed exactly where there is such a call."""
        if driver.capabilities.delete_driver:
            assert driver.delete_driver() is False
        else:
            with pytest.raises(NotSupported):
                driver.delete_driver()

    def test_running_driver_version(self, driver: Driver, make: Make) -> None:
        """The version is two numbers or None, and never an error."""
        make()
        version = driver.running_driver_version()
        assert version is None or len(version) == 2

    # Addresses and MTU.

    @pytest.mark.usefixtures("with_addresses")
    def test_addresses(self, make: Make) -> None:
        """Addresses of both families are read back as they were set."""
        adapter = make()
        adapter.set_addresses([self.IPV4, self.IPV6])
        assert own_addresses(adapter.info()) == {self.IPV4, self.IPV6}

    @pytest.mark.usefixtures("with_addresses")
    def test_addresses_are_replaced(self, make: Make) -> None:
        """Exactly the given addresses stay; none at all is possible."""
        adapter, other = make(), ip_interface("10.6.8.1/30")
        adapter.set_addresses([self.IPV4, self.IPV6])
        adapter.set_addresses([other, self.IPV6])
        assert own_addresses(adapter.info()) == {other, self.IPV6}
        adapter.set_addresses([])
        assert own_addresses(adapter.info()) == set()

    @pytest.mark.usefixtures("with_addresses")
    @pytest.mark.parametrize("mtu", [1280, 1420, 65535])
    def test_mtu(self, make: Make, mtu: int) -> None:
        """The MTU is read back as it was set."""
        adapter = make()
        adapter.set_mtu(mtu)
        assert adapter.info().mtu == mtu

    @pytest.mark.usefixtures("with_addresses")
    @pytest.mark.parametrize("mtu", [-1, 0, 575, 65536])
    def test_bad_mtu(self, make: Make, mtu: int) -> None:
        """An MTU that is none for IP is refused."""
        with pytest.raises(InvalidArgument):
            make().set_mtu(mtu)

    # Metric, routes, DNS.

    @pytest.mark.usefixtures("with_addresses")
    def test_metric(self, driver: Driver, make: Make) -> None:
        """The metric is read back as it was set, or the system has none and says so."""
        adapter = make()
        adapter.set_metric(None)
        assert adapter.info().metric is None
        if not driver.capabilities.metric:
            with pytest.raises(NotSupported):
                adapter.set_metric(25)
            return
        adapter.set_metric(25)
        assert adapter.info().metric == 25
        adapter.set_metric(None)
        assert adapter.info().metric is None

    @pytest.mark.usefixtures("with_addresses")
    def test_routes(self, driver: Driver, adapter: Adapter) -> None:
        """Routes are read back as they were set, and no others are listed."""
        assert adapter.info().routes == ()
        routes = [
            Route(destination=ip_network("10.60.0.0/16")),
            Route(destination=ip_network("10.61.0.0/16"), next_hop=ip_address(self.IPV4_PEER)),
            Route(destination=ip_network("0.0.0.0/0"), metric=500),
            Route(destination=ip_network("fd06:60::/32")),
            Route(destination=ip_network("::/0"), next_hop=ip_address(self.IPV6_PEER), metric=7),
        ]
        adapter.set_routes(routes)
        assert set(adapter.info().routes) == set(routes)
        assert driver.adapters() == [adapter.info()]

    @pytest.mark.usefixtures("with_addresses")
    def test_routes_are_replaced(self, adapter: Adapter) -> None:
        """Exactly the given routes stay, also with another next hop or metric; none is possible."""
        network, peer = ip_network("10.60.0.0/16"), ip_address(self.IPV4_PEER)
        kept = Route(destination=ip_network("fd06:60::/32"))
        for one in (
            Route(destination=network),
            Route(destination=network, next_hop=peer),
            Route(destination=network, next_hop=peer, metric=9),
        ):
            adapter.set_routes([kept, one])
            assert set(adapter.info().routes) == {kept, one}
        adapter.set_routes([])
        assert adapter.info().routes == ()
        assert own_addresses(adapter.info()) == {self.IPV4, self.IPV6}

    @pytest.mark.usefixtures("with_addresses")
    def test_a_route_that_an_address_makes(self, adapter: Adapter) -> None:
        """A route to the network of an own address is there already: no error, and not listed."""
        adapter.set_routes([Route(destination=self.IPV4.network)])
        assert adapter.info().routes == ()
        adapter.set_routes([])
        assert own_addresses(adapter.info()) == {self.IPV4, self.IPV6}

    @pytest.mark.usefixtures("with_addresses")
    def test_the_place_of_a_route_that_an_address_makes(self, adapter: Adapter) -> None:
        """A next hop for the network of an own address is refused where the system's route is."""
        for address, peer, metric in (
            (self.IPV4, self.IPV4_PEER, 0),
            (self.IPV6, self.IPV6_PEER, 256),
        ):
            route = Route(destination=address.network, next_hop=ip_address(peer), metric=metric)
            with pytest.raises(RouteExists, match="made it for an address of the adapter") as found:
                adapter.set_routes([route])
            assert "Omit this route" in found.value.hint
            assert adapter.info().routes == ()
            beside = replace(route, metric=metric + 5)
            adapter.set_routes([beside])
            assert adapter.info().routes == (beside,)
            adapter.set_routes([])

    @pytest.mark.usefixtures("with_addresses")
    @pytest.mark.parametrize("hop", [None, "10.6.7.8"])
    def test_the_network_of_another_adapter(
        self, adapter: Adapter, make: Make, hop: str | None
    ) -> None:
        """A route into this adapter does not take the place of the other one's own network."""
        other = make()
        other.set_addresses([IPv4Interface("10.6.9.1/24"), IPv6Interface("fd06:9::1/64")])
        network, next_hop = ip_network("10.6.9.0/24"), ip_address(hop) if hop else None
        taken = [Route(destination=network, next_hop=next_hop)]
        taken += [Route(destination=ip_network("fd06:9::/64"), metric=256)] if not hop else []
        for route in taken:
            with pytest.raises(RouteExists, match=rf"{route.metric} already exists, into") as found:
                adapter.set_routes([route])
            assert "another metric" in found.value.hint
        assert adapter.info().routes == ()
        beside = Route(destination=network, next_hop=next_hop, metric=5)
        adapter.set_routes([beside])
        assert adapter.info().routes == (beside,)

    @pytest.mark.usefixtures("with_addresses")
    def test_a_network_that_another_adapter_has_later(self, adapter: Adapter, make: Make) -> None:
        """A route that was there first may be set again."""
        route = Route(destination=ip_network("10.6.9.0/24"))
        adapter.set_routes([route])
        other = make()
        other.set_addresses([IPv4Interface("10.6.9.1/24")])
        adapter.set_routes([route])
        assert adapter.info().routes == (route,)

    @pytest.mark.usefixtures("with_addresses")
    def test_ipv6_needs_its_mtu(self, adapter: Adapter) -> None:
        """With an MTU below 1280 IPv6 is removed, and refused until the MTU is larger."""
        route = Route(destination=ip_network("fd06:60::/32"))
        kept = Route(destination=ip_network("10.60.0.0/16"))
        adapter.set_routes([route, kept])
        adapter.set_mtu(1279)
        info = adapter.info()
        assert (own_addresses(info), info.routes, info.families) == ({self.IPV4}, (kept,), (4,))
        refusal = "an MTU of 1280 bytes; the adapter has 1279"
        with pytest.raises(SettingRefused, match=refusal):
            adapter.set_addresses([self.IPV4, self.IPV6])
        with pytest.raises(SettingRefused, match=refusal):
            adapter.set_routes([kept, route])
        info = adapter.info()
        assert (own_addresses(info), info.routes) == ({self.IPV4}, (kept,))
        adapter.set_mtu(1280)
        adapter.set_addresses([self.IPV4, self.IPV6])
        assert adapter.info().families == (4, 6)

    @pytest.mark.usefixtures("with_addresses")
    def test_next_hops_that_cannot_be(self, adapter: Adapter) -> None:
        """An own address, a group, loopback or one of the other version leads nowhere."""
        kept = Route(destination=ip_network("10.60.0.0/16"))
        adapter.set_routes([kept])
        for hop in (str(self.IPV4.ip), "224.0.0.1", "127.0.0.1", "0.0.0.0", self.IPV6_PEER):
            wrong = Route(destination=ip_network("10.61.0.0/16"), next_hop=ip_address(hop))
            with pytest.raises(InvalidArgument, match="cannot be the next hop"):
                adapter.set_routes([wrong])
        assert adapter.info().routes == (kept,)

    @pytest.mark.usefixtures("with_addresses")
    def test_two_prefix_lengths(self, adapter: Adapter) -> None:
        """An address has one prefix length; which of two was meant is not guessed."""
        before = own_addresses(adapter.info())
        for twice in (("10.9.0.1/24", "10.9.0.1/16"), ("fd09::1/64", "fd09::1/48")):
            with pytest.raises(InvalidArgument, match="two prefix lengths"):
                adapter.set_addresses([ip_interface(one) for one in twice])
        assert own_addresses(adapter.info()) == before

    @pytest.mark.usefixtures("with_addresses")
    def test_a_route_leads_here(self, adapter: Adapter, session: Session) -> None:
        """What the host sends along a route arrives."""
        adapter.set_routes([Route(destination=ip_network("10.60.0.0/16"))])
        payload = b"along a route " + uuid4().bytes

        def send() -> None:
            self.host_sends(adapter, "10.60.1.2", payload)

        send()
        (packet,) = receive_until(session, is_datagram(payload), again=send)
        assert packet[16:20] == bytes((10, 60, 1, 2))

    @pytest.mark.usefixtures("with_addresses")
    def test_dns(self, driver: Driver, make: Make) -> None:
        """DNS servers and search domains are read back, or the system has none per interface."""
        adapter = make()
        servers = (ip_address("10.6.7.1"), ip_address("10.6.7.2"), ip_address("fd06:7::1"))
        if not driver.capabilities.dns:
            with pytest.raises(NotSupported):
                adapter.set_dns(servers, ["example.com"])
            assert (adapter.info().dns, adapter.info().dns_search) == ((), ())
            return
        adapter.set_dns(servers, ["example.com", "example.net"])
        info = adapter.info()
        assert (info.dns, info.dns_search) == (servers, ("example.com", "example.net"))
        adapter.set_dns([], [])
        assert (adapter.info().dns, adapter.info().dns_search) == ((), ())

    # Sessions.

    def test_capacity(self, session: Session) -> None:
        """A session has the capacity it was started with."""
        assert session.capacity == CAPACITY

    @pytest.mark.parametrize("capacity", [0, -1, 0x10000, 0x20001, 0x8000000])
    def test_bad_capacity(self, make: Make, capacity: int) -> None:
        """A capacity that is no power of two from 128 KiB to 64 MiB is refused."""
        with pytest.raises(InvalidArgument):
            make().start_session(capacity)

    def test_offload(self, driver: Driver, adapter: Adapter) -> None:
        """A session has the offload that is asked for, or is refused where there is none."""
        if driver.capabilities.offload:
            for wanted in (True, False):
                session = adapter.start_session(CAPACITY, offload=wanted)
                assert session.offload is wanted
                session.end()
        else:
            with pytest.raises(NotSupported) as caught:
                adapter.start_session(CAPACITY, offload=True)
            assert caught.value.hint
        session = adapter.start_session(CAPACITY, offload=False)
        assert (session.offload, session.merged) == (False, 0)
        session.end()

    def test_one_session(self, adapter: Adapter, session: Session) -> None:
        """An adapter has one session, and the refusal of another says which adapter it is."""
        guid = adapter.info().guid
        with pytest.raises(SessionExists) as caught:
            adapter.start_session(CAPACITY)
        assert caught.value.adapter == guid

    def test_running(self, driver: Driver, adapter: Adapter) -> None:
        """Its link is up while a session runs; a driver that cannot tell never tells."""
        known = adapter.info().running is not None
        for _ in range(2):
            assert adapter.info().running is (False if known else None)
            session = adapter.start_session(CAPACITY)
            assert adapter.info().running is (True if known else None)
            guid = adapter.info().guid
            (listed,) = [one for one in driver.adapters() if one.guid == guid]
            assert listed.running is (True if known else None)
            session.end()
        assert adapter.info().running is (False if known else None)

    @pytest.mark.parametrize("change", ["mtu", "addresses", "routes", "session"])
    def test_changes_are_told(self, driver: Driver, adapter: Adapter, change: str) -> None:
        """Whatever changes is told without a call, by the descriptor or by the watcher."""
        if adapter.info().running is None:
            pytest.skip("This system tells of no changes.")
        wait = telling(driver)
        ended: list[Callable[[], object]] = []
        if change == "mtu":
            adapter.set_mtu(1300)
        elif change == "addresses":
            adapter.set_addresses([ip_interface("10.6.90.1/24")])
        elif change == "routes":
            adapter.set_routes([Route(destination=ip_network("10.91.0.0/16"))])
        else:
            ended.append(adapter.start_session(CAPACITY).end)
        assert wait()
        for end in ended:
            end()
        driver.set_watcher(None)

    def test_session_again(self, adapter: Adapter) -> None:
        """After the end of a session the next one starts."""
        adapter.start_session(CAPACITY).end()
        adapter.start_session(CAPACITY).end()

    def test_end_is_idempotent(self, session: Session) -> None:
        """A session ends once, however often it is asked for."""
        session.end()
        session.end()
        session.interrupt()

    def test_nothing_waits(self, session: Session) -> None:
        """An exhausted ring is an empty list."""
        for _ in range(10):  # a host may have something to say right then
            drain(session)
            if session.receive_packets(1) == []:
                return
        raise AssertionError("The ring is never exhausted.")

    def test_nothing_to_send(self, session: Session) -> None:
        """Sending nothing sends nothing."""
        assert session.send_packets([]) == 0

    @pytest.mark.usefixtures("with_addresses")
    def test_host_sends(self, adapter: Adapter, session: Session) -> None:
        """A datagram of the host arrives as the bytes of one IP packet."""
        payload = b"from the host " + uuid4().bytes

        def send() -> None:
            self.host_sends(adapter, self.IPV4_PEER, payload)

        send()
        (packet,) = receive_until(session, is_datagram(payload), again=send)
        assert packet[0] >> 4 == 4
        assert int.from_bytes(packet[2:4], "big") == len(packet)
        assert packet[12:20] == self.IPV4.ip.packed + bytes((10, 6, 7, 8))

    @pytest.mark.usefixtures("with_addresses")
    @pytest.mark.parametrize("version", [4, 6])
    def test_echo(self, session: Session, version: int) -> None:
        """The host answers an injected echo request to the adapter's own address."""
        peer, own = (
            (self.IPV4_PEER, self.IPV4.ip) if version == 4 else (self.IPV6_PEER, self.IPV6.ip)
        )
        request = build.icmp_echo(peer, own, identifier=77, sequence=3, data=b"wintun" * 9)

        def send() -> None:
            assert session.send_packets([request]) == 1

        send()
        (reply,) = receive_until(session, is_echo_reply(77), again=send)
        assert reply.endswith(b"wintun" * 9)

    @pytest.mark.usefixtures("with_addresses")
    def test_order(self, session: Session) -> None:
        """Packets keep their order in both directions."""
        first = build.icmp_echo(self.IPV4_PEER, self.IPV4.ip, identifier=8, sequence=0)
        requests = [
            build.icmp_echo(self.IPV4_PEER, self.IPV4.ip, identifier=9, sequence=number)
            for number in range(50)
        ]
        session.send_packets([first])
        receive_until(session, is_echo_reply(8), again=lambda: session.send_packets([first]))
        assert session.send_packets(requests) == 50
        replies = receive_until(session, is_echo_reply(9), 50)
        assert [int.from_bytes(one[26:28], "big") for one in replies] == list(range(50))

    @pytest.mark.usefixtures("with_addresses")
    def test_limit(self, adapter: Adapter, session: Session) -> None:
        """No more than `limit` packets come at once, and the others come later."""
        payload = uuid4().bytes

        def send() -> None:
            self.host_sends(adapter, self.IPV4_PEER, payload)

        send()
        receive_until(session, is_datagram(payload), again=send)
        for _ in range(5):
            send()
        sizes: list[int] = []
        for packets in bursts(session, 2, again=send):
            sizes.append(len(packets))
            if sum(sizes) >= 5 and max(sizes) >= 2:
                break
        assert max(sizes) == 2
        assert sum(sizes) >= 5

    @pytest.mark.usefixtures("with_addresses")
    def test_stamps(self, adapter: Adapter, session: Session) -> None:
        """Each packet has the time at which it was read, while somebody asks for it."""
        payload = uuid4().bytes

        def send() -> None:
            self.host_sends(adapter, self.IPV4_PEER, payload)

        assert session.stamped is False
        send()
        receive_until(session, is_datagram(payload), again=send)
        session.stamped = True
        for _ in range(5):
            send()
        read, begin = 0, time.time_ns()
        for packets in bursts(session, 2):
            stamps = session.stamps
            assert stamps is not None
            times = [stamps.time_ns + later for later in stamps.times]
            assert len(times) == len(packets)
            assert times == sorted(times)
            assert begin - CLOCK_STEP <= times[0] <= times[-1] <= time.time_ns() + CLOCK_STEP
            read += len(packets)
            if read >= 5:
                break
        assert read >= 5

    @pytest.mark.usefixtures("with_addresses")
    def test_ring_full(self, adapter: Adapter, session: Session) -> None:
        """A full ring takes what fits, says how much, and takes more later."""
        request = build.udp(self.IPV4_PEER, self.IPV4.ip, 1000, 2000, bytes(1000))
        with self.hold_host(adapter):
            taken = session.send_packets([request] * 1000)
            assert 0 < taken < 1000
            assert session.send_packets([request]) == 0
        assert session.send_packets([request]) == 1

    @pytest.mark.usefixtures("with_addresses")
    def test_no_packet_overtakes_one_that_waits(self, adapter: Adapter, session: Session) -> None:
        """Where a large packet finds no room, a small one behind it that would fit is not sent."""
        large, small = (
            build.udp(self.IPV4_PEER, self.IPV4.ip, 1000, 2000, bytes(size)) for size in (9000, 4)
        )
        with self.hold_host(adapter):
            while session.send_packets([large]):
                pass
            assert session.send_packets([large, small, small]) == 0
            assert session.send_packets([small, large, small]) <= 1
            assert session.refused == {}

    @pytest.mark.usefixtures("with_addresses")
    def test_quiesce(self, adapter: Adapter, session: Session) -> None:
        """Stopping the host raises nothing, however often, nor after the removal or the end."""
        session.quiesce()
        session.quiesce()
        drain(session)
        adapter.delete()
        session.quiesce()
        session.end()
        session.quiesce()

    @pytest.mark.usefixtures("with_addresses")
    def test_counters(self, adapter: Adapter, session: Session) -> None:
        """The link counts what is sent."""
        before = adapter.counters()
        packets = [build.udp(self.IPV4_PEER, self.IPV4.ip, 1000, 9, bytes(100))] * 10
        assert session.send_packets(packets) == 10
        after = adapter.counters()
        assert after.sent_packets - before.sent_packets >= 10
        assert after.sent_bytes - before.sent_bytes >= 10 * len(packets[0])

    def test_readable_when_packets_wait(self, adapter: Adapter, session: Session) -> None:
        """A waiting packet makes the session readable."""
        drain(session)
        if not own_addresses(adapter.info()):
            pytest.skip("The host needs an address to send from.")
        self.host_sends(adapter, self.IPV4_PEER, b"wake up")
        descriptor = session.fileno()
        if descriptor is not None:
            assert select.select([descriptor], [], [], PATIENCE)[0]
        else:
            assert session.wait_readable()

    def test_interrupt(self, session: Session) -> None:
        """An interrupt wakes the waiter, and stays."""
        if session.fileno() is not None:
            pytest.skip("The session is waited for by its descriptor.")
        drain(session)
        answers: list[bool] = []
        waiter = threading.Thread(
            target=lambda: answers.extend(iter(session.wait_readable, False)), daemon=True
        )
        waiter.start()
        let_pass(0.02)  # it waits, or is about to
        session.interrupt()
        waiter.join(PATIENCE)
        assert not waiter.is_alive()
        assert session.wait_readable() is False

    def test_ended_session(self, session: Session) -> None:
        """Every packet call after the end says that the session has ended."""
        session.end()
        with pytest.raises(SessionEnded):
            session.receive_packets(1)
        with pytest.raises(SessionEnded):
            session.send_packets(
                [build.icmp_echo("10.6.7.8", "10.6.7.7", identifier=1, sequence=1)]
            )

    def test_deleted_under_a_session(self, driver: Driver, adapter: Adapter) -> None:
        """A session whose adapter is deleted ends, and its end is still to be asked for."""
        session = adapter.start_session(CAPACITY)
        info = adapter.info()
        adapter.delete()
        with pytest.raises(SessionEnded):
            drain(session)
        session.end()
        assert info.guid not in {one.guid for one in driver.adapters()}

    @pytest.mark.usefixtures("with_addresses")
    def test_nothing_refused_nothing_truncated(self, adapter: Adapter, session: Session) -> None:
        """What the host takes and what is read whole is counted as no loss, nor after the end."""
        request = build.udp(self.IPV4_PEER, self.IPV4.ip, 1000, 9, bytes(100))
        assert session.send_packets([request] * 3) == 3
        self.host_sends(adapter, self.IPV4_PEER, bytes(100))
        drain(session)
        assert (session.refused, session.truncated) == ({}, 0)
        session.end()
        assert (session.refused, session.truncated) == ({}, 0)

    @pytest.mark.usefixtures("with_addresses")
    def test_counters_after_a_removal(self, adapter: Adapter, session: Session) -> None:
        """Counters outlive the adapter, and have what was sent right before its removal."""
        request = build.udp(self.IPV4_PEER, self.IPV4.ip, 1000, 9, bytes(100))
        assert session.send_packets([request] * 3) == 3
        before = adapter.counters()
        assert session.send_packets([request] * 3) == 3
        adapter.delete()
        with pytest.raises(SessionEnded):
            drain(session)
        after = adapter.counters()
        assert after.sent_packets - before.sent_packets >= 3
        session.end()
        assert adapter.counters() == after

    def test_why_a_session_ended(self, adapter: Adapter, session: Session) -> None:
        """After a deletion the reason is that the adapter is gone, whoever asks and how often."""
        adapter.delete()
        with pytest.raises(SessionEnded):
            drain(session)
        assert adapter.end_reason().startswith(ADAPTER_GONE)
        session.end()
        assert adapter.end_reason().startswith(ADAPTER_GONE)

    def test_counters_of_a_deleted_adapter(self, adapter: Adapter) -> None:
        """An adapter that was deleted without a look at its counters has some."""
        adapter.delete()
        assert adapter.counters() == adapter.counters()

    # Log.

    def test_logger(self, driver: Driver, make: Make) -> None:
        """Lines come with a level and a time; without a logger they go nowhere."""
        lines: list[LogLine] = []
        driver.set_logger(lines.append)
        make()
        with suppress(AdapterNotFound):
            driver.open_adapter("no such adapter", "Example")
        driver.set_logger(None)
        count = len(lines)
        make()
        assert len(lines) == count
        assert all(isinstance(line.level, LogLevel) for line in lines)
        assert all(abs(line.time_ns - time.time_ns()) < 60e9 for line in lines)

    def test_close_driver_twice(self, driver: Driver) -> None:
        """A driver can be closed more than once."""
        driver.close()
        driver.close()
