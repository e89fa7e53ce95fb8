"""What the API gives of the service and its driver."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from wintun_api.api.schemas.adapters import MAX_SETTINGS
from wintun_api.api.schemas.model import Model
from wintun_api.api.tokens import Scope
from wintun_api.drivers.base import Capabilities as DriverCapabilities
from wintun_api.drivers.limits import (
    DEFAULT_RING_CAPACITY,
    MAX_ADDRESSES,
    MAX_IP_PACKET_SIZE,
    MAX_RING_CAPACITY,
    MAX_ROUTES,
    MIN_RING_CAPACITY,
)
from wintun_api.hub.management import DriverView
from wintun_api.settings import Settings


class Capabilities(Model):
    """What this driver and generation can do."""

    model_config = ConfigDict(from_attributes=True)

    persistent_adapters: bool = Field(description="Adapters outlive the handle that made them.")
    enumerate_pools: bool = Field(description="Lists adapters of other programs.")
    rename: bool = Field(description="Adapters can be renamed.")
    delete_pool: bool = Field(description="DELETE /v1/pools/{pool} works.")
    delete_driver: bool = Field(description="DELETE /v1/driver works.")
    network_settings: bool = Field(description="MTU, addresses and routes can be set.")
    metric: bool = Field(description="The interface's metric can be set.")
    dns: bool = Field(description="DNS servers and domains can be set.")
    force_close: bool = Field(description="Deletion can close sessions of other processes.")


class UnavailableReason(Model):
    """Why the driver cannot work on this machine."""

    model_config = ConfigDict(from_attributes=True)

    reason: str = Field(description="The cause, for programs.", examples=["library_not_found"])
    message: str = Field(description="The cause, for people.")
    hint: str = Field(description="What to do next.")


class CallInProgress(Model):
    """A driver call that runs or waits now."""

    model_config = ConfigDict(from_attributes=True)

    call: str = Field(description="Its function.", examples=["WintunCreateAdapter"])
    seconds: float = Field(description="Since it was asked for.")


class Driver(Model):
    """The driver behind the service."""

    name: str = Field(description="wintun, linux or emulated.", examples=["wintun"])
    generation: str = Field(description="Of the Wintun API it follows.", examples=["tunnel-type"])
    library_path: str | None = Field(description="Null for a driver without a library.")
    library_sha256: str | None = Field(description="Of the library's file, hexadecimal.")
    running_version: str | None = Field(
        description="Of the loaded kernel driver; null while none is loaded.", examples=["0.14"]
    )
    unavailable: UnavailableReason | None = Field(description="Null while the driver works.")
    capabilities: Capabilities = Field(description="What it can do.")
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

    min_capacity: int = Field(description="Bytes of the smallest ring.")
    max_capacity: int = Field(description="Bytes of the largest ring.")
    default_capacity: int = Field(description="Bytes, where none is given.")
    max_packet: int = Field(description="Bytes of the largest packet.")
    max_name: int = Field(description="UTF-16 units of the longest name of an adapter.")
    max_pool: int = Field(
        description="UTF-16 units of the longest pool that an adapter can be created in: 128 with "
        "Wintun 0.14, where it is the tunnel type, else 255."
    )
    max_message: int = Field(description="Bytes of a message or request that carries packets.")
    max_settings: int = Field(description="Bytes of a request that creates or changes an adapter.")
    max_addresses: int = Field(description="Addresses of an adapter.")
    max_routes: int = Field(description="Routes into an adapter.")
    queue_packets: int = Field(description="The largest queue a subscriber can ask for.")
    queue_bytes: int = Field(description="The same in bytes.")
    guesses_per_minute: int = Field(
        description="Wrong tokens that one address may send in a minute; more get 429."
    )
    request_timeout: float = Field(description="Seconds for a whole request; then 408.")
    idle_timeout: float = Field(
        description="Seconds that a connection is kept open for another request."
    )
    max_connections: int = Field(
        description="Connections at a time; fewer than was set where the limit of open files is "
        "lower."
    )

    @classmethod
    def of(
        cls, settings: Settings, driver: DriverCapabilities, max_connections: int | None = None
    ) -> Limits:
        """Write the limits of a service with these settings and such a driver.

        Args:
            settings: The settings.
            driver: What its driver can do.
            max_connections: How many connections there can be, where the server knows.
        """
        return cls(
            min_capacity=MIN_RING_CAPACITY,
            max_capacity=MAX_RING_CAPACITY,
            default_capacity=DEFAULT_RING_CAPACITY,
            max_packet=MAX_IP_PACKET_SIZE,
            max_name=driver.max_name,
            max_pool=driver.max_pool,
            max_message=settings.max_message,
            max_settings=MAX_SETTINGS,
            max_addresses=MAX_ADDRESSES,
            max_routes=MAX_ROUTES,
            queue_packets=settings.queue_packets,
            queue_bytes=settings.queue_bytes,
            guesses_per_minute=settings.guesses_per_minute,
            request_timeout=settings.request_timeout,
            idle_timeout=settings.idle_timeout,
            max_connections=max_connections or settings.max_connections,
        )


class System(Model):
    """The service and the machine it runs on."""

    version: str = Field(description="The service's.", examples=["0.1.0"])
    started_at: datetime = Field(description="Ids of events count from then.")
    platform: str = Field(
        description="The operating system.", examples=["Windows-11-10.0.26100-SP0"]
    )
    architecture: str = Field(description="The machine's.", examples=["AMD64"])
    python: str = Field(description="The version of Python.", examples=["3.13.5"])
    elevated: bool = Field(description="Has the rights to manage adapters.")
    driver: str = Field(description="wintun, linux or emulated.", examples=["wintun"])
    unavailable: UnavailableReason | None = Field(description="Null while the driver works.")
    scopes: list[Scope] = Field(description="What the token of this request allows.")
    limits: Limits = Field(description="The numbers a client must respect.")


class Health(Model):
    """The service is up."""

    status: Literal["ok"] = Field(description="Nothing else; a service that is down is silent.")
