"""The file that keeps persistent adapters over a restart of the emulated driver."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_interface
from pathlib import Path
from uuid import UUID

from wintun_api.drivers.base import IPInterface
from wintun_api.errors import InvalidArgument

_VERSION = 1


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One adapter as it is kept."""

    guid: UUID
    name: str
    pool: str
    mtu: int
    addresses: tuple[IPInterface, ...]


def load_devices(path: Path) -> list[DeviceState]:
    """Read the file; `[]` when there is none yet.

    Raises:
        InvalidArgument: The file is none of ours.
    """
    if not path.exists():
        return []
    try:
        content = json.loads(path.read_text("utf-8"))
        known = content["adapters"] if content["version"] == _VERSION else content["unknown"]
        return [
            DeviceState(
                guid=UUID(one["guid"]),
                name=str(one["name"]),
                pool=str(one["pool"]),
                mtu=int(one["mtu"]),
                addresses=tuple(ip_interface(text) for text in one["addresses"]),
            )
            for one in known
        ]
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
            }
            for one in devices
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    fresh.replace(path)
