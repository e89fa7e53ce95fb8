"""drivers.linux.routes: exactly these, and those of others stay."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Adapter, Driver, Route
from wintun_api.errors import DriverError

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
    """Routes of the kernel and of ip(8) are neither listed nor removed."""
    kernel.ip("route", "add", "10.70.0.0/16", "dev", "routes")
    adapter.set_routes([V4])
    assert adapter.info().routes == (V4,)
    adapter.set_routes([])
    shown = kernel.ip("route", "show", "dev", "routes")
    assert "10.70.0.0/16" in shown
    assert "10.6.30.0/24 proto kernel" in shown
    assert "10.60.0.0/16" not in shown


def test_refused_by_the_kernel(adapter: Adapter) -> None:
    """A route that the kernel refuses is named, and the routes are as they were."""
    adapter.set_routes([V4, V6])
    own = Route(destination=ip_network("10.61.0.0/16"), next_hop=ip_address("10.6.30.1"))
    with pytest.raises(DriverError, match=r"10\.61\.0\.0/16: ") as refusal:
        adapter.set_routes([Route(destination=V4.destination, metric=5, next_hop=None), own])
    assert refusal.value.function == "RTM_NEWROUTE"
    assert set(adapter.info().routes) == {V4, V6}


def test_taken_by_others(adapter: Adapter) -> None:
    """The same destination and metric of somebody else is refused in words."""
    kernel.ip("route", "add", "10.60.0.0/16", "dev", "routes", "metric", "5")
    with pytest.raises(DriverError, match="There is such a route of this metric already"):
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
