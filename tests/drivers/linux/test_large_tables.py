"""Routes of others by the hundred thousand: they cost an adapter's calls nothing to speak of."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_interface, ip_network

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Adapter, Driver, Route
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.errors import RouteExists

pytestmark = kernel.needs_kernel

OURS = Route(destination=ip_network("10.60.0.0/16"))


@pytest.fixture
def driver(namespace: None) -> Iterator[Driver]:
    """The kernel driver; how packets are read makes no difference here."""
    driver = LinuxDriver()
    yield driver
    driver.close()


def fill(count: int) -> None:
    """Give another device as many routes, as a router has them."""
    kernel.ip("tuntap", "add", "other", "mode", "tun")
    kernel.ip("link", "set", "other", "up")
    commands = (
        f"route add {11 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24 dev other\n"
        for n in range(count)
    )
    kernel.ip_batch("".join(commands))


def median(call: Callable[[], object]) -> float:
    """Return the median of the seconds that a call takes."""
    times = []
    for _ in range(9):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


@pytest.mark.parametrize(
    "others", [20_000, pytest.param(650_000, marks=pytest.mark.heavy)], ids=str
)
def test_many_routes_of_others(driver: Driver, others: int) -> None:
    """Reading and changing an adapter stays under 0.1 s, which a walk by us would take tenfold."""
    adapter = driver.create_adapter("wide", "Example")
    fill(others)
    adapter.set_addresses([ip_interface("10.6.30.1/24")])
    adapter.set_routes([OURS])
    numbers = iter(range(10_000))

    def change_routes() -> None:
        more = Route(destination=ip_network(f"10.61.{next(numbers)}.0/24"))
        adapter.set_routes([OURS, more])
        assert set(adapter.info().routes) == {OURS, more}

    def change_addresses() -> None:
        adapter.set_addresses(
            [ip_interface("10.6.30.1/24"), ip_interface(f"10.6.31.{next(numbers)}/32")]
        )
        assert OURS in adapter.info().routes

    def change_mtu() -> None:
        adapter.set_mtu(1400 + next(numbers))
        adapter.info()

    calls = (adapter.info, driver.adapters, change_routes, change_addresses, change_mtu)
    assert {call.__name__: took for call in calls if (took := median(call)) > 0.1} == {}
    with pytest.raises(RouteExists, match="into other"):
        adapter.set_routes([OURS, Route(destination=ip_network("11.0.9.0/24"))])
    assert OURS in adapter.info().routes


def test_routes_of_others_that_change(driver: Driver) -> None:
    """A router that changes its routes without end makes nothing be read again."""
    adapter: Adapter = driver.create_adapter("busy", "Example")
    fill(1000)
    adapter.set_routes([OURS])
    before = adapter.info().routes
    kernel.ip_batch("".join(f"route del 11.0.{n}.0/24\n" for n in range(250)))
    kernel.ip_batch("".join(f"route add 11.0.{n}.0/24 dev other\n" for n in range(250)))
    assert adapter.info().routes is before
