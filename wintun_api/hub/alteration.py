"""Change an adapter without losing other settings; a change that fails changes nothing.

Systems remove more than they are asked to: Linux removes IPv6 addresses and routes at an MTU below
1280, and a route that the system created for an address is removed with the address. Settings that
existed before are restored; those that cannot be restored are listed as wanted from then on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from wintun_api.drivers.base import Adapter, AdapterInfo
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.errors import AdapterExists, WintunApiError
from wintun_api.hub.network import NetworkSettings, given, of_info, version_of

LISTS_BY_VERSION = ("addresses", "routes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """Hold the result of a change.

    Attributes:
        info: The present state of the adapter.
        wanted: All settings requested so far, including those that could not be restored.
    """

    info: AdapterInfo
    wanted: NetworkSettings


def alter(
    adapter: Adapter, wanted: NetworkSettings, asked: NetworkSettings, name: str | None = None
) -> Altered:
    """Rename an adapter and change its settings, all or nothing. Runs on the driver's thread.

    `wanted` has the settings that were requested before. Routes need a link that is up: if another
    program has set it down, it is restored first and stays up. It stays up even if the change then
    fails: drivers cannot set it down, and on Linux that would remove IPv6 addresses and routes.

    Raises:
        WintunApiError: The driver refuses a part. Parts that were already changed are changed back
            as far as the system allows.
    """
    before = adapter.info()
    if asked.routes and before.link_up is False:
        adapter.restore()
    new_name = None if name == before.name else name
    if new_name is not None:
        _rename(adapter, new_name)
    try:
        asked.apply(adapter)
    except WintunApiError:
        _put_back(adapter, _own(before, wanted))
        if new_name is not None:
            with suppress(WintunApiError):
                adapter.set_name(before.name)
        raise
    kept = _unmentioned(_returning(_own(before, wanted), wanted, asked, before), asked)
    after = adapter.info()
    if kept.unmet(kept.completed(after)) is not None:
        _put_back(adapter, kept)
        after = adapter.info()
    wanted = wanted.merged(asked)
    lost = kept.unmet(kept.completed(after))
    return Altered(info=after, wanted=wanted if lost is None else wanted.merged(lost))


def _rename(adapter: Adapter, name: str) -> None:
    try:
        adapter.set_name(name)
    except AdapterExists as error:
        error.hint = error.hint or "Choose another name, or delete the adapter that has this one."
        raise


def _own(info: AdapterInfo, wanted: NetworkSettings) -> NetworkSettings:
    """Return the settings of an adapter without those that the system adds by itself."""
    asked = wanted.addresses or ()
    settings = of_info(wanted.completed(info))
    addresses = settings.addresses or ()
    return replace(
        settings,
        addresses=tuple(one for one in addresses if one in asked or not one.ip.is_link_local),
    )


def _returning(
    kept: NetworkSettings, wanted: NetworkSettings, asked: NetworkSettings, before: AdapterInfo
) -> NetworkSettings:
    """Add the requested IPv6 settings if a larger MTU makes IPv6 possible again."""
    lacked = before.mtu is not None and before.mtu < MIN_MTU_IPV6
    if asked.mtu is None or asked.mtu < MIN_MTU_IPV6 or not lacked:
        return kept
    changed: dict[str, Any] = {}
    for name in LISTS_BY_VERSION:
        there = getattr(kept, name) or ()
        missed = [one for one in getattr(wanted, name) or () if one not in there]
        changed[name] = (*there, *(one for one in missed if version_of(one) == 6))
    return replace(kept, **changed)


def _unmentioned(settings: NetworkSettings, asked: NetworkSettings) -> NetworkSettings:
    return replace(settings, **dict.fromkeys(given(asked)))


def _put_back(adapter: Adapter, settings: NetworkSettings) -> None:
    """Set what differs, one setting at a time, as far as the system allows."""
    for name in given(settings):
        try:
            info = settings.completed(adapter.info())
        except WintunApiError:
            return
        lost = settings.unmet(info)
        if lost is None or getattr(lost, name) is None:
            continue
        wanted: Any = getattr(lost, name)
        try:
            replace(NetworkSettings(), **{name: wanted}).apply(adapter)
        except WintunApiError:
            if name not in LISTS_BY_VERSION:
                continue
            # IPv6 alone may be impossible.
            there = getattr(info, name)
            some: Any = tuple(one for one in wanted if version_of(one) == 4 or one in there)
            with suppress(WintunApiError):
                replace(NetworkSettings(), **{name: some}).apply(adapter)
