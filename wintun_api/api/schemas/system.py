"""What the API gives of the service and its driver."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from wintun_api.api.schemas.model import Model
from wintun_api.api.tokens import Scope
from wintun_api.drivers.limits import DEFAULT_RING_CAPACITY, MAX_RING_CAPACITY, MIN_RING_CAPACITY
from wintun_api.hub.management import DriverView


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
    started_at: datetime = Field(description="Ids of events count from then.")
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
