"""The requests and answers of the API that concern sessions and their packets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from wintun_api.choices import Ends, SessionState
from wintun_api.limits import DEFAULT_RING_CAPACITY, MAX_RING_CAPACITY, MIN_RING_CAPACITY
from wintun_api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model
from wintun_api.schemas.recorder import Recorder

Capacity = Annotated[
    StrictInt,
    Field(ge=MIN_RING_CAPACITY, le=MAX_RING_CAPACITY, multiple_of=MIN_RING_CAPACITY),
    WHOLE,
]


class SessionCreate(Body):
    """The session to start."""

    adapter: UUID = Field(
        description="The GUID of the adapter on which the session runs.", examples=[EXAMPLE_GUID]
    )
    capacity: Capacity = Field(
        default=DEFAULT_RING_CAPACITY,
        description=(
            f"The ring capacity in bytes, a power of two from {MIN_RING_CAPACITY:#x} to "
            f"{MAX_RING_CAPACITY:#x}. The session locks twice as much memory."
        ),
        examples=[DEFAULT_RING_CAPACITY],
    )
    offload: StrictBool | None = Field(
        default=None,
        description="Whether the host passes TCP and UDP data in pieces of up to 64 KiB, which the "
        "session splits into packets. Null: as the service is set. Only drivers with the "
        "capability `offload` can do it.",
    )


class Traffic(Model):
    """A number of packets and their bytes."""

    packets: int = Field(description="The number of packets.")
    bytes: int = Field(description="The bytes of these packets, without any framing.")


class Lost(Model):
    """The numbers of lost packets, by cause.

    The host sent `received` + `ring` + `truncated` packets. Each subscriber got every packet that
    was received while it was subscribed, except for its share of `queue` and `ended`.
    """

    ring: int | None = Field(
        description="Packets of the host that did not fit into the receive ring, or were still in "
        "it when the session ended. Null if the number is not known."
    )
    truncated: int = Field(
        description="Packets of the host that the driver could not read completely."
    )
    unclaimed: int = Field(description="Packets that were received while no client was subscribed.")
    queue: int = Field(
        description="Packets that did not fit into the queues of subscribers. A packet counts once "
        "for each subscriber that lost it."
    )
    ended: int = Field(
        description="Packets that subscribers had not yet got when they disconnected or the "
        "session ended. A packet counts once for each subscriber that lost it.",
    )
    ring_full: int = Field(
        description="Packets of clients that did not fit into the send ring, or were still waiting "
        "for it when the session ended."
    )
    rejected: dict[str, int] = Field(
        description="Packets of clients that were not valid IP packets, by reason: `too_short`, "
        "`too_long` or `bad_version`.",
        examples=[{"too_short": 1}],
    )
    refused: dict[str, int] = Field(
        description="Packets of clients that the send ring took and the host then refused, by "
        "cause: `link_down` if the interface was set down, otherwise `host`.",
        examples=[{"link_down": 3}],
    )
    failed: int = Field(
        description="Packets of clients that were not injected because a call of the driver "
        "failed, the session was ending, or the client was not allowed to inject them.",
    )


class SessionCounters(Model):
    """The counters of a session since its start."""

    received: Traffic = Field(description="The traffic from the host to the application.")
    injected: Traffic = Field(description="The traffic from the application to the host.")
    lost: Lost = Field(description="The numbers of lost packets, by cause.")
    ring_corrupt: int = Field(
        description="The number of times that the receive ring was found corrupt."
    )


class Session(Model):
    """A session of an adapter, with its counters."""

    id: str = Field(
        description="The id that identifies the session in paths.", examples=["5f0c9d1e2b3a"]
    )
    adapter: UUID = Field(
        description="The GUID of the adapter on which the session runs.", examples=[EXAMPLE_GUID]
    )
    name: str = Field(
        default="",
        description="The name that its adapter had when it started, also where the adapter is "
        "gone.",
        examples=["OfficeNet"],
    )
    capacity: int = Field(
        description="The ring capacity in bytes.", examples=[DEFAULT_RING_CAPACITY]
    )
    offload: bool = Field(
        default=False,
        description="Whether the host passes TCP and UDP data in pieces of up to 64 KiB, which the "
        "session splits into packets. Where the system refuses that, a session runs without.",
    )
    state: SessionState = Field(
        description="The state of the session. Packets are exchanged only while it is `running`."
    )
    reason: str | None = Field(
        description="A sentence that says why the session ended or failed; null while it runs."
    )
    win32_code: int | None = Field(
        description="The error number of Windows or of Wintun that made the session fail, if "
        "there was one. Null otherwise, and always on Linux."
    )
    errno: int | None = Field(
        default=None,
        description="The errno that made the session fail on Linux, if there was one. Null "
        "otherwise, and always on Windows.",
    )
    started_at: datetime = Field(description="The time at which the session started, in UTC.")
    ended_at: datetime | None = Field(
        description="The time at which the session ended, in UTC; null while it runs."
    )
    restarts: int = Field(
        description="The number of restarts after the receive ring was found corrupt, at most 1."
    )
    handed_before: int | None = Field(
        default=None,
        description="The packets that the host had handed to the adapter before this session "
        "started, since the adapter was created: those that earlier sessions received, and those "
        "that were lost. With `offload`, packets that came as one piece count once. Null if the "
        "system does not count them.",
        examples=[0],
    )
    subscribers: int = Field(description="The number of clients that receive packets now.")
    impairment: str | None = Field(
        default=None,
        description="What `PUT /v1/sessions/{id}/impairment` does to its packets now, in one line; "
        "null if nothing happens to them.",
        examples=["received delay 60ms jitter 5ms loss 2%; injected rate 10mbit"],
    )
    recorder: Recorder | None = Field(
        default=None,
        description="What `PUT /v1/sessions/{id}/recorder` keeps of its packets; null if nothing.",
    )
    holders: int = Field(
        default=0,
        description="The number of clients that hold the adapter now: they are connected to `WS "
        "/v1/adapters/{guid}/packets` with `ends=session` or `ends=adapter`.",
    )
    ends: Ends = Field(
        default=Ends.NOTHING,
        description="What ends when the last client that holds the adapter has gone and none "
        "comes back. A session that was started by another request does not end with them, except "
        "with its adapter.",
    )
    ends_at: datetime | None = Field(
        default=None,
        description="The time, in UTC, at which this ends if no client comes back; null while a "
        "client holds the adapter, or if nothing ends.",
    )
    counters: SessionCounters = Field(description="The counters of the session since its start.")


class InjectionReport(Model):
    """The result of an injection, in numbers of packets."""

    accepted: int = Field(description="The packets that were handed to the host.")
    rejected: dict[str, int] = Field(
        description="The packets that were not valid IP packets, by reason: `too_short`, "
        "`too_long` or `bad_version`."
    )
    ring_full: int = Field(
        description="The packets that were dropped because the send ring was full. They can be "
        "sent again."
    )
    refused: dict[str, int] = Field(
        description="The packets that the send ring took and the host then refused, by cause: "
        "`link_down` if the interface was set down, otherwise `host`."
    )
