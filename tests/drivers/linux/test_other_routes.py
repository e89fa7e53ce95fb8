"""Routes of other programs: what is listed of them, and that the rest costs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

import pytest

from tests.drivers.linux import kernel
from tests.drivers.linux.kernel import ip
from wintun_api.drivers.base import Route
from wintun_api.drivers.linux.netlink import Netlink
from wintun_api.drivers.linux.other_routes import MAX_FILTERED, OtherRoutes
from wintun_api.limits import MAX_OTHER_ROUTES

pytestmark = kernel.needs_kernel


@pytest.fixture
def others(namespace: None) -> Iterator[OtherRoutes]:
    """What is read of them, in a namespace with three devices: lo, tun-a and tun-b."""
    for name, address in (("tun-a", "10.6.1.1/24"), ("tun-b", "10.6.2.1/24")):
        ip("tuntap", "add", name, "mode", "tun")
        ip("link", "set", name, "up")
        ip("addr", "add", address, "dev", name)
    netlink = Netlink()
    others = OtherRoutes(netlink)
    yield others
    others.close()
    netlink.close()


def index(name: str) -> int:
    """Return the index of a device."""
    return int(ip("-o", "link", "show", name).partition(":")[0])


def destinations(others: OtherRoutes, name: str) -> list[str]:
    """Return where the routes into a device lead."""
    return [str(route.destination) for route in others.of(index(name)).routes]


def test_what_is_listed(others: OtherRoutes) -> None:
    """Those of any program but ours and the kernel, with next hop and metric."""
    ip("route", "add", "10.70.0.0/16", "via", "10.6.1.9", "dev", "tun-a", "metric", "7")
    ip("route", "add", "10.71.0.0/16", "dev", "tun-a", "proto", "87")
    ip("route", "add", "10.72.0.0/16", "dev", "tun-a", "table", "100")
    ip("route", "add", "default", "dev", "tun-b")
    ip("-6", "route", "add", "fd70::/32", "dev", "tun-a")
    assert others.of(index("tun-a")).routes == (
        Route(destination=ip_network("10.70.0.0/16"), next_hop=ip_address("10.6.1.9"), metric=7),
        Route(destination=ip_network("fd70::/32")),
    )
    assert destinations(others, "tun-b") == ["0.0.0.0/0"]


def test_only_changes_of_the_device_make_it_be_read_again(others: OtherRoutes) -> None:
    """A router that leads elsewhere, and our own routes, change nothing."""
    before = others.of(index("tun-a"))
    ip("route", "add", "10.71.0.0/16", "dev", "tun-b")
    ip("route", "del", "10.71.0.0/16", "dev", "tun-b")
    ip("route", "replace", "10.73.0.0/16", "dev", "tun-b")
    ip("route", "add", "10.72.0.0/16", "dev", "tun-a", "proto", "87")
    ip("addr", "add", "10.6.3.1/24", "dev", "tun-b")
    assert others.of(index("tun-a")) is before
    ip("route", "add", "10.70.0.0/16", "dev", "tun-a")
    assert destinations(others, "tun-a") == ["10.70.0.0/16"]


def test_one_that_moves_to_another_device(others: OtherRoutes) -> None:
    """The kernel does not tell that a replaced route has gone."""
    ip("route", "add", "10.70.0.0/16", "dev", "tun-a")
    assert destinations(others, "tun-a") == ["10.70.0.0/16"]
    ip("route", "replace", "10.70.0.0/16", "dev", "tun-b")
    assert destinations(others, "tun-a") == []
    assert destinations(others, "tun-b") == ["10.70.0.0/16"]


def test_what_goes_without_a_word(others: OtherRoutes) -> None:
    """A device that is set down loses its routes, which the kernel does not report."""
    ip("route", "add", "10.70.0.0/16", "dev", "tun-a")
    assert destinations(others, "tun-a") == ["10.70.0.0/16"]
    ip("link", "set", "tun-a", "down")
    assert destinations(others, "tun-a") == []


def test_more_than_are_listed(others: OtherRoutes) -> None:
    """All are counted; the first ones are listed."""
    count = MAX_OTHER_ROUTES + 50
    kernel.ip_batch(
        "".join(f"route add 11.{n // 256}.{n % 256}.0/24 dev tun-a\n" for n in range(count))
    )
    found = others.of(index("tun-a"))
    assert (len(found.routes), found.total) == (MAX_OTHER_ROUTES, count)
    kernel.ip_batch(
        "".join(f"route del 11.{n // 256}.{n % 256}.0/24 dev tun-a\n" for n in range(count))
    )
    assert others.of(index("tun-a")).total == 0


def test_more_messages_than_are_kept(others: OtherRoutes) -> None:
    """What the kernel could not keep for us counts as a change."""
    others.of(index("tun-a"))
    commands = "".join(
        f"route add 11.{n // 256}.{n % 256}.0/24 dev tun-a\n"
        f"route del 11.{n // 256}.{n % 256}.0/24 dev tun-a\n"
        for n in range(2000)
    )
    kernel.ip_batch(commands + "route add 10.70.0.0/16 dev tun-a\n")
    assert destinations(others, "tun-a") == ["10.70.0.0/16"]


def test_more_devices_than_a_filter_holds(others: OtherRoutes) -> None:
    """Then every message passes, and it is still right."""
    kernel.ip_batch(
        "".join(f"tuntap add d{n} mode tun\nlink set d{n} up\n" for n in range(MAX_FILTERED + 1))
    )
    for number in range(MAX_FILTERED + 1):
        assert destinations(others, f"d{number}") == []
    ip("route", "add", "10.70.0.0/16", "dev", "d7")
    ip("route", "add", "10.71.0.0/16", "dev", f"d{MAX_FILTERED}")
    assert destinations(others, "d7") == ["10.70.0.0/16"]
    assert destinations(others, f"d{MAX_FILTERED}") == ["10.71.0.0/16"]
    others.keep([index("d7")])
    ip("route", "del", "10.70.0.0/16", "dev", "d7")
    assert destinations(others, "d7") == []
