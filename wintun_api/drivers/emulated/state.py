"""The file that keeps persistent adapters over a restart of the emulated driver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any
from uuid import UUID

from wintun_api.drivers.base import IPAddress, IPInterface, Route
from wintun_api.errors import InvalidArgument

_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """One adapter as it is kept."""

    guid: UUID
    name: str
    pool: str
    mtu: int
    addresses: tuple[IPInterface, ...]
    metric: int | None = None
    routes: tuple[Route, ...] = ()
    dns: tuple[IPAddress, ...] = ()
    dns_search: tuple[str, ...] = ()


def load_devices(path: Path) -> list[DeviceState]:
    """Read the file; `[]` when there is none yet.

    Raises:
        InvalidArgument: The file is none of ours.
    """
    if not path.exists():
        return []
    if not path.is_file():
        raise InvalidArgument(
            "emulated_state",
            f"{path} is not a regular file.",
            hint="Name another file with --emulated-state.",
        )
    try:
        content = json.loads(path.read_text("utf-8"))
        known = content["adapters"] if content["version"] == _VERSION else content["unknown"]
        return [_device(one) for one in known]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgument(
            "emulated_state",
            f"{path} is not a file of the emulated driver's adapters.",
            hint="Delete it, or name another file.",
        ) from error


def save_devices(path: Path, devices: Sequence[DeviceState]) -> None:
    """Write the file anew, whole or not at all."""
    content = {
        "version": _VERSION,
        "adapters": [
            {
                "guid": str(one.guid),
                "name": one.name,
                "pool": one.pool,
                "mtu": one.mtu,
                "addresses": [str(address) for address in one.addresses],
                "metric": one.metric,
                "routes": [
                    [str(route.destination), route.next_hop and str(route.next_hop), route.metric]
                    for route in one.routes
                ],
                "dns": [str(server) for server in one.dns],
                "dns_search": list(one.dns_search),
            }
            for one in devices
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)


def _device(one: dict[str, Any]) -> DeviceState:
    # Files of older versions have no more than addresses and MTU.
    metric = one.get("metric")
    return DeviceState(
        guid=UUID(one["guid"]),
        name=str(one["name"]),
        pool=str(one["pool"]),
        mtu=int(one["mtu"]),
        addresses=tuple(ip_interface(text) for text in one["addresses"]),
        metric=None if metric is None else int(metric),
        routes=tuple(
            Route(
                destination=ip_network(destination),
                next_hop=None if next_hop is None else ip_address(next_hop),
                metric=int(metric),
            )
            for destination, next_hop, metric in one.get("routes", ())
        ),
        dns=tuple(ip_address(text) for text in one.get("dns", ())),
        dns_search=tuple(str(name) for name in one.get("dns_search", ())),
    )
