"""Read and change the routes into an interface (netioapi.h: MIB_IPFORWARD_ROW2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ctypes import byref
from functools import partial
from ipaddress import ip_network
from typing import TypeAlias

from wintun_api.drivers.base import IPAddress, IPNetwork, Route
from wintun_api.drivers.difference import Undo, apply_each, difference
from wintun_api.drivers.network_check import MADE_METRICS
from wintun_api.drivers.windows.interface_rows import InterfaceRows
from wintun_api.drivers.windows.iphlpapi import (
    AF_UNSPEC,
    INFINITE_LIFETIME,
    MIB_IPPROTO_LOCAL,
    MIB_IPPROTO_NETMGMT,
    IpAddressPrefix,
    IpForwardRow2,
    NlroManual,
    SockaddrInet,
)
from wintun_api.drivers.windows.system_calls import SystemCalls, system_error
from wintun_api.drivers.windows.win32 import (
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    ERROR_OBJECT_ALREADY_EXISTS,
    ERROR_SUCCESS,
)
from wintun_api.errors import RouteExists, SettingRefused

# What identifies a route on an interface; the metric is only a property of it.
Key: TypeAlias = tuple[IPNetwork, IPAddress | None]


class RouteRows:
    """Read and change the routes into one interface at a time, by LUID.

    Only routes that a person or a program has added are managed (NetMgmt, manual). Routes that
    Windows adds for addresses, multicast and broadcast (Local), or learns from routers, are not.
    """

    def __init__(self, calls: SystemCalls, interfaces: InterfaceRows) -> None:
        self._calls = calls
        self._interfaces = interfaces

    def get(self, luid: int) -> tuple[Route, ...]:
        """Return the routes."""
        return tuple(_route_of(row) for row in self._rows(luid))

    def set(self, luid: int, routes: Sequence[Route]) -> None:
        """Replace the routes with these.

        If one is refused, the former routes are restored.

        Raises:
            RouteExists: One into another interface is equally preferred.
            SettingRefused: One is refused; `detail` names it. Or a family is not bound (1168).
        """
        wanted: dict[Key, Route] = {(one.destination, one.next_hop): one for one in routes}
        for version in sorted({one.destination.version for one in wanted.values()}):
            self._interfaces.need(luid, version)
        rows = self._calls.rows("GetIpForwardTable2", AF_UNSPEC, IpForwardRow2)
        found = difference(
            _managed(rows, luid),
            wanted,
            place=_key_of,
            right=lambda row, one: row.Metric == one.metric,
        )
        self._refuse_taken(luid, found.missing, rows)
        changed = {_key_of(row): row for row in found.displaced}
        steps: list[Callable[[], Undo | None]] = []
        for route in found.missing:
            row = changed.get((route.destination, route.next_hop))
            steps.append(
                partial(self._create, luid, route)
                if row is None
                else partial(self._change, row, route.metric)
            )
        steps += [partial(self._delete, row) for row in found.surplus]
        apply_each(steps)

    def _rows(self, luid: int) -> list[IpForwardRow2]:
        return _managed(self._calls.rows("GetIpForwardTable2", AF_UNSPEC, IpForwardRow2), luid)

    def _refuse_taken(
        self, luid: int, routes: Sequence[Route], rows: Sequence[IpForwardRow2]
    ) -> None:
        """Refuse a route if one into another interface is equally preferred.

        Windows would accept both and choose one. A route that Windows has made for an address
        counts with the metric that it has on Linux, so that it is not overridden by mistake.
        """
        lengths = {route.destination.prefixlen for route in routes}
        others: dict[IPNetwork, list[IpForwardRow2]] = {}
        for row in rows:
            if row.InterfaceLuid != luid and row.DestinationPrefix.PrefixLength in lengths:
                others.setdefault(_key_of(row)[0], []).append(row)
        for route in routes:
            version = route.destination.version
            for row in others.get(route.destination, ()):
                metric = MADE_METRICS[version] if row.Protocol == MIB_IPPROTO_LOCAL else row.Metric
                mine = self._interfaces.get(luid, version)
                other = self._interfaces.get(row.InterfaceLuid, version)
                if mine is None or other is None:
                    continue
                if mine.Metric + route.metric == other.Metric + metric:
                    raise RouteExists(
                        detail=f"{route.destination}: A route with metric {route.metric} already "
                        f"exists, into the interface with index {row.InterfaceIndex}.",
                        hint="Give this route or one of the two interfaces another metric, where "
                        "smaller is preferred, or remove the other route first.",
                    )

    def _create(self, luid: int, route: Route) -> Undo | None:
        row = IpForwardRow2()
        self._calls.code("InitializeIpForwardEntry", byref(row))
        network, version = route.destination, route.destination.version
        row.InterfaceLuid = luid
        row.DestinationPrefix = IpAddressPrefix(
            Prefix=SockaddrInet.of(network.network_address, version),
            PrefixLength=network.prefixlen,
        )
        row.NextHop = SockaddrInet.of(route.next_hop, version)
        row.ValidLifetime = row.PreferredLifetime = INFINITE_LIFETIME
        row.Metric = route.metric  # Windows adds the interface's
        row.Protocol = MIB_IPPROTO_NETMGMT
        function = "CreateIpForwardEntry2"
        code = self._interfaces.patiently(version, lambda: self._calls.code(function, byref(row)))
        if code == ERROR_OBJECT_ALREADY_EXISTS:
            return None  # Windows has already added it for an address
        detail = f"Windows refuses the route to {network}."
        if code in (ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND):
            raise SettingRefused.from_call(function, code, detail)
        if code != ERROR_SUCCESS:
            raise system_error(function, code, detail)
        return Undo(network, partial(self._delete, row))

    def _change(self, row: IpForwardRow2, metric: int) -> Undo:
        changed = IpForwardRow2.from_buffer_copy(row)
        changed.Metric = metric
        self._calls.call("SetIpForwardEntry2", byref(changed))
        back = partial(self._calls.call, "SetIpForwardEntry2", byref(row))
        return Undo(_key_of(row)[0], back)

    def _delete(self, row: IpForwardRow2) -> Undo | None:
        code = self._calls.code("DeleteIpForwardEntry2", byref(row))
        if code == ERROR_NOT_FOUND:
            return None  # it went by itself
        if code != ERROR_SUCCESS:
            raise system_error("DeleteIpForwardEntry2", code)
        back = partial(self._calls.call, "CreateIpForwardEntry2", byref(row))
        return Undo(_key_of(row)[0], back)


def _managed(rows: Sequence[IpForwardRow2], luid: int) -> list[IpForwardRow2]:
    return [
        row
        for row in rows
        if row.InterfaceLuid == luid
        and row.Protocol == MIB_IPPROTO_NETMGMT
        and row.Origin == NlroManual
    ]


def _key_of(row: IpForwardRow2) -> Key:
    prefix, next_hop = row.DestinationPrefix, row.NextHop.address
    network: IPNetwork = ip_network((prefix.Prefix.address, prefix.PrefixLength), strict=False)
    return network, None if next_hop.is_unspecified else next_hop


def _route_of(row: IpForwardRow2) -> Route:
    destination, next_hop = _key_of(row)
    return Route(destination=destination, next_hop=next_hop, metric=int(row.Metric))
