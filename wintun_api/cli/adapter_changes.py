"""Tell what is different about an adapter, in the words of the dashboard: `MTU 1420 → 1300`."""

from __future__ import annotations

from typing import Any

from wintun_api.cli.route_text import route_text

ONE_BY_ONE = 3  # entries of one list that are told one by one; of more, only how many


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one text for each difference; none if nothing that a person reads is different."""
    told = _value("name", before["name"], after["name"])
    old, new = before["interface_name"], after["interface_name"]
    if old != new:
        told.append(f"interface renamed {old} → {new}")
    told += _value("state", before["state"], after["state"])
    told += _value("link", _link(before), _link(after))
    told += _value("MTU", before["mtu"], after["mtu"])
    told += _value("metric", _metric(before), _metric(after))
    told += _entries("address", before["addresses"], after["addresses"])
    told += _entries("route", _routes(before["routes"]), _routes(after["routes"]))
    told += _other_routes(before, after)
    told += _entries("DNS server", before["dns"], after["dns"])
    told += _entries("search domain", before["dns_search"], after["dns_search"])
    if before["managed"] != after["managed"]:
        told.append("opened" if after["managed"] else "released")
    return told


def change_text(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    """Return what is different, or how it is now if it is unknown how it was."""
    if before is None:
        mtu = [] if after["mtu"] is None else [f"MTU {after['mtu']}"]
        return ", ".join([after["state"], *after["addresses"], *mtu])
    return ", ".join(changes(before, after)) or "a detail that the overview does not show"


def _value(what: str, before: object, after: object) -> list[str]:
    if before == after:
        return []
    old, new = ("unknown" if one is None else one for one in (before, after))
    return [f"{what} {old} → {new}"]


def _link(adapter: dict[str, Any]) -> str | None:
    up = adapter["link_up"]
    return None if up is None else "up" if up else "down"


def _metric(adapter: dict[str, Any]) -> object:
    return "automatic" if adapter["metric"] is None else adapter["metric"]


def _routes(routes: list[dict[str, Any]]) -> list[str]:
    return [route_text(one) for one in routes]


def _other_routes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Tell routes of other programs; of more than are listed only the number is known."""
    old, new = _routes(before["other_routes"]), _routes(after["other_routes"])
    told = [f"{one} by another program" for one in _entries("route", old, new)]
    was, now = before["other_routes_total"], after["other_routes_total"]
    return told or _value("routes of other programs", was, now)


def _entries(what: str, before: list[str], after: list[str]) -> list[str]:
    def told(found: list[str], verb: str) -> list[str]:
        if len(found) > ONE_BY_ONE:
            return [f"{len(found)} {what}{'es' if what.endswith('s') else 's'} {verb}"]
        return [f"{what} {one} {verb}" for one in found]

    removed = [one for one in before if one not in after]
    added = [one for one in after if one not in before]
    return told(removed, "removed") + told(added, "added")
