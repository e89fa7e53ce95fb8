"""The requests and answers of the API that concern adapters."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictInt

from wintun_api.choices import IfExists
from wintun_api.limits import (
    MAX_ADAPTER_NAME,
    MAX_MTU,
    MAX_OTHER_ROUTES,
    MAX_POOL,
    MAX_ROUTES,
    MIN_MTU,
)
from wintun_api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model, Omittable
from wintun_api.schemas.network import (
    Addresses,
    Difference,
    Dns,
    DnsSearch,
    Metric,
    Route,
    Routes,
    Wanted,
)

Name = Annotated[
    str,
    Field(
        description="The name of the adapter: 1 to 127 UTF-16 units (`limits.max_name` in "
        "GET /v1/system), without any of "
        '\\ / : * ? " < > | and without characters that cannot be seen (Unicode categories Cc, '
        "Cf, Cs, Zl and Zp, except for joiners where Persian and Indic words need them). A "
        "character beyond U+FFFF counts as two units.",
        min_length=1,
        max_length=MAX_ADAPTER_NAME - 1,
        examples=["OfficeNet"],
        json_schema_extra={"format": "adapter-name"},
    ),
]


Pool = Annotated[
    str,
    Field(
        description="The pool, which groups the adapters of one program; Wintun 0.14 calls it the "
        "tunnel type. It may contain the same characters as a name. For a new adapter its length "
        "is at most 128 UTF-16 units with Wintun 0.14 and at most 255 with 0.9 to 0.13 "
        "(`limits.max_pool` in GET /v1/system).",
        min_length=1,
        examples=["WireGuard"],
        # The driver's own limit is checked where it is known, and the answer names it.
        json_schema_extra={"format": "pool-name", "maxLength": MAX_POOL - 1},
    ),
]

# The pool of adapters that are there already; no pool is called otherwise.
ChosenPool = Annotated[str, Field(min_length=1, max_length=MAX_POOL - 1)]


Mtu = Annotated[
    StrictInt,
    Field(
        ge=MIN_MTU,
        le=MAX_MTU,
        description="The largest IP packet that the adapter carries, in bytes.",
        examples=[1420],
    ),
    WHOLE,
]


class AdapterState(StrEnum):
    """The state of an adapter.

    `up`: its link is up, so packets can pass: a session of the service or of another program runs
    on it, and no program has set the interface down. `down`: its link is down. `unavailable`: the
    device exists, but it is disabled or its driver is being replaced, so no session can start.
    """

    UP = "up"
    DOWN = "down"
    UNAVAILABLE = "unavailable"


class IpVersion(IntEnum):
    """A version of the Internet Protocol."""

    IPV4 = 4
    IPV6 = 6


class AdapterCreate(Body):
    """The adapter to create."""

    name: Name
    pool: Pool = "wintun-api"
    requested_guid: Omittable[UUID] = Field(
        default=None,
        description=(
            "The GUID of the new adapter; Windows stores the network profile under it. If it is "
            "left out, the service derives one from the pool, the name and a random value of this "
            "installation, so that the same adapter gets the same GUID every time. If another "
            "adapter uses that GUID, the service chooses a random one."
        ),
        examples=[EXAMPLE_GUID],
    )
    mtu: Omittable[Mtu] = Field(
        default=None, description="The MTU in bytes. If it is left out, the system chooses it."
    )
    addresses: Addresses = Field(
        default=[],
        description="The addresses of the adapter, each with its prefix length.",
        examples=[["10.6.7.7/24", "fd06:7::7/64"]],
    )
    metric: Metric | None = Field(
        default=None,
        description="The metric of the interface. If it is null or left out, the system chooses "
        "it.",
    )
    routes: Routes = Field(default=[], description="The routes that lead into the adapter.")
    dns: Dns = Field(
        default=[], description="The DNS servers, in the order in which they are asked."
    )
    dns_search: DnsSearch = Field(
        default=[], description="The domains in which short host names are looked up."
    )
    if_exists: IfExists = Field(
        default=IfExists.ERROR,
        description="What happens where an adapter with this name exists in this pool. `error`: "
        "the answer is 409. `open`: the service opens that adapter and applies the settings that "
        "the request names, all or none of them; the others keep their values. `replace`: the "
        "service ends the session of that adapter, deletes it and creates it again. A name that "
        "is in use outside of this pool is answered with 409 in any case.",
    )


class AdapterOpen(Body):
    """The existing adapter to open."""

    name: Name
    pool: Pool = "wintun-api"


class AdapterUpdate(Body):
    """The changes to an adapter. Settings that are left out keep their values."""

    name: Omittable[Name] = None
    mtu: Omittable[Mtu] = None
    addresses: Omittable[Addresses] = Field(
        default=None,
        description="The complete list of addresses, each with its prefix length. An empty list "
        "removes all addresses.",
    )
    metric: Metric | None = Field(
        default=None, description="The metric of the interface. Null lets the system choose it."
    )
    routes: Omittable[Routes] = Field(
        default=None,
        description="The complete list of routes into the adapter. Routes that the system itself "
        "made stay. An empty list removes all others.",
    )
    dns: Omittable[Dns] = Field(
        default=None,
        description="The complete list of DNS servers, in the order in which they are asked. An "
        "empty list removes all servers.",
    )
    dns_search: Omittable[DnsSearch] = Field(
        default=None,
        description="The complete list of domains in which short host names are looked up. An "
        "empty list removes all domains.",
    )


class Adapter(Model):
    """An adapter and its network settings, as the operating system reports them."""

    guid: UUID = Field(
        description="The GUID that identifies the adapter, also in paths.", examples=[EXAMPLE_GUID]
    )
    name: str = Field(description="The name of the adapter.", examples=["OfficeNet"])
    pool: str = Field(
        description="The pool that the adapter belongs to; Wintun 0.14 calls it the tunnel type.",
        examples=["WireGuard"],
    )
    luid: int = Field(
        description="The locally unique identifier of the interface (NET_LUID), 64 bits.",
        examples=[14918173782441984],
    )
    interface_index: int = Field(
        description="The index of the interface (NET_IFINDEX, on Linux ifindex). It can change "
        "when the system or the adapter restarts.",
        examples=[7],
    )
    interface_name: str = Field(
        description="The name of the interface in the system's own tools.", examples=["OfficeNet"]
    )
    wintun_name: str = Field(
        description="The name by which Wintun opens the adapter. With Wintun 0.14 this is the name "
        "under which the adapter was created, even after it is renamed.",
        examples=["OfficeNet"],
    )
    mtu: int | None = Field(
        description="The MTU in bytes; null if it cannot be read.", examples=[1420]
    )
    addresses: list[str] = Field(
        description="The addresses of the adapter, each with its prefix length.",
        examples=[["10.6.7.7/24"]],
    )
    families: list[IpVersion] = Field(
        examples=[[4, 6]],
        description="The IP versions that are bound to the adapter. 6 is absent if IPv6 is "
        "disabled on it.",
    )
    metric: int | None = Field(
        description="The metric of the interface; null if the system chooses it or does not "
        "know one."
    )
    routes: list[Route] = Field(
        description="The routes that lead into the adapter, without those that the system makes "
        "itself."
    )
    other_routes: list[Route] = Field(
        description="The routes that other programs lead into the adapter, at most "
        f"{MAX_OTHER_ROUTES} of them. The service never changes them. Always empty on Windows, "
        "which does not tell whose a route is: there they are in `routes`."
    )
    other_routes_total: int = Field(
        description="The number of routes that other programs lead into the adapter. More than "
        f"{MAX_ROUTES} are not counted."
    )
    dns: list[str] = Field(
        description="The DNS servers, IPv4 before IPv6.", examples=[["10.6.7.1"]]
    )
    dns_search: list[str] = Field(
        description="The domains in which short host names are looked up.",
        examples=[["example.com"]],
    )
    wanted: Wanted | None = Field(
        description="The settings that were requested from the service and do not hold now; null "
        "if all of them hold."
    )
    difference: Difference | None = Field(
        description="The entries by which the lists of the adapter differ from those in `wanted`; "
        "null if no list differs."
    )
    state: AdapterState = Field(
        description="The state of the adapter. While it is `unavailable`, the adapter still exists "
        "and the service keeps its handle."
    )
    unavailable: str | None = Field(
        description="A sentence that says why the adapter is unavailable; null while it is "
        "available. An unavailable adapter reports no settings; `wanted` then holds those that "
        "were requested."
    )
    link_up: bool | None = Field(
        description="Whether the interface is set up. Another program can set it down; `state` is "
        "then `down`, even while a session runs. Null on Windows, which has no such state."
    )
    persistent: bool = Field(
        description="Whether the adapter remains when the handle that created it is closed."
    )
    managed: bool = Field(description="Whether the service holds a handle of the adapter.")
    orphan: bool = Field(
        description="With Wintun 0.14: whether another program created the adapter or left it "
        "behind. The adapter is removed when that program ends, or by DELETE /v1/driver."
    )
    session: str | None = Field(
        description="The id of the session that runs on the adapter; null while none runs.",
        examples=["5f0c9d1e2b3a"],
    )
    reboot_required: bool = Field(
        description="Whether the system asked for a reboot when the adapter was created."
    )


class Removal(Model):
    """The result of a removal."""

    reboot_required: bool = Field(
        description="Whether the system needs a reboot to complete the removal."
    )


class Release(Model):
    """The result of releasing an adapter."""

    exists: bool = Field(description="Whether the device still exists.")
