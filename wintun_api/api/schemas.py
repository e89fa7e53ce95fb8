"""The pydantic models: what the API takes and gives. Below the API there are dataclasses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.json_schema import SkipJsonSchema

from wintun_api.api.model import Model
from wintun_api.api.network import (
    Addresses,
    Dns,
    DnsSearch,
    Metric,
    Route,
    Routes,
    Wanted,
    routes_of,
)
from wintun_api.api.tokens import IssuedToken, Scope
from wintun_api.drivers.base import LogLine
from wintun_api.drivers.limits import (
    DEFAULT_RING_CAPACITY,
    MAX_ADAPTER_NAME,
    MAX_MTU,
    MAX_POOL,
    MAX_RING_CAPACITY,
    MIN_MTU,
    MIN_RING_CAPACITY,
)
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.events import Event as HubEvent
from wintun_api.hub.events import EventType
from wintun_api.hub.injection import Injection
from wintun_api.hub.management import DriverView, SlowCall
from wintun_api.hub.network import NetworkSettings
from wintun_api.hub.session import SessionLoss, SessionState, SessionView

MAX_ROUTES = 1024
MAX_DNS = 16
EXAMPLE_GUID = "deadbabe-cafe-beef-0123-456789abcdef"


Name = Annotated[
    str,
    Field(
        description='1 to 127 UTF-16 units, no control characters, none of \\ / : * ? " < > |.',
        min_length=1,
        max_length=MAX_ADAPTER_NAME - 1,
        examples=["OfficeNet"],
    ),
]
Pool = Annotated[
    str,
    Field(
        description="Groups adapters of one program; the tunnel type in Wintun 0.14.",
        min_length=1,
        max_length=MAX_POOL - 1,
        examples=["WireGuard"],
    ),
]
Mtu = Annotated[StrictInt, Field(ge=MIN_MTU, le=MAX_MTU, description="Bytes.", examples=[1420])]


class AdapterCreate(Model):
    """An adapter to create."""

    name: Name
    pool: Pool = "wintun-api"
    requested_guid: UUID | SkipJsonSchema[None] = Field(
        None,
        description=(
            "Windows ties the network profile to it. When missing it is made of this "
            "installation's random salt, the pool and the name, so that the same adapter has the "
            "same GUID every time; a random one where that is in use."
        ),
        examples=[EXAMPLE_GUID],
    )
    mtu: Mtu | SkipJsonSchema[None] = Field(None, description="Bytes; the system's when missing.")
    addresses: Addresses = Field([], max_length=64, examples=[["10.6.7.7/24", "fd06:7::7/64"]])
    metric: Metric | SkipJsonSchema[None] = Field(
        None, description="The interface's; the system chooses it when missing."
    )
    routes: Routes = Field([], max_length=MAX_ROUTES)
    dns: Dns = Field([], max_length=MAX_DNS)
    dns_search: DnsSearch = Field([], max_length=MAX_DNS)

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


class AdapterOpen(Model):
    """An existing adapter to open."""

    name: Name
    pool: Pool = "wintun-api"


class AdapterUpdate(Model):
    """What to change; members that are missing stay as they are."""

    name: Name | SkipJsonSchema[None] = None
    mtu: Mtu | SkipJsonSchema[None] = None
    addresses: Addresses | SkipJsonSchema[None] = Field(
        None, max_length=64, description="Exactly these; an empty list removes all."
    )
    metric: Metric | None = Field(None, description="Null lets the system choose it.")
    routes: Routes | SkipJsonSchema[None] = Field(
        None, max_length=MAX_ROUTES, description="Exactly these; the system's own stay."
    )
    dns: Dns | SkipJsonSchema[None] = Field(
        None, max_length=MAX_DNS, description="Exactly these servers; an empty list removes all."
    )
    dns_search: DnsSearch | SkipJsonSchema[None] = Field(
        None, max_length=MAX_DNS, description="Exactly these domains; an empty list removes all."
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
    name: str = Field(examples=["OfficeNet"])
    pool: str = Field(examples=["WireGuard"])
    luid: int = Field(description="NET_LUID.", examples=[14918173782441984])
    interface_index: int = Field(examples=[7])
    interface_name: str = Field(
        description="What the system's own tools call it.", examples=["OfficeNet"]
    )
    wintun_name: str = Field(
        description="What Wintun opens it by; in 0.14 the name that it was created by.",
        examples=["OfficeNet"],
    )
    mtu: int | None = Field(description="Bytes; null where it cannot be read.", examples=[1420])
    addresses: list[str] = Field(examples=[["10.6.7.7/24"]])
    families: list[int] = Field(
        examples=[[4, 6]],
        description="The versions of IP bound to it; 6 is missing where IPv6 is disabled.",
    )
    metric: int | None = Field(
        description="The interface's; null where the system chooses it, or has none."
    )
    routes: list[Route] = Field(description="Those that were set, none that the system makes.")
    dns: list[str] = Field(description="IPv4 before IPv6.", examples=[["10.6.7.1"]])
    dns_search: list[str] = Field(examples=[["example.com"]])
    wanted: Wanted | None = Field(
        description="What was asked of the service and is not so now; null when all of it is."
    )
    state: Literal["up", "down"] = Field(description="Up while a session of the service runs.")
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
            state="up" if view.up else "down",
            persistent=info.persistent,
            managed=view.managed,
            orphan=info.orphan,
            session=view.session,
            reboot_required=view.reboot_required,
        )


class Removal(Model):
    """What a deletion left to do."""

    reboot_required: bool = Field(description="The system wants a reboot to finish it.")


class Release(Model):
    """What became of an adapter whose handle was given back."""

    exists: bool = Field(description="The device is still there.")


class SessionCreate(Model):
    """A session to start."""

    adapter: UUID = Field(description="The adapter's GUID.", examples=[EXAMPLE_GUID])
    capacity: StrictInt = Field(
        DEFAULT_RING_CAPACITY,
        description=(
            f"Ring capacity in bytes, a power of two from {MIN_RING_CAPACITY:#x} to "
            f"{MAX_RING_CAPACITY:#x}. Twice as much memory is locked per session."
        ),
        examples=[DEFAULT_RING_CAPACITY],
    )


class Traffic(Model):
    """Packets and bytes."""

    packets: int
    bytes: int


class Lost(Model):
    """Packets lost, by cause."""

    ring: int | None = Field(description="By the host, as the ring was full; null if not known.")
    unclaimed: int = Field(description="Received while nobody was subscribed.")
    queue: int = Field(description="In subscribers' queues, every subscriber counted by itself.")
    ring_full: int = Field(description="Of clients, as the send ring was full.")
    rejected: dict[str, int] = Field(description="Of clients, refused as no IP packet, by reason.")


class SessionCounters(Model):
    """Counts since the session was started."""

    received: Traffic = Field(description="Host to application.")
    injected: Traffic = Field(description="Application to host.")
    lost: Lost
    ring_corrupt: int = Field(description="How often the receive ring was found corrupt.")


class Session(Model):
    """A session of an adapter."""

    id: str = Field(examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(examples=[EXAMPLE_GUID])
    capacity: int = Field(examples=[DEFAULT_RING_CAPACITY])
    state: SessionState
    reason: str | None = Field(description="Why it ended or failed.")
    win32_code: int | None = Field(description="The driver's error code when it failed.")
    started_at: datetime
    ended_at: datetime | None
    restarts: int = Field(description="Restarts after ring corruption; one at most.")
    subscribers: int = Field(description="Clients that get packets now.")
    counters: SessionCounters

    @classmethod
    def of(cls, view: SessionView) -> Session:
        """Write a view of the hub."""
        counters = view.counters
        return cls(
            id=view.id,
            adapter=view.adapter,
            capacity=view.capacity,
            state=view.state,
            reason=view.reason,
            win32_code=view.code,
            started_at=from_ns(view.started_ns),
            ended_at=None if view.ended_ns is None else from_ns(view.ended_ns),
            restarts=view.restarts,
            subscribers=view.subscribers,
            counters=SessionCounters(
                received=Traffic(packets=counters.received_packets, bytes=counters.received_bytes),
                injected=Traffic(packets=counters.injected_packets, bytes=counters.injected_bytes),
                lost=Lost(
                    ring=view.ring_lost,
                    unclaimed=counters.received_unclaimed,
                    queue=counters.queue_lost,
                    ring_full=counters.ring_full,
                    rejected=dict(counters.rejected),
                ),
                ring_corrupt=counters.ring_corrupt,
            ),
        )


class InjectionReport(Model):
    """What became of injected packets."""

    accepted: int = Field(description="Packets the send ring took.")
    rejected: dict[str, int] = Field(description="Packets refused as no IP packet, by reason.")
    ring_full: int = Field(description="Packets dropped as the send ring was full.")

    @classmethod
    def of(cls, injection: Injection) -> InjectionReport:
        """Write an injection of the hub."""
        return cls(
            accepted=injection.accepted,
            rejected=dict(injection.rejected),
            ring_full=injection.ring_full + len(injection.waiting),
        )


class Capabilities(Model):
    """What this driver and generation can do."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    persistent_adapters: bool
    enumerate_pools: bool
    rename: bool
    delete_pool: bool
    delete_driver: bool
    network_settings: bool
    metric: bool
    dns: bool
    force_close: bool


class UnavailableReason(Model):
    """Why the driver cannot work on this machine."""

    model_config = ConfigDict(from_attributes=True)

    reason: str
    message: str
    hint: str


class CallInProgress(Model):
    """A driver call that runs or waits now."""

    model_config = ConfigDict(from_attributes=True)

    call: str
    seconds: float


class Driver(Model):
    """The driver behind the service."""

    name: str = Field(examples=["wintun"])
    generation: str = Field(examples=["tunnel-type"])
    library_path: str | None
    library_sha256: str | None
    running_version: str | None = Field(
        description="Of the loaded kernel driver; null while none is loaded.", examples=["0.14"]
    )
    unavailable: UnavailableReason | None
    capabilities: Capabilities
    calls: list[CallInProgress] = Field(description="Driver calls under way, the oldest first.")

    @classmethod
    def of(cls, view: DriverView, sha256: str | None) -> Driver:
        """Write a view of the hub."""
        version = view.running_version
        return cls(
            name=view.name,
            generation=view.capabilities.generation,
            library_path=view.library_path,
            library_sha256=sha256,
            running_version=None if version is None else f"{version[0]}.{version[1]}",
            unavailable=(
                None
                if view.unavailable is None
                else UnavailableReason.model_validate(view.unavailable)
            ),
            capabilities=Capabilities.model_validate(view.capabilities),
            calls=[CallInProgress.model_validate(call) for call in view.calls],
        )


class Limits(Model):
    """The numbers a client must respect."""

    min_capacity: int = MIN_RING_CAPACITY
    max_capacity: int = MAX_RING_CAPACITY
    default_capacity: int = DEFAULT_RING_CAPACITY
    max_packet: int = 0xFFFF
    max_message: int = Field(description="Bytes of a message or request that carries packets.")
    queue_packets: int = Field(description="The largest queue a subscriber can ask for.")
    queue_bytes: int


class System(Model):
    """The service and the machine it runs on."""

    version: str
    platform: str = Field(examples=["Windows-10-10.0.19045-SP0"])
    architecture: str = Field(examples=["AMD64"])
    python: str
    elevated: bool = Field(description="Has the rights to manage adapters.")
    driver: str
    unavailable: UnavailableReason | None
    scopes: list[Scope] = Field(description="What the token of this request allows.")
    limits: Limits


class Health(Model):
    """The service is up."""

    status: Literal["ok"] = "ok"


class TokenCreate(Model):
    """A token to make."""

    scopes: list[Scope] = Field(min_length=1, examples=[["read", "capture"]])
    label: str = Field("", max_length=100, examples=["grafana"])
    expires_in: float | SkipJsonSchema[None] = Field(
        None, gt=0, le=10 * 366 * 86400, description="Seconds; without end when missing."
    )


class Token(Model):
    """An issued token, without its secret."""

    id: str
    label: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, token: IssuedToken, **more: Any) -> Token:
        """Write a token of the store."""
        return cls(
            id=token.id,
            label=token.label,
            scopes=list(token.scopes),
            created_at=datetime.fromtimestamp(token.created, UTC),
            expires_at=None
            if token.expires is None
            else datetime.fromtimestamp(token.expires, UTC),
            **more,
        )


class NewToken(Token):
    """A token just made."""

    token: str = Field(description="The secret; it is shown only now.")


class FieldError(Model):
    """One wrong field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error as a document (RFC 9457)."""

    type: str = Field(examples=["urn:wintun-api:problem:adapter-not-found"])
    title: str
    status: int
    detail: str = Field(description="For people.")
    hint: str = Field("", description="What to do next.")
    instance: str = ""
    win32_code: int | None = Field(None, description="The driver's Win32 error, unsigned.")
    win32_code_hex: str | None = None
    errno: int | None = Field(None, description="The driver's errno on Linux.")
    function: str | None = Field(None, description="The driver's function that failed.")
    log: list[str] = Field([], description="The driver's log lines of the failed call.")
    reason: str | None = None
    field: str | None = None
    errors: list[FieldError] = []


class Snapshot(Model):
    """Everything there is, sent before the events that change it."""

    type: Literal["snapshot"] = "snapshot"
    id: int = Field(description="The newest event this snapshot contains.")
    time: datetime
    adapters: list[Adapter]
    sessions: list[Session]


class Event(Model):
    """One thing that happened."""

    id: int = Field(description="Counts up by one; resume after it with since.")
    time: datetime
    type: EventType
    data: dict[str, Any]

    @classmethod
    def of(cls, event: HubEvent) -> Event:
        """Write an event of the hub."""
        time = from_ns(event.time_ns)
        return cls(id=event.id, time=time, type=event.type, data=_event_data(event.data))


class Missed(Model):
    """Events this client lost because it read too slowly."""

    type: Literal["missed"] = "missed"
    count: int


def _event_data(data: object) -> dict[str, Any]:
    match data:
        case AdapterView():
            return Adapter.of(data).model_dump(mode="json")
        case SessionView():
            return Session.of(data).model_dump(mode="json")
        case SessionLoss():
            return {
                "session": data.session,
                "adapter": str(data.adapter),
                "cause": data.cause,
                "count": data.count,
            }
        case LogLine():
            return {"level": data.level.name.lower(), "message": data.message}
        case SlowCall():
            return {"call": data.call, "seconds": data.seconds}
    raise TypeError(f"An event carries {type(data).__name__}, which has no schema.")


def from_ns(time_ns: int) -> datetime:
    """Return the UTC time of nanoseconds since 1970."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC)
