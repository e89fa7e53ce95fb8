"""From the routes into a device that are ours to those that shall be there, by the difference."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from contextlib import suppress

from wintun_api.drivers.base import Route
from wintun_api.drivers.linux.rtnetlink import Link, RouteSocket
from wintun_api.errors import DriverError


def set_routes(route: RouteSocket, link: Link, routes: Sequence[Route]) -> None:
    """Make exactly these our routes into the link; those of others are not touched.

    When one is refused, those that were there before are there again.

    Raises:
        DriverError: The kernel refuses one; `detail` names it.
    """
    wanted = list(dict.fromkeys(routes))
    present = route.routes_of(link.index)
    # IPv4 knows destination and metric once: a route with another next hop must go first.
    keys = {(one.destination, one.metric) for one in wanted}
    surplus = [one for one in present if one not in wanted]
    first = [one for one in surplus if (one.destination, one.metric) in keys]
    added: list[Route] = []
    _delete(route, link, first)
    try:
        for one in wanted:
            if one not in present:
                _add(route, link, one)
                added.append(one)
    except DriverError:
        with suppress(DriverError):
            _delete(route, link, added)
            for one in first:
                route.add_route(link.index, one)
        raise
    _delete(route, link, (one for one in surplus if one not in first))


def _add(route: RouteSocket, link: Link, one: Route) -> None:
    try:
        route.add_route(link.index, one)
    except DriverError as error:
        if error.code == errno.EEXIST:
            detail = f"{one.destination}: There is such a route of this metric already."
        else:
            detail = f"{one.destination}: {error.detail}" if error.detail else ""
        raise type(error)(error.function, error.code, detail, domain="errno") from None


def _delete(route: RouteSocket, link: Link, routes: Iterable[Route]) -> None:
    for one in routes:
        try:
            route.delete_route(link.index, one)
        except DriverError as error:
            if error.code != errno.ESRCH:
                raise
