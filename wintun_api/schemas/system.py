"""The answers of the API that concern the service and its driver."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from wintun_api.choices import DriverGeneration, DriverName, Scope, UnavailableCause
from wintun_api.schemas.model import Model


class Capabilities(Model):
    """The abilities of the driver in its present generation."""

    model_config = ConfigDict(from_attributes=True)

    persistent_adapters: bool = Field(
        description="Whether adapters remain when the handle that created them is closed."
    )
    enumerate_pools: bool = Field(
        description="Whether the driver lists adapters of other programs."
    )
    rename: bool = Field(description="Whether adapters can be renamed.")
    delete_pool: bool = Field(description="Whether DELETE /v1/pools/{pool} is supported.")
    delete_driver: bool = Field(description="Whether DELETE /v1/driver is supported.")
    network_settings: bool = Field(description="Whether MTU, addresses and routes can be set.")
    metric: bool = Field(description="Whether the metric of the interface can be set.")
    dns: bool = Field(description="Whether DNS servers and search domains can be set.")
    force_close: bool = Field(
        description="Whether the deletion of an adapter can close sessions of other processes."
    )
    offload: bool = Field(
        default=False,
        description="Whether a session can have the host pass TCP and UDP data in large pieces.",
    )


class UnavailableReason(Model):
    """The reason why the driver cannot work on this machine."""

    model_config = ConfigDict(from_attributes=True)

    reason: UnavailableCause = Field(
        description="The cause as a word for programs.", examples=["library_not_found"]
    )
    message: str = Field(description="The cause as a sentence for people.")
    hint: str = Field(description="A sentence that says what to do next.")


class CallInProgress(Model):
    """A call of the driver that is running or waiting now."""

    model_config = ConfigDict(from_attributes=True)

    call: str = Field(
        description="The name of the driver's function.", examples=["WintunCreateAdapter"]
    )
    seconds: float = Field(description="The seconds since the call was requested.")


class Driver(Model):
    """The driver that the service uses."""

    name: DriverName = Field(description="The name of the driver.", examples=["wintun"])
    generation: DriverGeneration = Field(
        description="The generation of the API that the driver follows.", examples=["tunnel-type"]
    )
    library_path: str | None = Field(
        description="The path of the driver's library; null if the driver has none."
    )
    library_sha256: str | None = Field(
        description="The SHA-256 of the library's file as 64 hexadecimal digits; null if the "
        "driver has no library or the file cannot be read."
    )
    running_version: str | None = Field(
        description="The version of the kernel driver that is loaded; null while none is loaded.",
        examples=["0.14"],
    )
    unavailable: UnavailableReason | None = Field(
        description="The reason why the driver cannot work on this machine; null if it works."
    )
    capabilities: Capabilities = Field(
        description="The abilities of the driver in its present generation."
    )
    calls: list[CallInProgress] = Field(
        description="The calls of the driver that are running or waiting now, the oldest first."
    )


class Limits(Model):
    """The limits that a client must observe."""

    min_capacity: int = Field(description="The smallest ring capacity, in bytes.")
    max_capacity: int = Field(description="The largest ring capacity, in bytes.")
    default_capacity: int = Field(
        description="The ring capacity of a session that asks for none, in bytes."
    )
    max_packet: int = Field(description="The size of the largest packet, in bytes.")
    max_name: int = Field(
        description="The length of the longest name of an adapter, in UTF-16 units."
    )
    max_pool: int = Field(
        description="The length of the longest pool in which an adapter can be created, in UTF-16 "
        "units: 128 with Wintun 0.14, where the pool is the tunnel type, otherwise 255."
    )
    max_message: int = Field(
        description="The size of the largest message or request that carries packets, in bytes."
    )
    max_settings: int = Field(
        description="The size of the largest request that creates or changes an adapter, or "
        "impairs a session, in bytes."
    )
    max_addresses: int = Field(description="The largest number of addresses of an adapter.")
    max_routes: int = Field(description="The largest number of routes into an adapter.")
    queue_packets: int = Field(
        description="The largest queue that a subscriber can request, in packets."
    )
    queue_bytes: int = Field(
        description="The largest queue that a subscriber can request, in bytes."
    )
    guesses_per_minute: int = Field(
        description="The number of wrong tokens that one IP address may send in a minute. The "
        "service answers 429 to further ones."
    )
    request_timeout: float = Field(
        description="The time in which a request must arrive completely, in seconds. After it, the "
        "service answers 408."
    )
    idle_timeout: float = Field(
        description="The time for which a connection is kept open for another request, in seconds."
    )
    max_connections: int = Field(
        description="The largest number of simultaneous connections. It is lower than the setting "
        "if the system's limit of open files is too low for it."
    )


class System(Model):
    """The service and the machine on which it runs."""

    version: str = Field(description="The version of the service.", examples=["0.1.0"])
    started_at: datetime = Field(
        description="The time at which the service started, in UTC. The ids of events start again "
        "at each start."
    )
    platform: str = Field(
        description="The operating system of the machine.", examples=["Windows-11-10.0.26100-SP0"]
    )
    architecture: str = Field(description="The architecture of the machine.", examples=["AMD64"])
    python: str = Field(
        description="The version of Python that runs the service.", examples=["3.13.5"]
    )
    native: bool = Field(
        description="Whether packets are handled by the C extension. If not, Python does the same "
        "at a lower rate."
    )
    libpcap: str | None = Field(
        description="The version of libpcap that compiles filters; null if the service has none, "
        "so that it refuses every filter.",
        examples=["1.10.6"],
    )
    elevated: bool = Field(
        description="Whether the service has the rights that it needs to manage adapters."
    )
    driver: DriverName = Field(description="The name of the driver.", examples=["wintun"])
    unavailable: UnavailableReason | None = Field(
        description="The reason why the driver cannot work on this machine; null if it works."
    )
    scopes: list[Scope] = Field(description="The scopes of the token that sent this request.")
    limits: Limits = Field(description="The limits that a client must observe.")


class Health(Model):
    """The answer of a service that is up."""

    status: Literal["ok"] = Field(
        description="Always `ok`. A service that is not up does not answer."
    )
