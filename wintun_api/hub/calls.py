"""Call a driver: the steps that run on its threads.

Each function takes what it needs and touches nothing of the hub, whose objects belong to the event
loop's thread. `hub.alteration.alter` is another one of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from wintun_api.drivers.base import Adapter, AdapterInfo, Driver
from wintun_api.errors import DriverError
from wintun_api.hub.alteration import Altered
from wintun_api.hub.network import NetworkSettings

logger = logging.getLogger(__name__)


def create(
    driver: Driver, name: str, pool: str, guid: UUID | None, wanted: NetworkSettings
) -> tuple[Adapter, AdapterInfo]:
    """Create an adapter with its settings, all or nothing."""
    handle = driver.create_adapter(name, pool, guid)
    try:
        wanted.apply(handle)
        return handle, handle.info()
    except BaseException:
        _take_back(handle)
        raise


def open_existing(driver: Driver, name: str, pool: str) -> tuple[Adapter, AdapterInfo]:
    """Open an adapter and read it; if it cannot be read, the handle is closed again."""
    handle = driver.open_adapter(name, pool)
    try:
        return handle, handle.info()
    except BaseException:
        with suppress(DriverError):
            handle.close()
        raise


def restore(handle: Adapter, wanted: NetworkSettings) -> Altered:
    """Restore the marks, the link and the settings that were requested."""
    handle.restore()
    wanted.apply(handle)
    return Altered(info=handle.info(), wanted=wanted)


def listed(driver: Driver, pool: str | None, pools: Iterable[str]) -> list[AdapterInfo]:
    """List the adapters of one pool, or with None those the driver sees and those of `pools`."""
    infos = {info.guid: info for info in driver.adapters(pool)}
    if pool is None:
        for one in pools:
            infos.update((info.guid, info) for info in driver.adapters(one))
    return list(infos.values())


def close(handles: Iterable[Adapter]) -> None:
    """Close handles; one that the driver cannot close does not affect the others."""
    for handle in handles:
        try:
            handle.close()
        except DriverError as error:
            logger.warning("The handle of an adapter could not be closed: %s", error)


def _take_back(handle: Adapter) -> None:
    """Delete an adapter that was just created; if that fails too, it stays and is listed."""
    with suppress(DriverError):
        handle.delete()
    with suppress(DriverError):
        handle.close()
