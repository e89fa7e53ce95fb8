"""Network settings: what is set, in which order, and what is otherwise than it was asked for."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface, ip_network
from uuid import UUID

import pytest

from wintun_api.drivers.base import AdapterInfo, Route
from wintun_api.errors import InvalidArgument
from wintun_api.hub.network import NetworkSettings

ROUTE = Route(destination=ip_network("10.0.0.0/8"))
INFO = AdapterInfo(
    guid=UUID(int=1),
    name="OfficeNet",
    pool="Example",
    luid=1,
    interface_index=1,
    interface_name="OfficeNet",
    mtu=1420,
    addresses=(ip_interface("10.6.7.7/24"), ip_interface("fe80::1/64")),
    persistent=True,
    routes=(ROUTE,),
    dns=(ip_address("10.6.7.1"), ip_address("fd06::1")),
    dns_search=("example.com",),
)


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(),
        NetworkSettings(mtu=1420, metric="automatic", routes=(ROUTE,)),
        NetworkSettings(addresses=(ip_interface("10.6.7.7/24"),)),
        NetworkSettings(addresses=(ip_interface("fe80::1/64"), ip_interface("10.6.7.7/24"))),
        NetworkSettings(dns=(ip_address("fd06::1"), ip_address("10.6.7.1"))),
    ],
)
def test_met(settings: NetworkSettings) -> None:
    """Order between versions of IP and link-local addresses of the system make no difference."""
    assert settings.unmet(INFO) is None


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(mtu=1280),
        NetworkSettings(metric=0),
        NetworkSettings(addresses=()),
        NetworkSettings(addresses=(ip_interface("10.6.7.7/24"), ip_interface("fe80::2/64"))),
        NetworkSettings(routes=()),
        NetworkSettings(routes=(ROUTE, Route(destination=ip_network("::/0")))),
        NetworkSettings(dns=(ip_address("10.6.7.1"),)),
        NetworkSettings(dns_search=("example.com", "example.net")),
    ],
)
def test_unmet(settings: NetworkSettings) -> None:
    """Exactly what is otherwise is told."""
    assert settings.unmet(INFO) == settings
    assert settings.merged(NetworkSettings(mtu=1420)).unmet(INFO) in (settings, None)


def test_later_settings_win() -> None:
    """A setting that is given again replaces the one before; the others stay."""
    first = NetworkSettings(mtu=1280, metric=5, routes=(ROUTE,))
    assert first.merged(NetworkSettings(metric="automatic", routes=())) == NetworkSettings(
        mtu=1280, metric="automatic", routes=()
    )


@pytest.mark.parametrize(
    "settings",
    [
        NetworkSettings(mtu=575),
        NetworkSettings(metric=-1),
        NetworkSettings(routes=(Route(destination=ip_network("::/0"), metric=1 << 31),)),
    ],
)
def test_check(settings: NetworkSettings) -> None:
    """What no driver would take is refused before one is asked."""
    with pytest.raises(InvalidArgument):
        settings.check()


def test_routes_that_addresses_make() -> None:
    """A route to an own network without next hop is there with the address, and is shown once."""
    made = Route(destination=ip_network("10.6.7.0/24"))
    wanted = NetworkSettings(routes=(ROUTE, made))
    shown = wanted.completed(INFO)
    assert shown.routes == (ROUTE, made)
    assert wanted.unmet(shown) is None
    assert wanted.completed(shown) is shown
    through = Route(destination=made.destination, next_hop=ip_address("10.6.7.1"))
    assert NetworkSettings(routes=(through,)).completed(INFO) is INFO
    assert NetworkSettings().completed(INFO) is INFO


def test_the_default_metric_of_ipv6() -> None:
    """Where an IPv6 route of the default metric is read as one without, it is remembered so."""
    asked = NetworkSettings(
        routes=tuple(
            Route(destination=ip_network(network), metric=metric)
            for network, metric in (("fd00::/8", 1024), ("fd00::/8", 1), ("11.0.0.0/8", 1024))
        )
    )
    kept = asked.as_read(1024)
    assert [one.metric for one in kept.routes or ()] == [0, 1, 1024]
    assert asked.as_read(0) == asked
    assert NetworkSettings(mtu=1420).as_read(1024) == NetworkSettings(mtu=1420)


def test_another_metric_is_another_route() -> None:
    """Where the driver can tell metrics apart, a route whose metric was changed is missing."""
    network = ip_network("fd00::/8")
    info = replace(INFO, routes=(Route(destination=network),))
    wanted = NetworkSettings(routes=(Route(destination=network, metric=1024),))
    assert wanted.unmet(info) == wanted
