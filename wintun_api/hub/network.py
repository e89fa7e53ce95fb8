"""Hold the network settings that clients asked for, and compare them with the adapter's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from wintun_api.drivers.base import Adapter, AdapterInfo, IPAddress, IPInterface, Route
from wintun_api.drivers.limits import check_metric, check_mtu

Automatic: TypeAlias = Literal["automatic"]
LISTS = ("addresses", "routes", "dns", "dns_search")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """Hold settings of an adapter; None leaves a setting unchanged.

    Attributes:
        mtu: Bytes.
        addresses: All addresses the adapter should have.
        metric: The interface's metric; "automatic" lets the system choose.
        routes: All routes the adapter should have.
        dns: All DNS servers the adapter should have, IPv4 before IPv6.
        dns_search: All search domains the adapter should have.
    """

    mtu: int | None = None
    addresses: tuple[IPInterface, ...] | None = None
    metric: int | Automatic | None = None
    routes: tuple[Route, ...] | None = None
    dns: tuple[IPAddress, ...] | None = None
    dns_search: tuple[str, ...] | None = None

    def check(self) -> None:
        """Raise `InvalidArgument` for a value that is not valid for any driver."""
        if self.mtu is not None:
            check_mtu(self.mtu)
        if isinstance(self.metric, int):
            check_metric(self.metric)
        for route in self.routes or ():
            check_metric(route.metric)

    def as_read(self, default_ipv6_metric: int) -> NetworkSettings:
        """Return these settings with the metrics of routes as the driver will read them.

        Args:
            default_ipv6_metric: What `Capabilities` has under this name.
        """
        if not default_ipv6_metric or self.routes is None:
            return self
        routes = tuple(
            replace(one, metric=0)
            if version_of(one) == 6 and one.metric == default_ipv6_metric
            else one
            for one in self.routes
        )
        return replace(self, routes=routes)

    def of_new(self) -> NetworkSettings:
        """Return these settings without those that a new adapter has anyway.

        These are empty lists and the automatic metric. Not every system can set them.
        """
        default = {name: None for name, value in given(self).items() if value in ((), "automatic")}
        return replace(self, **default) if default else self

    def apply(self, adapter: Adapter) -> None:
        """Apply the given settings; addresses first, as a next hop may be in their subnet."""
        if self.mtu is not None:
            adapter.set_mtu(self.mtu)
        if self.metric is not None:
            adapter.set_metric(None if self.metric == "automatic" else self.metric)
        if self.addresses is not None:
            adapter.set_addresses(self.addresses)
        if self.routes is not None:
            adapter.set_routes(self.routes)
        if self.dns is not None or self.dns_search is not None:
            info = adapter.info()
            servers: Sequence[IPAddress] = info.dns if self.dns is None else self.dns
            search = info.dns_search if self.dns_search is None else self.dns_search
            adapter.set_dns(servers, search)

    def merged(self, later: NetworkSettings) -> NetworkSettings:
        """Return these settings, updated with those that were given later."""
        return replace(self, **given(later))

    def completed(self, info: AdapterInfo) -> AdapterInfo:
        """Return an adapter with those of these routes that exist because of its addresses.

        The system creates a route to the network of each address and does not list it; a client
        that asked for such a route does have it.
        """
        networks = {address.network for address in info.addresses}
        made = [
            one for one in self.routes or () if one.next_hop is None and one.destination in networks
        ]
        if not made:
            return info
        listed = {one.destination for one in info.routes if one.next_hop is None}
        unlisted = tuple(one for one in made if one.destination not in listed)
        return replace(info, routes=info.routes + unlisted) if unlisted else info

    def unmet(self, info: AdapterInfo) -> NetworkSettings | None:
        """Return the settings that an adapter does not have; None if it has all of them."""
        effective = of_info(info)
        missing = {
            name: wanted
            for name, wanted in given(self).items()
            if not _same(name, wanted, getattr(effective, name), self)
        }
        return NetworkSettings(**missing) if missing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmet:
    """Describe how an adapter differs from what the service was asked for.

    Attributes:
        settings: The requested settings that the adapter does not have.
        missing: For settings that are lists, the items that the adapter lacks.
        extra: For settings that are lists, the items that the adapter has in addition.
        link_up: True if the interface should be up but is down, otherwise None.
        marks: The driver's identifying marks that others have removed from the device.
    """

    settings: NetworkSettings
    missing: NetworkSettings
    extra: NetworkSettings
    link_up: bool | None = None
    marks: tuple[str, ...] = ()


def unmet(wanted: NetworkSettings, info: AdapterInfo) -> Unmet | None:
    """Return how an adapter differs from what was asked for; None if it does not.

    An address that another program has impaired counts as missing.
    """
    asked = set(info.impaired_addresses).intersection(wanted.addresses or ())
    if asked:
        info = replace(info, addresses=tuple(one for one in info.addresses if one not in asked))
    settings = wanted.unmet(info)
    if settings is None and info.link_up is not False and not info.lost_marks:
        return None
    settings = settings or NetworkSettings()
    return Unmet(
        settings=settings,
        missing=_beyond(settings, of_info(info), settings),
        extra=_beyond(of_info(info), settings, settings),
        link_up=True if info.link_up is False else None,
        marks=info.lost_marks,
    )


def _beyond(
    one: NetworkSettings, other: NetworkSettings, asked: NetworkSettings
) -> NetworkSettings:
    """Return the items that the lists of `asked` have in one but not in the other."""
    found: dict[str, Any] = {}
    for name in LISTS:
        if getattr(asked, name) is not None:
            known = set(_comparable(name, getattr(other, name), asked))
            compared = _comparable(name, getattr(one, name), asked)
            beyond = set(compared) - known
            rest = tuple(item for item in getattr(one, name) if item in beyond)
            if rest:
                found[name] = rest
    return NetworkSettings(**found)


def of_info(info: AdapterInfo) -> NetworkSettings:
    """Return the settings that an adapter has."""
    return NetworkSettings(
        mtu=info.mtu,
        addresses=info.addresses,
        metric="automatic" if info.metric is None else info.metric,
        routes=info.routes,
        dns=info.dns,
        dns_search=info.dns_search,
    )


def given(settings: NetworkSettings) -> dict[str, Any]:
    """Return the given settings by name."""
    values = ((one.name, getattr(settings, one.name)) for one in fields(settings))
    return {name: value for name, value in values if value is not None}


def _same(name: str, one: Any, other: Any, asked: NetworkSettings) -> bool:
    if one == other:
        return True
    return bool(_comparable(name, one, asked) == _comparable(name, other, asked))


def _comparable(name: str, value: Any, asked: NetworkSettings) -> Any:
    match name:
        case "addresses":
            # Link-local addresses come from the system, unless a client asked for them.
            wanted = asked.addresses or ()
            return {one for one in value if one in wanted or not one.ip.is_link_local}
        case "routes":
            return set(value)
        case "dns":
            return sorted(value, key=lambda server: server.version)  # the order within a version
        case _:
            return value


def version_of(one: IPInterface | Route) -> int:
    """Return the IP version of an address or a route."""
    return one.destination.version if isinstance(one, Route) else one.version
