"""Describe adapters as the system shows them, or as it last did while it hides them.

The IP Helper does not show an adapter that is disabled or whose driver is being replaced. Whether
its device is gone for good, only the device manager knows.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from typing import Final
from uuid import NAMESPACE_OID, UUID, uuid5

from wintun_api.drivers.base import AdapterInfo
from wintun_api.drivers.limits import MIN_MTU_IPV6
from wintun_api.drivers.windows.devices import Devices, DeviceState, Presence
from wintun_api.drivers.windows.ip_helper import IpHelper
from wintun_api.drivers.wintun.calls import Calls
from wintun_api.drivers.wintun.generations import CAPABILITIES
from wintun_api.drivers.wintun.names import Names
from wintun_api.errors import AdapterNotFound, DriverError

_HIDDEN: Final = "Windows does not show the adapter now, perhaps because its driver is replaced."


@dataclass(frozen=True, slots=True)
class _Reading:
    """Hold the last reading of an adapter; `located`: the device manager knew its device."""

    info: AdapterInfo
    located: bool


class Readings:
    """Read adapters by LUID, and remember the last reading of each.

    Args:
        calls: Tell the generation, on which it depends whether adapters are persistent.
        helper: Reads identity and settings; without it only what Wintun tells is known.
        devices: Distinguishes a removed device from a disabled one; without it, an adapter that
            the IP Helper does not show is assumed to exist.
        names: Knows which adapters have another alias.
    """

    def __init__(
        self, calls: Calls, helper: IpHelper | None, devices: Devices | None, names: Names
    ) -> None:
        self._calls = calls
        self._helper = helper
        self._devices = devices
        self._names = names
        self._last: dict[int, _Reading] = {}  # by LUID
        self._guids: dict[int, UUID] = {}  # by LUID, where no IP Helper can be asked
        self._created: set[int] = set()  # the LUIDs of which this process has the creating handle

    def __len__(self) -> int:
        """Return how many adapters are remembered."""
        return len(self._last)

    def created(self, luid: int, guid: UUID | None) -> None:
        """Note that this process has created an adapter, with this GUID if it chose one."""
        self._created.add(luid)
        if guid is not None:
            self._guids[luid] = guid

    def released(self, luid: int) -> None:
        """Note that the creating handle is closed, which removes an adapter of 0.14."""
        self._created.discard(luid)
        if not self._persistent:
            self._last.pop(luid, None)

    def keep(self, pool: str, present: Container[int]) -> None:
        """Forget the adapters of a pool but these."""
        for luid, reading in list(self._last.items()):
            if reading.info.pool == pool and luid not in present:
                del self._last[luid]

    def read(self, luid: int, name: str, pool: str) -> AdapterInfo:
        """Describe an adapter, or return what is known about it while the system hides it.

        Raises:
            AdapterNotFound: Its device is gone, or it was never seen.
        """
        try:
            info = self.describe(luid, name, pool)
        except DriverError as error:
            why, missing = self.hidden(luid), isinstance(error, AdapterNotFound)
            if missing and why is None:
                self._last.pop(luid, None)
                raise
            if not missing and not why:
                raise
            return _without_settings(replace(self._last[luid].info, name=name), why or _HIDDEN)
        state, before = self._state(info.guid), self._last.get(luid)
        located = state.presence in (Presence.WORKING, Presence.STOPPED)
        if state.presence is Presence.UNKNOWN and before and before.info.guid == info.guid:
            located = before.located
        self._last[luid] = _Reading(info, located)
        if state.presence is Presence.STOPPED:
            return _without_settings(info, state.why)
        return info

    def describe(self, luid: int, name: str, pool: str) -> AdapterInfo:
        """Read an adapter from the system, without what is remembered of it.

        Raises:
            AdapterNotFound: The system does not have the interface.
        """
        helper, persistent = self._helper, self._persistent
        orphan = not persistent and luid not in self._created
        if helper is None:
            return AdapterInfo(
                guid=self._known_guid(luid),
                name=name,
                pool=pool,
                luid=luid,
                interface_index=0,
                interface_name=name,
                mtu=None,
                addresses=(),
                persistent=persistent,
                orphan=orphan,
            )
        dns, dns_search = helper.dns(luid)
        mtu, families = helper.mtu(luid), helper.families(luid)
        if mtu is not None and mtu < MIN_MTU_IPV6:
            families = tuple(one for one in families if one != 6)
        return AdapterInfo(
            guid=helper.guid(luid),
            name=name,
            pool=pool,
            luid=luid,
            interface_index=helper.interface_index(luid),
            interface_name=helper.alias(luid),
            mtu=mtu,
            addresses=helper.addresses(luid),
            persistent=persistent,
            wintun_name=self._names.wintun_name(luid),
            metric=helper.metric(luid),
            routes=helper.routes(luid),
            dns=dns,
            dns_search=dns_search,
            families=families,
            orphan=orphan,
            running=helper.running(luid),
        )

    def guid_of(self, luid: int) -> UUID | None:
        """Return the GUID that the adapter had when it was last read."""
        last = self._last.get(luid)
        return last.info.guid if last else None

    def hidden(self, luid: int) -> str | None:
        """Return why an adapter that was seen before cannot be used now.

        Return "" if the system shows it, and None if it is gone or nothing is known about it.
        """
        known, helper = self._last.get(luid), self._helper
        if known is None or helper is None:
            return None
        state = self._state(known.info.guid)
        if state.presence is Presence.STOPPED:
            return state.why
        try:
            helper.guid(luid)
        except AdapterNotFound:
            gone = known.located and state.presence is Presence.GONE
            return None if gone else state.why or _HIDDEN
        return ""

    @property
    def _persistent(self) -> bool:
        return CAPABILITIES[self._calls.generation].persistent_adapters

    def _state(self, guid: UUID) -> DeviceState:
        if self._devices is None:
            return DeviceState(Presence.UNKNOWN)
        return self._devices.state(guid)

    def _known_guid(self, luid: int) -> UUID:
        # For an adapter of another program: as stable as the LUID, if not the system's GUID.
        return self._guids.get(luid) or uuid5(NAMESPACE_OID, f"net-luid-{luid:#x}")


def _without_settings(info: AdapterInfo, why: str) -> AdapterInfo:
    return replace(
        info,
        interface_index=0,
        mtu=None,
        addresses=(),
        metric=None,
        routes=(),
        dns=(),
        dns_search=(),
        families=(),
        running=False,
        unavailable=why,
    )
