"""Where the two generations of Wintun differ: what each can do, and the calls of each.

Pool in 0.9 to 0.13 is TunnelType in 0.14, at another position.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import byref
from dataclasses import replace
from typing import Any
from uuid import UUID

from wintun_api.drivers.base import Capabilities
from wintun_api.drivers.windows.foreign import BOOL, Guid
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.wintun.abi import AdapterHandle, Generation
from wintun_api.drivers.wintun.calls import Calls

CAPABILITIES = {
    Generation.POOL: Capabilities(
        generation=Generation.POOL.value,
        persistent_adapters=True,
        enumerate_pools=True,
        rename=True,
        delete_pool=True,
        delete_driver=False,
        network_settings=False,
        metric=False,
        dns=False,
        force_close=True,
    ),
    Generation.TUNNEL_TYPE: Capabilities(
        generation=Generation.TUNNEL_TYPE.value,
        persistent_adapters=False,
        enumerate_pools=False,
        rename=False,
        delete_pool=False,
        delete_driver=True,
        network_settings=False,
        metric=False,
        dns=False,
        force_close=False,
    ),
}


def capabilities_of(generation: Generation, helper: IpHelper | None) -> Capabilities:
    """Return what a generation can do, and what the IP Helper adds to it."""
    can = CAPABILITIES[generation]
    if helper is None:
        return can
    return replace(
        can,
        rename=can.rename or helper.has_rename,
        network_settings=True,
        metric=True,
        dns=helper.has_dns,
    )


def create(calls: Calls, name: str, pool: str, guid: UUID | None) -> tuple[AdapterHandle, bool]:
    """Create an adapter (wintun.h: WintunCreateAdapter); return whether a reboot is required.

    Without a GUID the system chooses a random one.
    """
    requested: Any = byref(Guid.of(guid)) if guid is not None else None
    if calls.generation is Generation.POOL:
        reboot_required = BOOL()
        arguments = (pool, name, requested, byref(reboot_required))
        return calls.call("WintunCreateAdapter", *arguments), bool(reboot_required)
    return calls.call("WintunCreateAdapter", name, pool, requested), False


def open_existing(calls: Calls, name: str, pool: str) -> AdapterHandle:
    """Open an adapter by Wintun's name of it (wintun.h: WintunOpenAdapter); 0.14 has no pool."""
    by_pool = calls.generation is Generation.POOL
    arguments: Sequence[str] = (pool, name) if by_pool else (name,)
    handle: AdapterHandle = calls.call("WintunOpenAdapter", *arguments)
    return handle


def release(calls: Calls, handle: AdapterHandle) -> None:
    """Close a handle (wintun.h: WintunFreeAdapter, WintunCloseAdapter)."""
    pool = calls.generation is Generation.POOL
    calls.call("WintunFreeAdapter" if pool else "WintunCloseAdapter", handle)
