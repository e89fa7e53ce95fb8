"""The control messages of `v1.batch`, as JSON in text messages beside the batches.

The connection writes them as they are here without making models: `lost` and `ack` belong to the
packet path. Tests hold what it writes to these.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from wintun_api.api.schemas.model import EXAMPLE_GUID, Model
from wintun_api.hub.fanout import Direction, Overflow
from wintun_api.hub.injection import Full
from wintun_api.hub.session import SessionState


class StreamAdapter(Model):
    """The adapter behind a packet socket."""

    guid: UUID = Field(description="The adapter's identity.", examples=[EXAMPLE_GUID])
    name: str = Field(description="What people call it.", examples=["OfficeNet"])
    interface_name: str = Field(description="What the system's own tools call it.")


class StreamLimits(Model):
    """The numbers that this connection keeps to."""

    max_packet: int = Field(description="Bytes of the largest packet.", examples=[65535])
    max_message: int = Field(description="Bytes of the largest message that the client may send.")
    queue_packets: int = Field(description="Packets that wait for this client at most.")
    queue_bytes: int = Field(description="The same in bytes.")
    snaplen: int = Field(description="Bytes of each packet that it gets; 0 for all.")


class NextSequence(Model):
    """The numbers that the next packets of the session get."""

    received: int = Field(description="Host to application.")
    injected: int = Field(description="Application to host.")


class Hello(Model):
    """The first message: what was agreed on."""

    type: Literal["hello"] = Field(description="The kind of message.")
    protocol: str = Field(description="The subprotocol.", examples=["v1.batch.wintun-api"])
    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: StreamAdapter = Field(description="Of the session.")
    mtu: int | None = Field(description="Of the adapter; null where it cannot be read.")
    direction: Direction = Field(description="Which packets the client gets.")
    overflow: Overflow = Field(description="What its full queue does.")
    full: Full = Field(description="What a full send ring does to its packets.")
    limits: StreamLimits = Field(description="What this connection keeps to.")
    next_sequence: NextSequence = Field(description="To see loss before the first batch.")


class LostPackets(Model):
    """Packets this client did not get; once a second at most by cause and direction, and last."""

    type: Literal["lost"] = Field(description="The kind of message.")
    cause: Literal["queue", "ended", "ring", "truncated"] = Field(
        description="queue: this client's queue was full; ended: left in it at the end; ring: the "
        "host lost them, as the ring was full; truncated: the driver could not read them whole."
    )
    direction: Literal["received", "injected"] = Field(description="Which packets.")
    count: int = Field(description="How many.")
    first: int = Field(description="The sequence number of the first of them.")
    last: int = Field(description="Of the last of them; between them, others may have arrived.")


class Ack(Model):
    """What became of packets since the ack before; one a millisecond at most."""

    type: Literal["ack"] = Field(description="The kind of message.")
    messages: int = Field(description="Messages of this connection that are done with, in all.")
    accepted: int = Field(description="Packets given to the host.")
    rejected: dict[str, int] = Field(description="Refused as no IP packet, by reason.")
    ring_full: int = Field(
        description="Dropped as the send ring was full, or still waiting for it at the end."
    )
    refused: dict[str, int] = Field(
        description="Taken by the send ring and refused by the host, by cause: link_down, host."
    )
    failed: int = Field(
        description="Not taken, as the driver's call failed or the session was ending."
    )


class Ended(Model):
    """The last message: the session is over; the socket closes with 4009.

    It closes with 1001 when the service shuts down, with 4008 when the client was too slow before.
    """

    type: Literal["ended"] = Field(description="The kind of message.")
    state: SessionState = Field(description="Of the session.")
    reason: str = Field(description="Why it ended, for people.")


CONTROL: tuple[type[Model], ...] = (Hello, LostPackets, Ack, Ended)
