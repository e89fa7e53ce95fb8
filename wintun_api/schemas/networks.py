"""Networks of many hosts, as the agents beside this service report them (`wintun-api join`)."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool, StrictFloat, StrictInt

from wintun_api.limits import MAX_COUNT
from wintun_api.schemas.model import WHOLE, Body, Model

MAX_HOSTS = 256
MAX_HOST_ADAPTERS = 16
MAX_HOST_ADDRESSES = 16
MAX_HOST_PREFIXES = 32
MAX_CAUSES = 16
MAX_COUNTS = 32
MAX_OFFSET = 1e12  # milliseconds


def _date(value: object) -> object:
    # Pydantic takes numbers of seconds for times as well, also in texts; the schema does not.
    if isinstance(value, datetime) or value is None:
        return value
    if not isinstance(value, str) or re.match(r"\d{4}-\d\d-\d\d", value) is None:
        raise ValueError("is not a date and a time, such as 2026-01-02T03:04:05Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_date)]
Word = Annotated[str, Field(max_length=128)]
Count = Annotated[StrictInt, Field(ge=0, le=MAX_COUNT), WHOLE]


class HostState(StrEnum):
    """The state of a host.

    `attached`: its agent exchanges packets with its service. `detached`: it does not, because the
    service or the session is gone. `unknown`: what it says of itself cannot be read.
    """

    ATTACHED = "attached"
    DETACHED = "detached"
    UNKNOWN = "unknown"


class HostAdapter(Body):
    """An adapter of a host."""

    name: Word = Field(description="The name of the adapter.", examples=["OfficeNet"])
    state: Word = Field(description="The state of the adapter.", examples=["up"])
    addresses: list[Word] = Field(
        default=[],
        max_length=MAX_HOST_ADDRESSES,
        description="The addresses of the adapter, each with its prefix length.",
        examples=[["10.6.7.7/24"]],
    )
    more_addresses: Count = Field(
        default=0, description="The number of its addresses that did not fit into `addresses`."
    )
    received: Count = Field(
        default=0, description="The number of packets that its session has received."
    )
    injected: Count = Field(
        default=0, description="The number of packets that were injected into its session."
    )


class NetworkHost(Body):
    """A host of a network. What it says of itself is not verified."""

    id: str = Field(
        min_length=1,
        max_length=64,
        description="The id of the host, made from its public key.",
        examples=["ab3kq7x2mzpd"],
    )
    name: Word = Field(description="The name of the host.", examples=["hub"])
    state: HostState = Field(description="The state of the host.")
    adapter: Word = Field(
        default="", description="The name of the adapter that has joined.", examples=["OfficeNet"]
    )
    prefixes: list[Word] = Field(
        default=[],
        max_length=MAX_HOST_PREFIXES,
        description="The addresses and networks that lead to the host.",
        examples=[["10.6.7.7/32"]],
    )
    more_prefixes: Count = Field(
        default=0,
        description="The number of addresses and networks that did not fit into `prefixes`.",
    )
    refused: list[Word] = Field(
        default=[],
        max_length=MAX_HOST_PREFIXES,
        description="The addresses and networks that it has claimed and that lead to another host.",
        examples=[["10.6.7.8/32"]],
    )
    more_refused: Count = Field(
        default=0,
        description="The number of addresses and networks that did not fit into `refused`.",
    )
    adapters: list[HostAdapter] = Field(
        default=[], max_length=MAX_HOST_ADAPTERS, description="The adapters of its service."
    )
    more_adapters: Count = Field(
        default=0, description="The number of its adapters that did not fit into `adapters`."
    )
    version: Word = Field(default="", description="The version of its agent.", examples=["0.1.0"])
    system: Word = Field(
        default="", description="The operating system of the host.", examples=["Linux 6.12"]
    )
    driver: Word = Field(
        default="", description="The driver of its service.", examples=["wintun 0.14.1"]
    )
    sent: Count = Field(
        default=0, description="The number of packets that it has sent to other hosts."
    )
    delivered: Count = Field(
        default=0, description="The number of packets of other hosts that were injected there."
    )
    lost: dict[Word, Count] = Field(
        default={},
        max_length=MAX_CAUSES,
        description="The number of packets that it knows to be lost, by cause.",
        examples=[{"no_route": 3}],
    )
    counts: dict[Word, Count] = Field(
        default={},
        max_length=MAX_COUNTS,
        description="What else its agent has dropped, refused or could not read since it was "
        "started, by name; the guide explains the names.",
        examples=[{"unanswered": 12}],
    )
    clock_offset_ms: Annotated[StrictFloat | None, Field(ge=-MAX_OFFSET, le=MAX_OFFSET)] = Field(
        default=None,
        description="The milliseconds by which its clock is ahead of the server's; negative if it "
        "is behind, null if that is not known.",
        examples=[1.5],
    )
    since: Moment | None = Field(
        default=None, description="The time since which it has been there, in UTC."
    )
    seen: Moment | None = Field(default=None, description="The time of its latest report, in UTC.")


class NetworkSet(Body):
    """What an agent reports about its network."""

    host: str = Field(
        min_length=1,
        max_length=64,
        description="The id of the agent's own host.",
        examples=["ab3kq7x2mzpd"],
    )
    connected: StrictBool = Field(
        default=True, description="Whether the agent has a connection to the bus."
    )
    hosts: list[NetworkHost] = Field(
        max_length=MAX_HOSTS, description="The hosts of the network, the agent's own too."
    )
    more_hosts: Count = Field(
        default=0, description="The number of hosts that did not fit into `hosts`."
    )


class Network(Model):
    """A network that an agent beside this service has joined, as the agent reports it."""

    name: str = Field(description="The name of the network.", examples=["lab"])
    host: str = Field(description="The id of the agent's own host.", examples=["ab3kq7x2mzpd"])
    connected: bool = Field(description="Whether the agent has a connection to the bus.")
    reported_at: datetime = Field(description="The time of the latest report, in UTC.")
    hosts: list[NetworkHost] = Field(description="The hosts of the network, the agent's own too.")
    more_hosts: int = Field(description="The number of hosts that did not fit into `hosts`.")
