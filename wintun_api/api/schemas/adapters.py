"""What the API takes and gives of adapters."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictInt

from wintun_api.api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model, Omittable
from wintun_api.api.schemas.network import (
    Addresses,
    Difference,
    Dns,
    DnsSearch,
    Metric,
    Route,
    Routes,
    Wanted,
    routes_of,
)
from wintun_api.drivers.limits import MAX_ADAPTER_NAME, MAX_MTU, MAX_POOL, MIN_MTU
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.network import NetworkSettings

# Bytes of a request with settings: the most routes, each as long as one can be.
MAX_SETTINGS = 4 * 1024 * 1024

Name = Annotated[
    str,
    Field(
        description="1 to 127 UTF-16 units (`limits.max_name` in GET /v1/system), no control "
        'characters, none of \\ / : * ? " < > |. A character beyond U+FFFF counts as two units.',
        min_length=1,
        max_length=MAX_ADAPTER_NAME - 1,
        examples=["OfficeNet"],
        json_schema_extra={"format": "adapter-name"},
    ),
]


Pool = Annotated[
    str,
    Field(
        description="Groups adapters of one program; the tunnel type in Wintun 0.14. It has "
        "the characters of a name. An adapter can be created in a pool of up to 128 UTF-16 units "
        "with Wintun 0.14, of 255 with 0.9 to 0.13: `limits.max_pool` in GET /v1/system.",
        min_length=1,
        examples=["WireGuard"],
        # The driver's own limit is checked where it is known, and the answer names it.
        json_schema_extra={"format": "pool-name", "maxLength": MAX_POOL - 1},
    ),
]


Mtu = Annotated[
    StrictInt, Field(ge=MIN_MTU, le=MAX_MTU, description="Bytes.", examples=[1420]), WHOLE
]


class AdapterState(StrEnum):
    """Whether a session of the service runs on the adapter, and whether one can.

    Unavailable: the device is there, but it is disabled or its driver is being replaced.
    """

    UP = "up"
    DOWN = "down"
    UNAVAILABLE = "unavailable"


class AdapterCreate(Body):
    """An adapter to create."""

    name: Name
    pool: Pool = "wintun-api"
    requested_guid: Omittable[UUID] = Field(
        None,
        description=(
            "Windows ties the network profile to it. When missing it is made of this "
            "installation's random salt, the pool and the name, so that the same adapter has the "
            "same GUID every time; a random one where that is in use."
        ),
        examples=[EXAMPLE_GUID],
    )
    mtu: Omittable[Mtu] = Field(None, description="Bytes; the system's when missing.")
    addresses: Addresses = Field(
        [],
        description="With their prefix lengths.",
        examples=[["10.6.7.7/24", "fd06:7::7/64"]],
    )
    metric: Omittable[Metric] = Field(
        None, description="The interface's; the system chooses it when missing."
    )
    routes: Routes = Field([], description="Into the adapter.")
    dns: Dns = Field([], description="Servers, the first one asked first.")
    dns_search: DnsSearch = Field([], description="Domains that short names are looked up in.")

    def settings(self) -> NetworkSettings:
        """Return what shall be set; an empty list is what a new adapter has anyway."""
        return NetworkSettings(
            mtu=self.mtu,
            addresses=tuple(self.addresses) or None,
            metric=self.metric,
            routes=routes_of(self.routes) or None,
            dns=tuple(self.dns) or None,
            dns_search=tuple(self.dns_search) or None,
        )


class AdapterOpen(Body):
    """An existing adapter to open."""

    name: Name
    pool: Pool = "wintun-api"


class AdapterUpdate(Body):
    """What to change; members that are missing stay as they are."""

    name: Omittable[Name] = None
    mtu: Omittable[Mtu] = None
    addresses: Omittable[Addresses] = Field(
        None, description="Exactly these; an empty list removes all."
    )
    metric: Metric | None = Field(None, description="Null lets the system choose it.")
    routes: Omittable[Routes] = Field(None, description="Exactly these; the system's own stay.")
    dns: Omittable[Dns] = Field(
        None, description="Exactly these servers; an empty list removes all."
    )
    dns_search: Omittable[DnsSearch] = Field(
        None, description="Exactly these domains; an empty list removes all."
    )

    def settings(self) -> NetworkSettings:
        """Return what shall be set."""
        automatic = "metric" in self.model_fields_set and self.metric is None
        return NetworkSettings(
            mtu=self.mtu,
            addresses=None if self.addresses is None else tuple(self.addresses),
            metric="automatic" if automatic else self.metric,
            routes=None if self.routes is None else routes_of(self.routes),
            dns=None if self.dns is None else tuple(self.dns),
            dns_search=None if self.dns_search is None else tuple(self.dns_search),
        )


class Adapter(Model):
    """An adapter as the operating system has it."""

    guid: UUID = Field(description="The adapter's identity.", examples=[EXAMPLE_GUID])
    name: str = Field(description="What people call it.", examples=["OfficeNet"])
    pool: str = Field(
        description="What it belongs to; the tunnel type in 0.14.", examples=["WireGuard"]
    )
    luid: int = Field(description="NET_LUID.", examples=[14918173782441984])
    interface_index: int = Field(
        description="NET_IFINDEX; another one after a restart.", examples=[7]
    )
    interface_name: str = Field(
        description="What the system's own tools call it.", examples=["OfficeNet"]
    )
    wintun_name: str = Field(
        description="What Wintun opens it by; in 0.14 the name that it was created by.",
        examples=["OfficeNet"],
    )
    mtu: int | None = Field(description="Bytes; null where it cannot be read.", examples=[1420])
    addresses: list[str] = Field(
        description="With their prefix lengths.", examples=[["10.6.7.7/24"]]
    )
    families: list[int] = Field(
        examples=[[4, 6]],
        description="The versions of IP bound to it; 6 is missing where IPv6 is disabled.",
    )
    metric: int | None = Field(
        description="The interface's; null where the system chooses it, or has none."
    )
    routes: list[Route] = Field(description="Those that were set, none that the system makes.")
    dns: list[str] = Field(description="IPv4 before IPv6.", examples=[["10.6.7.1"]])
    dns_search: list[str] = Field(
        description="Domains that short names are looked up in.", examples=[["example.com"]]
    )
    wanted: Wanted | None = Field(
        description="What was asked of the service and is not so now; null when all of it is."
    )
    difference: Difference | None = Field(
        description="Which members of the lists in wanted are missing or extra; null where none is."
    )
    state: AdapterState = Field(
        description="Up while a session of the service runs; unavailable while the system can do "
        "nothing with it, which is not a deletion: the service keeps its handle."
    )
    unavailable: str | None = Field(
        description="Why it is unavailable, as a sentence; null while it is not. It has no "
        "settings then, and `wanted` has those that were asked for."
    )
    link_up: bool | None = Field(
        description="The interface is set up; another program can set it down. Null on Windows."
    )
    persistent: bool = Field(description="Outlives the handle that created it.")
    managed: bool = Field(description="The service holds a handle of it.")
    orphan: bool = Field(
        description="In 0.14, made by another program or left by one: it goes when that ends, "
        "or with DELETE /v1/driver."
    )
    session: str | None = Field(description="The id of its session.", examples=["5f0c9d1e2b3a"])
    reboot_required: bool = Field(description="Creating it asked for a reboot.")

    @classmethod
    def of(cls, view: AdapterView) -> Adapter:
        """Write a view of the registry."""
        info = view.info
        return cls(
            guid=info.guid,
            name=info.name,
            pool=info.pool,
            luid=info.luid,
            interface_index=info.interface_index,
            interface_name=info.interface_name,
            wintun_name=info.wintun_name or info.name,
            mtu=info.mtu,
            addresses=[str(address) for address in info.addresses],
            families=list(info.families),
            metric=info.metric,
            routes=[Route.of(route) for route in info.routes],
            dns=[str(server) for server in info.dns],
            dns_search=list(info.dns_search),
            wanted=None if view.wanted is None else Wanted.of(view.wanted),
            difference=None if view.wanted is None else Difference.of(view.wanted),
            state=_state(view),
            unavailable=info.unavailable or None,
            link_up=info.link_up,
            persistent=info.persistent,
            managed=view.managed,
            orphan=info.orphan,
            session=view.session,
            reboot_required=view.reboot_required,
        )


def _state(view: AdapterView) -> AdapterState:
    if view.up:
        return AdapterState.UP
    return AdapterState.UNAVAILABLE if view.info.unavailable else AdapterState.DOWN


class Removal(Model):
    """What a deletion left to do."""

    reboot_required: bool = Field(description="The system wants a reboot to finish it.")


class Release(Model):
    """What became of an adapter whose handle was given back."""

    exists: bool = Field(description="The device is still there.")
