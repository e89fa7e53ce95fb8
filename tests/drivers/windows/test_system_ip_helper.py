"""The IP Helper of Windows over functions below ctypes: which bytes it gives, and the traps."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import TypeAlias
from uuid import UUID

import pytest

from tests.drivers.windows.fake_iphlpapi import FakeInterface, FakeIphlpapi
from wintun_api.drivers.base import LinkCounters, Route
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows import iphlpapi as nt
from wintun_api.drivers.windows.system_ip_helper import WindowsIpHelper, windows_ip_helper
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.errors import (
    AccessDenied,
    AdapterExists,
    AdapterNotFound,
    DriverError,
    InvalidArgument,
    NotSupported,
    RouteExists,
)

Interface: TypeAlias = IPv4Interface | IPv6Interface

LINK_LOCAL = ip_interface("fe80::abcd/64")
PATIENCE = (0.5, 0.2)


@pytest.fixture
def windows() -> Iterator[FakeIphlpapi]:
    """A Windows whose tables and strings have all been freed at the end."""
    fake = FakeIphlpapi()
    yield fake
    assert fake.tables == {}
    assert fake.strings == {}


@pytest.fixture
def demo(windows: FakeIphlpapi) -> FakeInterface:
    """The adapter, behind another interface."""
    windows.add("Ethernet", "Some card")
    return windows.add("Demo", "Example Tunnel")


@pytest.fixture
def helper(windows: FakeIphlpapi) -> WindowsIpHelper:
    """The helper over it."""
    return WindowsIpHelper(windows.system_calls(), PATIENCE)


def interfaces(*texts: str) -> list[Interface]:
    return [ip_interface(text) for text in texts]


# Identity


def test_identity(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """LUID, GUID, index, alias and description belong together."""
    assert helper.luid_of_alias("Demo") == demo.luid
    assert helper.guid(demo.luid) == demo.guid
    assert helper.interface_index(demo.luid) == 2
    assert helper.alias(demo.luid) == "Demo"
    assert helper.description(demo.luid) == "Example Tunnel"
    assert (demo.luid, "Example Tunnel") in helper.interfaces()


def test_alias_whatever_the_case(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """An alias is found in another case too, and one that is not there is None."""
    assert helper.luid_of_alias("DEMO") == demo.luid
    assert helper.luid_of_alias("Nobody") is None


def test_longest_alias(helper: WindowsIpHelper, windows: FakeIphlpapi) -> None:
    """An alias of 256 units, surrogate pairs included, is read whole."""
    alias = "\U0001f30d" * 128
    assert helper.alias(windows.add(alias).luid) == alias


@pytest.mark.parametrize(
    "call",
    [
        *("guid", "interface_index", "alias", "description", "counters", "mtu", "families"),
        "running",
    ],
)
def test_gone(helper: WindowsIpHelper, call: str) -> None:
    """An interface that is not there is not found, whatever the number Windows gives."""
    with pytest.raises(AdapterNotFound):
        getattr(helper, call)(77)


def test_rename(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """An interface is renamed by its GUID; an alias in use is refused (52)."""
    helper.rename(demo.luid, "HomeNet")
    assert demo.alias == "HomeNet"
    assert windows.given("NciSetConnectionName")[0][:16] == demo.guid.bytes_le
    with pytest.raises(AdapterExists) as refusal:
        helper.rename(demo.luid, "ETHERNET")
    assert (refusal.value.function, refusal.value.code) == ("NciSetConnectionName", 52)
    assert demo.alias == "HomeNet"


@pytest.mark.parametrize(
    ("status", "running"), [(1, True), (2, False), (5, False), (6, False), (7, False)]
)
def test_running(helper: WindowsIpHelper, demo: FakeInterface, status: int, running: bool) -> None:
    """Only an operational interface runs (ifdef.h: IF_OPER_STATUS)."""
    demo.entry.OperStatus = status
    assert helper.running(demo.luid) is running


def test_counters(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """What the host sends out is what the application receives, and the other way round."""
    entry = demo.entry
    entry.OutUcastPkts, entry.OutNUcastPkts, entry.OutOctets, entry.OutDiscards = 5, 2, 700, 3
    entry.InUcastPkts, entry.InNUcastPkts, entry.InOctets, entry.InDiscards = 4, 1, 500, 6
    assert helper.counters(demo.luid) == LinkCounters(
        received_packets=7,
        received_bytes=700,
        received_dropped=3,
        sent_packets=5,
        sent_bytes=500,
        sent_dropped=6,
    )


# Families, MTU, metric


def test_mtu(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Both families get the MTU; the site prefix length that was read is not given back."""
    assert helper.mtu(demo.luid) == 65535
    helper.set_mtu(demo.luid, 1420)
    assert helper.mtu(demo.luid) == 1420
    four, six = windows.given("SetIpInterfaceEntry")
    assert (four[0], six[0]) == (2, 23)
    assert four[8:16] == six[8:16] == demo.luid.to_bytes(8, "little")
    assert four[144:148] == bytes(4)
    assert int.from_bytes(six[144:148], "little") <= 128
    assert four[152:156] == six[152:156] == (1420).to_bytes(4, "little")
    helper.set_mtu(demo.luid, 1421)  # the value read back is refused again


def test_small_mtu(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """IPv6 keeps its 1280 bytes when IPv4 gets less."""
    helper.set_mtu(demo.luid, 576)
    assert (demo.rows[nt.AF_INET].NlMtu, demo.rows[nt.AF_INET6].NlMtu) == (576, 1280)
    assert helper.mtu(demo.luid) == 576


def test_metric(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """A metric is set for both families, and becomes automatic again, with nothing else changed."""
    assert helper.metric(demo.luid) is None
    helper.set_metric(demo.luid, 0)
    assert helper.metric(demo.luid) == 0
    for given in windows.given("SetIpInterfaceEntry"):
        assert given[44] == 0
        assert given[148:152] == bytes(4)
        assert given[152:156] == (65535).to_bytes(4, "little")
    helper.set_metric(demo.luid, None)
    assert helper.metric(demo.luid) is None
    assert demo.rows[nt.AF_INET6].UseAutomaticMetric == 1


def test_waits_for_the_family(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """A family that is bound a moment later (1168 until then) is waited for."""
    demo.unbound_for = {nt.AF_INET: 3, nt.AF_INET6: 2}
    helper.set_mtu(demo.luid, 1420)
    assert (demo.rows[nt.AF_INET].NlMtu, demo.rows[nt.AF_INET6].NlMtu) == (1420, 1420)


def test_bound_and_not_ready(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """1168 of the call itself is tried again, and is an error when it stays."""
    windows.fail("CreateUnicastIpAddressEntry", 1168, 1168)
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    windows.fail("CreateIpForwardEntry2", 1168)
    helper.set_routes(demo.luid, [Route(destination=ip_network("::/0"))])
    assert len(helper.addresses(demo.luid)) == 2
    assert len(helper.routes(demo.luid)) == 1
    windows.fail("CreateUnicastIpAddressEntry", *[1168] * 100)
    with pytest.raises(DriverError) as refusal:
        helper.set_addresses(demo.luid, interfaces("10.6.8.8/24"))
    assert refusal.value.code == 1168


def test_reading_does_not_wait(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """What is read is what is there now."""
    demo.unbound_for = {nt.AF_INET: -1, nt.AF_INET6: -1}
    started = time.monotonic()
    assert helper.families(demo.luid) == ()
    assert helper.mtu(demo.luid) is None
    assert helper.metric(demo.luid) is None
    assert time.monotonic() - started < PATIENCE[1]


def test_ipv6_disabled(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Without IPv6 its settings are left out, waited for once; its addresses are refused."""
    demo.unbound_for = {nt.AF_INET6: -1}
    assert helper.families(demo.luid) == (4,)
    helper.set_mtu(demo.luid, 1420)
    started = time.monotonic()
    helper.set_metric(demo.luid, 25)
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    assert time.monotonic() - started < PATIENCE[1]
    before = windows.changes()
    with pytest.raises(DriverError, match=r"IPv6 is not bound .*disabled") as refusal:
        helper.set_addresses(demo.luid, interfaces("10.6.7.8/24", "fd06:7::7/64"))
    assert refusal.value.code == 1168
    with pytest.raises(DriverError, match="IPv6 is not bound"):
        helper.set_routes(demo.luid, [Route(destination=ip_network("::/0"))])
    assert windows.changes() == before
    demo.unbound_for = {}
    helper.set_addresses(demo.luid, interfaces("fd06:7::7/64"))
    assert helper.families(demo.luid) == (4, 6)


def test_ipv4_never_bound(helper: WindowsIpHelper, demo: FakeInterface) -> None:
    """An interface that IP is never bound to is an error that says so, after a bounded time."""
    demo.unbound_for = {nt.AF_INET: -1}
    started = time.monotonic()
    with pytest.raises(DriverError, match="IPv4 is not bound") as refusal:
        helper.set_mtu(demo.luid, 1420)
    assert (refusal.value.function, refusal.value.code) == ("GetIpInterfaceEntry", 1168)
    assert PATIENCE[0] <= time.monotonic() - started < PATIENCE[0] + 1


# Addresses


def test_addresses(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Addresses are made with every field that matters, and read back."""
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24", "fd06:7::7/64"))
    assert set(helper.addresses(demo.luid)) == {
        *interfaces("10.6.7.7/24", "fd06:7::7/64"),
        LINK_LOCAL,
    }
    four, six = windows.given("CreateUnicastIpAddressEntry")
    assert four[:8] == b"\x02\x00\x00\x00" + bytes((10, 6, 7, 7))
    assert six[:2] == b"\x17\x00"
    assert six[8:24] == ip_address("fd06:7::7").packed
    for row, prefix in ((four, 24), (six, 64)):
        assert row[32:40] == demo.luid.to_bytes(8, "little")
        assert row[52:60] == b"\xff" * 8  # valid and preferred for ever
        assert row[60] == prefix
        assert row[64] == 4  # preferred at once


def test_exactly_these(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Others go, Windows' own link-local one stays, and what is there is not touched."""
    windows.add_address(demo, "192.168.9.9", 24, nt.AF_INET)
    windows.add_address(demo, "fe80::1", 64, nt.AF_INET6)  # set by hand
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    assert set(helper.addresses(demo.luid)) == {*interfaces("10.6.7.7/24"), LINK_LOCAL}
    before = len(windows.changes())
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    assert len(windows.changes()) == before
    helper.set_addresses(demo.luid, [])
    assert helper.addresses(demo.luid) == (LINK_LOCAL,)
    assert len(windows.addresses) == 2  # the other interface's


def test_prefix_changes(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """Another prefix length is set in place, so that connections survive it."""
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/16"))
    assert ip_interface("10.6.7.7/16") in helper.addresses(demo.luid)
    assert windows.changes() == ["CreateUnicastIpAddressEntry", "SetUnicastIpAddressEntry"]


def test_exists_already(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """5010 for an address that came to be on the interface meanwhile is none."""
    windows.fail("CreateUnicastIpAddressEntry", 5010)
    windows.fail("GetUnicastIpAddressTable", 1168)  # it was not there a moment ago
    windows.add_address(demo, "10.6.7.7", 8, nt.AF_INET)
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    assert ip_interface("10.6.7.7/24") in helper.addresses(demo.luid)


def test_exists_elsewhere(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """5010 for another interface's address is refused, and everything is as it was."""
    windows.add_address(windows.interfaces[0], "10.6.7.7", 24, nt.AF_INET)
    helper.set_addresses(demo.luid, interfaces("10.6.8.8/24"))
    before = helper.addresses(demo.luid)
    with pytest.raises(
        DriverError, match=r"10\.6\.7\.7 is already an address of another interface"
    ) as error:
        helper.set_addresses(demo.luid, interfaces("10.6.8.8/16", "10.6.9.9/24", "10.6.7.7/24"))
    assert error.value.code == 5010
    assert helper.addresses(demo.luid) == before


@pytest.mark.parametrize("state", [nt.IpDadStateInvalid, nt.IpDadStateDuplicate])
def test_unusable_addresses(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface, state: int
) -> None:
    """An address that Windows found in use elsewhere is not shown as one of the adapter's."""
    windows.add_address(demo, "10.6.7.7", 24, nt.AF_INET).DadState = state
    assert helper.addresses(demo.luid) == (LINK_LOCAL,)
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    assert "CreateUnicastIpAddressEntry" not in windows.changes()


@pytest.mark.parametrize("wrong", ["0.0.0.0/8", "::/64", "224.0.0.1/24", "ff02::1/64"])
def test_no_addresses(helper: WindowsIpHelper, demo: FakeInterface, wrong: str) -> None:
    """Group addresses and the unspecified one are refused."""
    with pytest.raises(InvalidArgument):
        helper.set_addresses(demo.luid, interfaces(wrong))


def test_removed_meanwhile(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """An address that went by itself (1168) needs no removal; another failure is one."""
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    windows.fail("DeleteUnicastIpAddressEntry", 1168)
    helper.set_addresses(demo.luid, [])
    windows.fail("DeleteUnicastIpAddressEntry", 5)
    with pytest.raises(AccessDenied):
        helper.set_addresses(demo.luid, [])


def test_a_removal_that_fails_changes_nothing(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """When the last of all removals is refused, what was added, changed and removed is reverted."""
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24", "10.6.8.8/24", "10.6.9.9/24"))
    before = set(helper.addresses(demo.luid))
    windows.fail("DeleteUnicastIpAddressEntry", 0, 5)
    with pytest.raises(AccessDenied) as refusal:
        helper.set_addresses(demo.luid, interfaces("10.6.7.7/16", "10.6.6.6/24"))
    assert set(helper.addresses(demo.luid)) == before
    assert "restored" not in str(refusal.value)
    helper.set_routes(demo.luid, [V4, V6])
    windows.fail("DeleteIpForwardEntry2", 0, 5)
    with pytest.raises(AccessDenied):
        helper.set_routes(demo.luid, [Route(destination=ip_network("10.61.0.0/16"))])
    assert set(helper.routes(demo.luid)) == {V4, V6}


def test_what_cannot_be_restored_is_told(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """The error says which address and which route are not as they were."""
    helper.set_addresses(demo.luid, interfaces("10.6.7.7/24"))
    windows.fail("CreateUnicastIpAddressEntry", 0, 87)
    windows.fail("DeleteUnicastIpAddressEntry", 5)
    with pytest.raises(DriverError, match=r"10\.6\.9\.9/24\. The former .*: 10\.6\.8\.8/24: Acc"):
        helper.set_addresses(demo.luid, interfaces("10.6.8.8/24", "10.6.9.9/24"))
    windows.fail("CreateIpForwardEntry2", 0, 87)
    windows.fail("DeleteIpForwardEntry2", 31)
    with pytest.raises(DriverError, match=r"could not be restored: 10\.60\.0\.0/16: .*31"):
        helper.set_routes(demo.luid, [V4, Route(destination=ip_network("10.61.0.0/16"))])


# Routes

V4 = Route(destination=ip_network("10.60.0.0/16"))
V6 = Route(destination=ip_network("::/0"), next_hop=ip_address("fd06:7::1"), metric=7)


def test_routes(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Routes are made with every field that matters, and read back."""
    helper.set_routes(demo.luid, [V4, V6])
    assert set(helper.routes(demo.luid)) == {V4, V6}
    four, six = windows.given("CreateIpForwardEntry2")
    assert four[12:20] == b"\x02\x00\x00\x00" + bytes((10, 60, 0, 0))
    assert (four[40], six[40]) == (16, 0)
    assert four[44:52] == b"\x02\x00" + bytes(6)  # on-link
    assert six[44:46] == b"\x17\x00"
    assert six[52:68] == ip_address("fd06:7::1").packed
    for row, metric in ((four, 0), (six, 7)):
        assert row[:8] == demo.luid.to_bytes(8, "little")
        assert row[76:84] == b"\xff" * 8
        assert row[84] == metric
        assert row[88] == 3  # NetMgmt


def test_routes_of_windows(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """Connected routes, those of groups and learnt ones are neither listed nor removed."""
    helper.set_routes(demo.luid, [V4])
    for change in ({"Protocol": 2}, {"Origin": 3}, {"InterfaceLuid": windows.interfaces[0].luid}):
        row = nt.IpForwardRow2.from_buffer_copy(windows.routes[0])
        row.DestinationPrefix.PrefixLength = 8
        for member, value in change.items():
            setattr(row, member, value)
        windows.routes.append(row)
    assert helper.routes(demo.luid) == (V4,)
    helper.set_routes(demo.luid, [])
    assert helper.routes(demo.luid) == ()
    assert len(windows.routes) == 3


def test_routes_by_difference(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """A metric is changed in place, another next hop is another route, the same stays."""
    helper.set_routes(demo.luid, [V4, V6])
    windows.calls.clear()
    other = Route(destination=V6.destination, next_hop=V6.next_hop, metric=9)
    helper.set_routes(demo.luid, [V4, other])
    assert windows.changes() == ["SetIpForwardEntry2"]
    via = Route(destination=V4.destination, next_hop=ip_address("10.6.7.8"))
    helper.set_routes(demo.luid, [via, other])
    assert windows.changes()[1:] == ["CreateIpForwardEntry2", "DeleteIpForwardEntry2"]
    assert set(helper.routes(demo.luid)) == {via, other}


def test_route_refused(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """A route that is refused is named, and the others are as they were."""
    helper.set_routes(demo.luid, [V6])
    windows.fail("CreateIpForwardEntry2", 0, 87)
    wanted = [
        Route(destination=V6.destination, next_hop=V6.next_hop, metric=1),
        V4,
        Route(destination=ip_network("10.61.0.0/16")),
    ]
    with pytest.raises(DriverError, match=r"10\.61\.0\.0/16") as refusal:
        helper.set_routes(demo.luid, wanted)
    assert refusal.value.code == 87
    assert helper.routes(demo.luid) == (V6,)


@pytest.mark.parametrize(
    ("change", "metric"),
    [({}, 0), ({"Metric": 7}, 7), ({"Protocol": 2, "Metric": 256}, 0)],
)
def test_route_into_another_interface(
    helper: WindowsIpHelper,
    windows: FakeIphlpapi,
    demo: FakeInterface,
    change: dict[str, int],
    metric: int,
) -> None:
    """One that is as good as a route into another interface is refused before any change."""
    helper.set_routes(demo.luid, [V4])
    other = nt.IpForwardRow2.from_buffer_copy(windows.routes[0])
    interface = windows.interfaces[0]
    assert interface is not demo
    other.InterfaceLuid, other.InterfaceIndex = interface.luid, interface.index
    other.DestinationPrefix.Prefix = nt.SockaddrInet.of(ip_address("10.61.0.0"), 4)
    for member, value in change.items():
        setattr(other, member, value)
    windows.routes.append(other)
    windows.calls.clear()
    taken = Route(destination=ip_network("10.61.0.0/16"), metric=metric)
    with pytest.raises(RouteExists, match=f"10.61.0.0/16: .*index {interface.index}") as refusal:
        helper.set_routes(demo.luid, [taken])
    assert refusal.value.failed is None  # Windows was not asked
    assert windows.changes() == []
    helper.set_routes(demo.luid, [Route(destination=taken.destination, metric=metric + 1)])
    interface.rows[nt.AF_INET].Metric += 1
    helper.set_routes(demo.luid, [taken])
    assert helper.routes(demo.luid) == (taken,)


def test_route_exists(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """5010 for a route is one that Windows itself made on the same interface."""
    windows.fail("CreateIpForwardEntry2", 5010)
    helper.set_routes(demo.luid, [V4])
    assert helper.routes(demo.luid) == ()


# DNS


def test_dns(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Servers go to the list of their family, by the GUID's bytes; all come back."""
    servers = [ip_address(text) for text in ("fd06:7::1", "10.6.7.1", "10.6.7.2")]
    helper.set_dns(demo.luid, servers, ["example.com", "example.net"])
    assert windows.dns == {
        (demo.guid, 0): ("10.6.7.1,10.6.7.2", "example.com,example.net"),
        (demo.guid, 1): ("fd06:7::1", "example.com,example.net"),
    }
    assert helper.dns(demo.luid) == (
        tuple(ip_address(text) for text in ("10.6.7.1", "10.6.7.2", "fd06:7::1")),
        ("example.com", "example.net"),
    )
    four, six = windows.given("SetInterfaceDnsSettings")
    assert four[:16] == six[:16] == demo.guid.bytes_le
    assert four[16:20] == b"\x01\x00\x00\x00"
    assert (four[24], six[24]) == (0x6, 0x7)
    helper.set_dns(demo.luid, [], [])
    assert helper.dns(demo.luid) == ((), ())


def test_dns_of_others(helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """Nothing set, separators of old, zones and rubbish are read as what they are."""
    assert helper.dns(demo.luid) == ((), ())
    windows.dns[demo.guid, 0] = ("10.6.7.1 10.6.7.2,rubbish", "")
    windows.dns[demo.guid, 1] = ("fe80::1%7", "example.com")
    assert helper.dns(demo.luid) == (
        tuple(ip_address(text) for text in ("10.6.7.1", "10.6.7.2", "fe80::1")),
        ("example.com",),
    )
    windows.fail("GetInterfaceDnsSettings", 5)
    with pytest.raises(AccessDenied):
        helper.dns(demo.luid)


# Which Windows


@pytest.mark.parametrize(
    "name", ["SetInterfaceDnsSettings", "GetInterfaceDnsSettings", "FreeInterfaceDnsSettings"]
)
def test_old_windows(windows: FakeIphlpapi, demo: FakeInterface, name: str) -> None:
    """Without a function for DNS there is none, and to set it says so."""
    windows.missing.add(name)
    helper = WindowsIpHelper(windows.system_calls(), PATIENCE)
    assert not helper.has_dns
    assert helper.has_rename
    assert helper.dns(demo.luid) == ((), ())


def test_set_without_the_function(windows: FakeIphlpapi, demo: FakeInterface) -> None:
    """A function that is missing is named."""
    windows.missing |= {"SetInterfaceDnsSettings", "NciSetConnectionName"}
    helper = WindowsIpHelper(windows.system_calls(), PATIENCE)
    assert not helper.has_rename
    with pytest.raises(NotSupported) as refusal:
        helper.set_dns(demo.luid, [], [])
    assert refusal.value.failed is None  # there is nothing to call
    assert "SetInterfaceDnsSettings" in str(refusal.value)
    with pytest.raises(NotSupported):
        helper.rename(demo.luid, "HomeNet")


def test_complete(windows: FakeIphlpapi) -> None:
    """Whether all that Windows has had since Vista is there can be told, without a call."""
    assert windows.system_calls().complete
    windows.missing.add("CreateUnicastIpAddressEntry")
    assert not windows.system_calls().complete
    assert windows.calls == []


@pytest.mark.skipif(sys.platform == "win32", reason="here it may be there")
def test_off_windows() -> None:
    """Off Windows there is no IP Helper of Windows, and to look for it is no error."""
    assert windows_ip_helper() is None


# The driver over it


@pytest.mark.parametrize("generation", list(Generation))
def test_driver(windows: FakeIphlpapi, generation: Generation) -> None:
    """The driver finds its adapters by the LUIDs that Wintun gives."""
    library = EmulatedLibrary(generation)
    driver = WintunDriver(library, WindowsIpHelper(windows.system_calls(), PATIENCE))
    windows.add("Ethernet", "Some card")
    with pytest.raises(AdapterExists):
        driver.create_adapter("ethernet", "Example")
    adapter = driver.create_adapter("Demo", "Example", UUID(int=7))
    made = windows.add("Demo 1")  # which alias it is in the end is Windows' to say
    made.luid = adapter.luid
    for row in made.rows.values():
        row.InterfaceLuid = adapter.luid
    adapter.set_mtu(1420)
    adapter.set_metric(25)
    adapter.set_addresses(interfaces("10.6.7.7/24"))
    adapter.set_routes([V4])
    adapter.set_dns([ip_address("10.6.7.1")], ["example.com"])
    info = adapter.info()
    assert (info.guid, info.interface_name, info.interface_index) == (made.guid, "Demo 1", 2)
    assert (info.mtu, info.metric, info.routes) == (1420, 25, (V4,))
    assert info.addresses == tuple(interfaces("10.6.7.7/24"))
    assert (info.dns, info.dns_search) == ((ip_address("10.6.7.1"),), ("example.com",))
    assert info.families == (4, 6)
    assert driver.adapters("Example") == [info]
    adapter.delete()
    driver.close()
    assert library.misuse == []


def test_adapters_of_others(windows: FakeIphlpapi) -> None:
    """In 0.14 adapters of other programs are known by their description, numbers included."""
    driver = WintunDriver(
        EmulatedLibrary(Generation.TUNNEL_TYPE),
        WindowsIpHelper(windows.system_calls(), PATIENCE),
        pools=("Example",),
    )
    windows.add("One", "Example Tunnel")
    windows.add("Two", "Example Tunnel #2")
    windows.add("Three", "Other Tunnel")
    windows.add("Four", "Example Tunnel-WFP Native MAC Layer LightWeight Filter-0000")
    infos = driver.adapters()
    assert [(info.name, info.pool, info.orphan) for info in infos] == [
        ("One", "Example", True),
        ("Two", "Example", True),
    ]
    assert [info.name for info in driver.adapters("Other")] == ["Three"]
    driver.close()


# Numbers that carry a Win32 code


@pytest.mark.parametrize("high", [0, 0x80070000, 0xC0070000], ids=["plain", "HRESULT", "NTSTATUS"])
@pytest.mark.parametrize(
    ("code", "kind"),
    [(5, AccessDenied), (2, AdapterNotFound), (50, NotSupported), (87, DriverError)],
)
def test_a_carried_code_is_read(
    windows: FakeIphlpapi, demo: FakeInterface, code: int, kind: type[DriverError], high: int
) -> None:
    """A code means the same however it comes, and the number as it came is in the error."""
    helper = WindowsIpHelper(windows.system_calls(), PATIENCE)
    windows.fail("SetIpInterfaceEntry", high | code)
    with pytest.raises(DriverError) as caught:
        helper.set_mtu(demo.luid, 1420)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.carried) == (high | code, code)


def test_carried_codes_that_do_not_mean_failure(
    helper: WindowsIpHelper, windows: FakeIphlpapi, demo: FakeInterface
) -> None:
    """What is expected as a code is expected as an HRESULT too: not bound, there already, none."""
    windows.fail("GetIpInterfaceEntry", 0x80070490)  # IPv4 is not bound
    assert helper.families(demo.luid) == (6,)
    windows.fail("GetUnicastIpAddressTable", 0x80070490)
    assert helper.addresses(demo.luid) == ()
    windows.fail("ConvertInterfaceLuidToGuid", 0x80070057)
    with pytest.raises(AdapterNotFound) as caught:
        helper.guid(demo.luid)
    assert caught.value.code == 0x80070057
    windows.fail("NciSetConnectionName", 0x80070034)
    with pytest.raises(AdapterExists):
        helper.rename(demo.luid, "HomeNet")
