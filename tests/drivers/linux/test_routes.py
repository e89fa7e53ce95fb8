"""drivers.linux.routes: exactly these, and those of others stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Adapter, Driver, Route
from wintun_api.drivers.linux import route_messages
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.drivers.linux.netlink import Netlink
from wintun_api.errors import InvalidArgument, RouteExists, SettingRefused

pytestmark = kernel.needs_kernel

V4 = Route(destination=ip_network("10.60.0.0/16"), metric=5)
V6 = Route(destination=ip_network("fd06:60::/32"), next_hop=ip_address("fd06:30::2"))


@pytest.fixture
def adapter(driver: Driver) -> Iterator[Adapter]:
    """An adapter with an address of each family."""
    adapter = driver.create_adapter("routes", "Example")
    adapter.set_addresses([ip_interface("10.6.30.1/24"), ip_interface("fd06:30::1/64")])
    yield adapter
    adapter.delete(force=True)


def test_what_the_kernel_has(adapter: Adapter) -> None:
    """Routes carry our protocol number, so that ip(8) shows whose they are."""
    adapter.set_routes([V4, V6])
    assert "10.60.0.0/16 proto 87 scope link metric 5" in kernel.ip(
        "route", "show", "dev", "routes"
    )
    shown = kernel.ip("-6", "route", "show", "dev", "routes")
    assert "fd06:60::/32 via fd06:30::2 proto 87 metric 1024 onlink" in shown


def test_those_of_others_stay(adapter: Adapter) -> None:
    """Routes of the kernel and of ip(8) are not listed as ours, and are not removed."""
    kernel.ip("route", "add", "10.70.0.0/16", "dev", "routes")
    adapter.set_routes([V4])
    assert adapter.info().routes == (V4,)
    assert adapter.info().other_routes == (Route(destination=ip_network("10.70.0.0/16")),)
    adapter.set_routes([])
    shown = kernel.ip("route", "show", "dev", "routes")
    assert "10.70.0.0/16" in shown
    assert "10.6.30.0/24 proto kernel" in shown
    assert "10.60.0.0/16" not in shown


def test_refused_by_the_kernel(adapter: Adapter) -> None:
    """A route that the kernel refuses is named, and the routes are as they were."""
    adapter.set_routes([V4, V6])
    other_device()
    elsewhere = Route(destination=ip_network("fd06:61::/32"), next_hop=ip_address("fd07::9"))
    replaced = Route(destination=V6.destination)
    with pytest.raises(SettingRefused, match=r"fd06:61::/32: fd07::9 cannot be the next hop"):
        adapter.set_routes([replaced, elsewhere])
    assert set(adapter.info().routes) == {V4, V6}
    assert "fd06:60::/32 via fd06:30::2" in kernel.ip("-6", "route", "show", "dev", "routes")


@pytest.mark.parametrize("own", ["10.6.30.1", "fd06:30::1", "10.6.30.255", "127.0.0.1", "::1"])
def test_next_hops_that_cannot_be(adapter: Adapter, own: str) -> None:
    """Own, broadcast and loopback addresses are refused before anything changes."""
    adapter.set_routes([V4, V6])
    hop = ip_address(own)
    destination = ip_network("10.61.0.0/16" if hop.version == 4 else "fd06:61::/32")
    with pytest.raises(InvalidArgument, match="cannot be the next hop"):
        adapter.set_routes([Route(destination=destination, next_hop=hop)])
    assert set(adapter.info().routes) == {V4, V6}


def other_device() -> None:
    kernel.ip("tuntap", "add", "other", "mode", "tun")
    kernel.ip("link", "set", "other", "up")
    kernel.ip("address", "add", "192.168.7.1/24", "dev", "other")
    kernel.ip("address", "add", "fd07::1/64", "dev", "other", "nodad")


@pytest.mark.parametrize(
    ("made", "route", "whose"),
    [
        (("default", "dev", "other"), Route(destination=ip_network("0.0.0.0/0")), "into other"),
        (
            ("-6", "default", "dev", "other", "metric", "7"),
            Route(destination=ip_network("::/0"), metric=7),
            "into other",
        ),
        (
            ("10.60.0.0/16", "via", "192.168.7.9", "proto", "bgp", "metric", "5"),
            V4,
            "into other, of protocol bgp",
        ),
        (("10.60.0.0/16", "dev", "routes", "metric", "5"), V4, "into routes, of protocol boot"),
        (("blackhole", "10.60.0.0/16", "metric", "5"), V4, "into no single interface"),
        ((), Route(destination=ip_network("192.168.7.0/24")), "into other, of protocol kernel"),
        (
            (),
            Route(destination=ip_network("fd07::/64"), metric=256),
            "into other, of protocol kernel",
        ),
    ],
)
def test_taken_by_others(adapter: Adapter, made: tuple[str, ...], route: Route, whose: str) -> None:
    """The same destination and metric of another program is refused, with whose it is."""
    other_device()
    adapter.set_routes([V6])
    if made:
        family = made[:1] if made[0].startswith("-") else ()
        words = made[len(family) :]
        kind = words[:1] if words[0] == "blackhole" else ()
        kernel.ip(*family, "route", "add", *kind, *words[len(kind) :])
    with pytest.raises(RouteExists) as refusal:
        adapter.set_routes([V6, Route(destination=ip_network("10.62.0.0/16")), route])
    assert str(route.destination) in str(refusal.value)
    assert whose in str(refusal.value)
    assert "route del" in refusal.value.hint
    assert adapter.info().routes == (V6,)
    assert "10.62.0.0/16" not in kernel.ip("route", "show", "dev", "routes")


@pytest.mark.parametrize(
    "route",
    [
        Route(destination=ip_network("10.6.30.0/24")),
        Route(destination=ip_network("fd06:30::/64"), metric=256),
    ],
)
def test_made_by_an_address(adapter: Adapter, route: Route) -> None:
    """A route that the kernel has made for an address is there, once, and is not ours."""
    before = [kernel.ip(family, "route", "show") for family in ("-4", "-6")]
    adapter.set_routes([route])
    assert adapter.info().routes == ()
    assert [kernel.ip(family, "route", "show") for family in ("-4", "-6")] == before
    adapter.set_routes([V4, route])
    adapter.set_routes([])
    assert [kernel.ip(family, "route", "show") for family in ("-4", "-6")] == before


def test_two_that_are_one_here(adapter: Adapter) -> None:
    """An IPv6 route without a metric has 1024 here: another one of 1024 is refused in words."""
    network = ip_network("fd06:61::/32")
    same = Route(destination=network, next_hop=ip_address("fd06:30::2"), metric=1024)
    with pytest.raises(InvalidArgument, match="twice with the metric 1024"):
        adapter.set_routes([Route(destination=network), same])


def test_routes_survive_other_settings(adapter: Adapter) -> None:
    """Routes stay when addresses are changed, even the last one of IPv4, and with the MTU."""
    adapter.set_routes([V4, V6])
    adapter.set_addresses([ip_interface("10.6.31.1/24"), ip_interface("fd06:31::1/64")])
    assert set(adapter.info().routes) == {V4, V6}
    adapter.set_addresses([])
    adapter.set_mtu(1300)
    assert set(adapter.info().routes) == {V4, V6}
    assert "10.60.0.0/16 proto 87" in kernel.ip("route", "show", "dev", "routes")
    assert "fd06:60::/32 via" in kernel.ip("-6", "route", "show", "dev", "routes")


@pytest.mark.thorough
def test_ten_thousand(adapter: Adapter) -> None:
    """Thousands are made, read, replaced and removed as one, and a refusal leaves none of them."""
    networks = [ip_network(f"20.{n >> 8}.{n & 255}.0/24") for n in range(10_000)]
    many = [Route(destination=network) for network in networks]
    taken = Route(destination=ip_network("30.0.0.0/24"))
    kernel.ip("route", "add", "30.0.0.0/24", "dev", "routes")
    adapter.set_routes([V6])
    with pytest.raises(RouteExists, match=r"30\.0\.0\.0/24"):
        adapter.set_routes([*many[:5000], taken, *many[5000:]])
    assert adapter.info().routes == (V6,)
    assert own_routes_shown() == 1
    adapter.set_routes(many)
    assert adapter.info().routes == tuple(many)
    assert own_routes_shown() == 10_000
    adapter.set_addresses([])  # the kernel drops them all with the last address
    assert own_routes_shown() == 10_000
    adapter.set_routes(many[:1])
    assert adapter.info().routes == tuple(many[:1])
    assert own_routes_shown() == 1


def own_routes_shown() -> int:
    return sum(
        len(kernel.ip(family, "route", "show", "proto", "87").splitlines())
        for family in ("-4", "-6")
    )


CHANGES: dict[str, tuple[Sequence[str], set[Route]]] = {
    "deleted": (("route", "del", "10.60.0.0/16"), {V6}),
    "deleted, IPv6": (("-6", "route", "del", "fd06:60::/32"), {V4}),
    "added": (
        ("route", "add", "10.63.0.0/16", "dev", "routes", "proto", "87"),
        {V4, V6, Route(destination=ip_network("10.63.0.0/16"))},
    ),
    "flushed with the address": (("address", "del", "10.6.30.1/24", "dev", "routes"), {V6}),
    "set down": (("link", "set", "routes", "down"), set()),
    "too small for IPv6": (("link", "set", "routes", "mtu", "1000"), {V4}),
    "of others": (("route", "add", "10.64.0.0/16", "dev", "routes"), {V4, V6}),
}


@pytest.mark.parametrize(("command", "left"), CHANGES.values(), ids=CHANGES)
def test_changed_from_outside(adapter: Adapter, command: Sequence[str], left: set[Route]) -> None:
    """What another program does to routes of ours is read at once, told by the kernel or not."""
    adapter.set_routes([V4, V6])
    assert set(adapter.info().routes) == {V4, V6}
    kernel.ip(*command)
    assert set(adapter.info().routes) == left


def test_the_same_in_any_order(adapter: Adapter, driver: Driver) -> None:
    """Routes read back the same as they were set, so that nothing seems to have changed."""
    by_number = Route(destination=ip_network("fd06:59::/32"), metric=1024)
    routes = [V6, V4, by_number, Route(destination=ip_network("10.59.0.0/16"))]
    adapter.set_routes(routes)
    before = adapter.info().routes
    later = LinuxDriver()
    (info,) = later.adapters()
    assert info.routes == before
    later.close()


def test_the_default_metric_of_ipv6(adapter: Adapter, driver: Driver) -> None:
    """An IPv6 route of the metric that the capabilities name is read as one without a metric."""
    network, metric = ip_network("fd06:59::/32"), driver.capabilities.default_ipv6_metric
    adapter.set_routes([Route(destination=network, metric=metric)])
    assert metric
    assert adapter.info().routes == (Route(destination=network),)


def test_more_changes_than_are_kept(adapter: Adapter) -> None:
    """Changes of others' routes do not displace the one of ours; too many of ours are read anew."""
    adapter.set_routes([V4, V6])
    assert set(adapter.info().routes) == {V4, V6}
    others = [f"route add 11.0.{n}.0/24 dev routes\n" for n in range(256)]
    kernel.ip_batch("".join([*others, "route del 10.60.0.0/16 dev routes\n"]))
    assert adapter.info().routes == (V6,)
    ours = "".join(
        f"route add 12.{n >> 8}.{n & 255}.0/24 dev routes proto 87\n" for n in range(999)
    )
    kernel.ip_batch(ours)
    assert len(adapter.info().routes) == 1000


def test_a_family_that_is_absent(adapter: Adapter) -> None:
    """A kernel without a family answers with the routes of the others, which are not listed twice.

    AF_CAIF (37) stands for IPv6 here: no kernel has routes of it.
    """
    adapter.set_routes([V4, V6])
    netlink = Netlink()
    index = adapter.info().interface_index
    assert list(route_messages.rows_of_family(netlink, index, 37)) == []
    assert len(list(route_messages.rows_of_family(netlink, index, 2))) == 1
    netlink.close()


def test_without_ipv6(adapter: Adapter) -> None:
    """IPv6 that is disabled, or impossible by the MTU, and a link that is down are named."""
    disable = Path("/proc/sys/net/ipv6/conf/routes/disable_ipv6")
    disable.write_text("1")
    with pytest.raises(SettingRefused, match=r"net\.ipv6\.conf\.routes\.disable_ipv6"):
        adapter.set_routes([V4, Route(destination=V6.destination)])
    assert adapter.info().routes == ()
    disable.write_text("0")
    adapter.set_mtu(1000)
    with pytest.raises(SettingRefused, match="needs an MTU of 1280 bytes"):
        adapter.set_routes([V4, Route(destination=V6.destination)])
    assert adapter.info().routes == ()
    kernel.ip("link", "set", "routes", "down")
    with pytest.raises(SettingRefused, match="is set down"):
        adapter.set_routes([V4])


def test_removed_from_outside(adapter: Adapter) -> None:
    """A route that ip(8) removed is not listed, and no error to remove or to make again."""
    adapter.set_routes([V4, V6])
    kernel.ip("route", "del", "10.60.0.0/16")
    assert adapter.info().routes == (V6,)
    adapter.set_routes([V4])
    assert adapter.info().routes == (V4,)


def test_a_restart(adapter: Adapter, driver: Driver) -> None:
    """Routes are in the kernel: another handle lists them."""
    adapter.set_routes([V4])
    (info,) = driver.adapters()
    assert info.routes == (V4,)


def test_families(adapter: Adapter) -> None:
    """IPv6 counts as bound until it is disabled, or the MTU is too small for it."""
    assert adapter.info().families == (4, 6)
    adapter.set_mtu(576)
    assert adapter.info().families == (4,)
