"""Keep persistent adapters in a file across restarts of the emulated driver.

The file is private and replaced as a whole (see `files`): a file that another user may have written
is refused, and a change is on the disk before the call that made it returns.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any
from uuid import UUID

from wintun_api import files
from wintun_api.drivers.base import IPAddress, IPInterface, Route
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.limits import check_metric, check_mtu, check_pool
from wintun_api.drivers.windows import acl
from wintun_api.drivers.windows.win32 import (
    ERROR_ACCESS_DENIED,
    ERROR_DIRECTORY,
    ERROR_DISK_FULL,
    ERROR_FILE_TOO_LARGE,
    ERROR_IO_DEVICE,
    ERROR_TOO_MANY_OPEN_FILES,
    ERROR_WRITE_FAULT,
    ERROR_WRITE_PROTECT,
)
from wintun_api.errors import InvalidArgument
from wintun_api.files import UntrustedFile

MAX_FILE = 16 << 20
_VERSION = 1
_HINT = "Delete it, or choose another file with --emulated-state."
# The numbers that Windows would return. Not 2 or 3, which mean that an adapter is gone.
_CODES = {
    errno.ENOSPC: ERROR_DISK_FULL,
    errno.EDQUOT: ERROR_DISK_FULL,
    errno.EROFS: ERROR_WRITE_PROTECT,
    errno.EACCES: ERROR_ACCESS_DENIED,
    errno.EPERM: ERROR_ACCESS_DENIED,
    errno.ENOENT: ERROR_DIRECTORY,
    errno.ENOTDIR: ERROR_DIRECTORY,
    errno.EIO: ERROR_IO_DEVICE,
    errno.EMFILE: ERROR_TOO_MANY_OPEN_FILES,
    errno.ENFILE: ERROR_TOO_MANY_OPEN_FILES,
    errno.EFBIG: ERROR_FILE_TOO_LARGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """Hold one adapter as stored in the file."""

    guid: UUID
    name: str
    pool: str
    mtu: int
    addresses: tuple[IPInterface, ...]
    metric: int | None = None
    routes: tuple[Route, ...] = ()
    dns: tuple[IPAddress, ...] = ()
    dns_search: tuple[str, ...] = ()


class StateFile:
    """Read and write the file. Every method runs under the machine's lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: bytes | None = None

    def load(self) -> list[DeviceState]:
        """Read the file; `[]` if it does not exist yet.

        Raises:
            InvalidArgument: The file is broken or cannot be read, or another user may have written
                it.
        """
        path = self._path
        try:
            content = _read(path)
        except FileNotFoundError:
            return []
        except UntrustedFile as error:
            raise InvalidArgument("emulated_state", str(error), hint=error.hint or _HINT) from None
        except OSError as error:
            raise InvalidArgument(
                "emulated_state",
                f"{path} cannot be read: {error.strerror or error}.",
                hint="Allow the service's user to read it, or choose another file with "
                "--emulated-state.",
            ) from error
        try:
            devices = _parse(content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidArgument(
                "emulated_state",
                f"{path} is not a state file of the emulated driver.",
                hint=_HINT,
            ) from error
        files.remove_leftovers(path.parent, path.name)
        self._written = content
        return devices

    def save(self, devices: Sequence[DeviceState]) -> None:
        """Write the whole file or nothing; unchanged devices are not written again.

        Raises:
            CallFailed: It could not be written; the code is Windows' number for the cause.
        """
        content = _content(devices)
        if content == self._written:
            return
        if len(content) > MAX_FILE:  # it could not be read again
            raise CallFailed(ERROR_FILE_TOO_LARGE, f"{self._path} has no room for more adapters")
        try:
            files.make_directory(self._path.parent)
            files.replace(self._path, content)
        except OSError as error:
            raise CallFailed(
                _CODES.get(error.errno or 0, ERROR_WRITE_FAULT),
                f"Cannot write {self._path}: {error.strerror or error}",
            ) from error
        self._written = content


def _read(path: Path) -> bytes:
    if sys.platform == "win32" and path.exists() and not acl.is_ours(path):
        raise UntrustedFile(f"{path} belongs to another user.", hint=_HINT)
    return files.read(path, MAX_FILE)


def _content(devices: Sequence[DeviceState]) -> bytes:
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
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _parse(content: bytes) -> list[DeviceState]:
    document = json.loads(content)
    if document["version"] != _VERSION:
        raise ValueError("another version")
    devices = [_device(one) for one in document["adapters"]]
    for keys in ({one.guid for one in devices}, {one.name.lower() for one in devices}):
        if len(keys) < len(devices):
            raise ValueError("two adapters are the same")
    return devices


def _device(one: dict[str, Any]) -> DeviceState:
    # Files of older versions have no more than addresses and MTU.
    metric = one.get("metric")
    return DeviceState(
        guid=UUID(one["guid"]),
        name=_text(one["name"]),  # longer than any may be, if another adapter took its name
        pool=check_pool(_text(one["pool"])),
        mtu=check_mtu(_number(one["mtu"])),
        addresses=tuple(ip_interface(_text(text)) for text in one["addresses"]),
        metric=None if metric is None else check_metric(_number(metric)),
        routes=tuple(
            Route(
                destination=ip_network(_text(destination)),
                next_hop=None if next_hop is None else ip_address(_text(next_hop)),
                metric=check_metric(_number(metric)),
            )
            for destination, next_hop, metric in one.get("routes", ())
        ),
        dns=tuple(ip_address(_text(text)) for text in one.get("dns", ())),
        dns_search=tuple(_text(name) for name in one.get("dns_search", ())),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    value.encode()  # surrogates could not be written again
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a number")
    return value
