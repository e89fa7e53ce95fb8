"""What the API takes and gives of sessions and their packets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictInt

from wintun_api.api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model, from_ns
from wintun_api.drivers.limits import DEFAULT_RING_CAPACITY, MAX_RING_CAPACITY, MIN_RING_CAPACITY
from wintun_api.hub.injection import Injection
from wintun_api.hub.session import SessionState, SessionView

Capacity = Annotated[
    StrictInt,
    Field(ge=MIN_RING_CAPACITY, le=MAX_RING_CAPACITY, multiple_of=MIN_RING_CAPACITY),
    WHOLE,
]


class SessionCreate(Body):
    """A session to start."""

    adapter: UUID = Field(description="The adapter's GUID.", examples=[EXAMPLE_GUID])
    capacity: Capacity = Field(
        DEFAULT_RING_CAPACITY,
        description=(
            f"Ring capacity in bytes, a power of two from {MIN_RING_CAPACITY:#x} to "
            f"{MAX_RING_CAPACITY:#x}. Twice as much memory is locked per session."
        ),
        examples=[DEFAULT_RING_CAPACITY],
    )


class Traffic(Model):
    """Packets and bytes."""

    packets: int = Field(description="How many.")
    bytes: int = Field(description="Of all of them, without frames around them.")


class Lost(Model):
    """Packets lost, by cause.

    Packets of the host are `received` plus `ring` plus `truncated`. Each subscriber got what was
    received while it was subscribed, except for its part of `queue` and `ended`.
    """

    ring: int | None = Field(
        description="By the host, as the ring was full or went with packets in it; null if not "
        "known."
    )
    truncated: int = Field(description="By the host, as the driver could not read them whole.")
    unclaimed: int = Field(description="Received while nobody was subscribed.")
    queue: int = Field(description="In subscribers' queues, every subscriber counted by itself.")
    ended: int = Field(
        description="Left for subscribers when they or the session ended, every subscriber "
        "counted by itself.",
    )
    ring_full: int = Field(
        description="Of clients, as the send ring was full; also those that waited for it at the "
        "end."
    )
    rejected: dict[str, int] = Field(description="Of clients, refused as no IP packet, by reason.")
    refused: dict[str, int] = Field(
        description="Of clients, taken by the send ring and refused by the host, by cause.",
        examples=[{"link_down": 3}],
    )
    failed: int = Field(
        description="Of clients, not taken as the driver's call failed or the session was ending.",
    )


class SessionCounters(Model):
    """Counts since the session was started."""

    received: Traffic = Field(description="Host to application.")
    injected: Traffic = Field(description="Application to host.")
    lost: Lost = Field(description="Packets that did not arrive, by cause.")
    ring_corrupt: int = Field(description="How often the receive ring was found corrupt.")


class Session(Model):
    """A session of an adapter."""

    id: str = Field(description="Names it in paths.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of its adapter.", examples=[EXAMPLE_GUID])
    capacity: int = Field(description="Of the ring, in bytes.", examples=[DEFAULT_RING_CAPACITY])
    state: SessionState = Field(description="Packets flow while it is running.")
    reason: str | None = Field(description="Why it ended or failed; null while it runs.")
    win32_code: int | None = Field(description="The driver's error code when it failed.")
    started_at: datetime = Field(description="UTC.")
    ended_at: datetime | None = Field(description="UTC; null while it runs.")
    restarts: int = Field(description="Restarts after ring corruption; one at most.")
    subscribers: int = Field(description="Clients that get packets now.")
    counters: SessionCounters = Field(description="What it carried and lost.")

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
                    truncated=counters.truncated,
                    unclaimed=counters.received_unclaimed,
                    queue=counters.queue_lost,
                    ended=counters.ended,
                    ring_full=counters.ring_full,
                    rejected=dict(counters.rejected),
                    refused=dict(counters.refused),
                    failed=counters.failed,
                ),
                ring_corrupt=counters.ring_corrupt,
            ),
        )


class InjectionReport(Model):
    """What became of injected packets."""

    accepted: int = Field(description="Packets given to the host.")
    rejected: dict[str, int] = Field(description="Packets refused as no IP packet, by reason.")
    ring_full: int = Field(description="Packets dropped as the send ring was full.")
    refused: dict[str, int] = Field(
        description="Packets that the send ring took and the host refused, by cause."
    )

    @classmethod
    def of(cls, injection: Injection) -> InjectionReport:
        """Write an injection of the hub."""
        return cls(
            accepted=injection.accepted,
            rejected=dict(injection.rejected),
            ring_full=injection.ring_full + len(injection.waiting),
            refused=dict(injection.refused),
        )
