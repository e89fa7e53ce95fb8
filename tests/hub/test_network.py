"""Network settings: what is set, in which order, and what is otherwise than it was asked for."""

from __future__ import annotations

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
