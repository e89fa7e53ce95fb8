"""The control messages of `v1.batch`: JSON in text messages beside the batches.

The connection writes these messages without creating models, because `lost` and `ack` belong to
the packet path. Tests compare what it writes with the models.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from wintun_api.choices import Direction, Ends, Full, Overflow, SessionState, Tap, Times
from wintun_api.schemas.filters import Expression, FilterFault
from wintun_api.schemas.model import EXAMPLE_GUID, Body, Model


class Subprotocol(StrEnum):
    """A framing of packets on the packet socket.

    `v1.raw.wintun-api`: one bare IP packet per binary message. `v1.batch.wintun-api`: many packets
    per binary message and control messages in JSON. `v1.pcapng.wintun-api`: blocks of a capture.
    """

    RAW = "v1.raw.wintun-api"
    BATCH = "v1.batch.wintun-api"
    PCAPNG = "v1.pcapng.wintun-api"


class ReaderLossCause(StrEnum):
    """A cause for which a client did not get packets.

    `queue`: the queue of this client was full. `ended`: the packets were still in its queue when
    the connection or the session ended. `ring`: the receive ring of the host was full.
    `truncated`: the driver could not read the packets completely.
    """

    QUEUE = "queue"
    ENDED = "ended"
    RING = "ring"
    TRUNCATED = "truncated"


class PacketDirection(StrEnum):
    """The direction of a packet.

    `received`: from the host to the application. `injected`: from the application to the host.
    """

    RECEIVED = "received"
    INJECTED = "injected"


class StreamAdapter(Model):
    """The adapter of a packet socket."""

    guid: UUID = Field(description="The GUID of the adapter.", examples=[EXAMPLE_GUID])
    name: str = Field(description="The name of the adapter.", examples=["OfficeNet"])
    interface_name: str = Field(
        description="The name of the interface in the system's own tools.", examples=["OfficeNet"]
    )


class StreamLimits(Model):
    """The limits of this connection."""

    max_packet: int = Field(
        description="The size of the largest packet, in bytes.", examples=[65535]
    )
    max_message: int = Field(
        description="The size of the largest message that the client may send, in bytes."
    )
    queue_packets: int = Field(
        description="The largest number of packets that wait for this client."
    )
    queue_bytes: int = Field(
        description="The largest number of bytes of packets that wait for this client."
    )
    snaplen: int = Field(
        description="The number of bytes to which packets for this client are cut; 0 if they are "
        "not cut."
    )


class NextSequence(Model):
    """The sequence numbers of the session's next packets."""

    received: int = Field(
        description="The sequence number of the next packet from the host to the application."
    )
    injected: int = Field(
        description="The sequence number of the next packet from the application to the host."
    )


class Hello(Model):
    """The first message on the socket. It tells the client what it got of what it asked for."""

    type: Literal["hello"] = Field(description="The type of the message.")
    protocol: Subprotocol = Field(
        description="The subprotocol of the connection.", examples=["v1.batch.wintun-api"]
    )
    client: str = Field(
        default="",
        description="The id of this connection in `GET /v1/clients`.",
        examples=["a3f1c2d4e5b6"],
    )
    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: StreamAdapter = Field(description="The adapter of the session.")
    mtu: int | None = Field(
        description="The MTU of the adapter in bytes; null if it cannot be read."
    )
    direction: Direction = Field(description="The packets that this client gets.")
    overflow: Overflow = Field(description="What happens when the queue of this client is full.")
    full: Full = Field(
        description="What happens to packets of this client when the send ring is full."
    )
    limits: StreamLimits = Field(description="The limits of this connection.")
    next_sequence: NextSequence = Field(
        description="The sequence numbers of the next packets. With them, the client can detect a "
        "loss before the first batch."
    )
    handed_before: int | None = Field(
        default=None,
        description="The packets that the host had handed to the adapter before the session "
        "started, as `GET /v1/sessions/{id}` has it.",
    )
    started: bool = Field(
        default=False, description="Whether the session was started for this client."
    )
    ends: Ends = Field(
        default=Ends.NOTHING,
        description="What this client asked to end after the last client that holds the adapter.",
    )
    tap: Tap = Field(
        default=Tap.AFTER, description="On which side of an impairment this client sees packets."
    )
    filter: str = Field(
        default="", description="The filter of this client; empty if it gets all packets."
    )
    times: Times = Field(
        default=Times.BURST, description="Whether each packet for this client has its own time."
    )


class LostPackets(Model):
    """A report of packets that this client did not get.

    The service sends at most one report per second for each cause and direction, and a last one at
    the end.
    """

    type: Literal["lost"] = Field(description="The type of the message.")
    cause: ReaderLossCause = Field(description="The cause of the loss.")
    direction: PacketDirection = Field(description="The direction of the lost packets.")
    count: int = Field(description="The number of lost packets.")
    first: int = Field(description="The sequence number of the first lost packet.")
    last: int = Field(
        description="The sequence number of the last lost packet. Other packets between the first "
        "and the last may have arrived."
    )


class Ack(Model):
    """A report of what happened to the client's packets since the previous `ack`.

    The service sends at most one `ack` per millisecond.
    """

    type: Literal["ack"] = Field(description="The type of the message.")
    messages: int = Field(
        description="The number of messages of this connection that have been processed so far."
    )
    accepted: int = Field(
        description="The packets that were handed to the host. In an impaired session also those "
        "that the impairment has taken: a bad network does not report its losses."
    )
    rejected: dict[str, int] = Field(
        description="The packets that were not valid IP packets, by reason: `too_short`, "
        "`too_long` or `bad_version`."
    )
    ring_full: int = Field(
        description="The packets that were dropped because the send ring was full, or were still "
        "waiting for it when the session ended."
    )
    refused: dict[str, int] = Field(
        description="The packets that the send ring took and the host then refused, by cause: "
        "`link_down` if the interface was set down, otherwise `host`."
    )
    failed: int = Field(
        description="The packets that were not injected because a call of the driver failed, the "
        "session was ending, or the client was not allowed to inject them."
    )


class Ended(Model):
    """The last message on the socket. It says that the session is over.

    The socket then closes with code 4009, with 1001 if the service shuts down, or with 4008 if the
    client was too slow before.
    """

    type: Literal["ended"] = Field(description="The type of the message.")
    state: SessionState = Field(description="The last state of the session.")
    reason: str = Field(description="A sentence that says why the session ended.")


class FilterChanged(Model):
    """The answer to a `filter` of the client: whether the client has another filter now.

    A filter that is not valid changes nothing. If the client sends several, one after another, the
    service may answer only the last of them.
    """

    type: Literal["filter"] = Field(description="The type of the message.")
    filter: str = Field(
        description="The filter that the client sent; the beginning of one that is too long, and "
        "empty where the client sent something else than a text.",
        examples=["udp port 53"],
    )
    valid: bool = Field(description="Whether the client has this filter now.")
    next_sequence: NextSequence | None = Field(
        default=None,
        description="The sequence numbers of the first packets to which the filter applies; null "
        "if it is not valid. Packets with lower numbers passed the filter before.",
    )
    error: FilterFault | None = Field(
        default=None, description="What is wrong with the filter; null if it is valid."
    )


class ChangeFilter(Body):
    """Another filter for the packets that the service sends from now on.

    It is the only text message that a client may send. The service answers with `filter` in
    v1.batch, also if the message is not right; in v1.raw it closes the socket with code 4010 then.
    """

    type: Literal["filter"] = Field(description="The type of the message.")
    filter: Expression


CONTROL: tuple[type[Model], ...] = (Hello, LostPackets, Ack, FilterChanged, Ended)
REQUESTS: tuple[type[Model], ...] = (ChangeFilter,)
