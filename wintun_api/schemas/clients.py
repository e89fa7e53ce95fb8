"""The answers of the API that concern connected clients."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from wintun_api.choices import ClientKind, Direction, Overflow, Scope
from wintun_api.schemas.model import EXAMPLE_GUID, Model


class ClientQueue(Model):
    """What waits for a client: packets, or events if it reads events."""

    length: int = Field(description="The packets or events that wait.")
    bytes: int = Field(description="The bytes of memory that these use.")
    max_length: int | None = Field(
        description="The largest number that waits; in a capture of several adapters, for each of "
        "them."
    )
    max_bytes: int | None = Field(description="The largest number of bytes that these use.")


class ConnectedClient(Model):
    """A stream that a client has open now, and who opened it."""

    id: str = Field(
        description="The id that identifies the client in paths.", examples=["a3f1c2d4e5b6"]
    )
    kind: ClientKind = Field(description="What the client has open.")
    token: str = Field(
        description="The id of its token; `admin` for the token of the token file.",
        examples=["9f86d081"],
    )
    token_label: str = Field(
        description="A text that says what the token is for; it may be empty.",
        examples=["grafana"],
    )
    scopes: list[Scope] = Field(description="The scopes of the token.")
    browser: bool = Field(description="Whether a browser signed in with the token.")
    own: bool = Field(
        description="Whether the client has the same token as this request and, in a browser, the "
        "same sign-in."
    )
    address: str | None = Field(
        description="The IP address of the client; null if the connection has none.",
        examples=["127.0.0.1"],
    )
    port: int | None = Field(
        description="The port of the client; null if the connection has none.", examples=[53412]
    )
    user_agent: str = Field(
        description="What the client says it is, cut to 256 characters; it may be empty.",
        examples=["curl/8.5.0"],
    )
    connected_at: datetime = Field(
        description="The time, in UTC, at which the stream was opened.",
    )
    subprotocol: str | None = Field(
        description="The subprotocol of a WebSocket; null without one.",
        examples=["v1.batch.wintun-api"],
    )
    session: str | None = Field(
        description="The id of the session; null for a stream that does not belong to one session.",
        examples=["5f0c9d1e2b3a"],
    )
    adapter: UUID | None = Field(
        description="The GUID of the session's adapter; null without a session.",
        examples=[EXAMPLE_GUID],
    )
    adapter_name: str | None = Field(
        description="The name of this adapter; null without a session.", examples=["OfficeNet"]
    )
    direction: Direction | None = Field(
        description="The packets that the client gets; null if it gets none by its kind."
    )
    overflow: Overflow | None = Field(
        description="What happens when its queue is full; null if it has no queue of packets."
    )
    queue: ClientQueue | None = Field(
        description="What waits for the client; null for a download, which has no queue."
    )
    delivered: int | None = Field(
        description="The packets or events that were given to its connection; null for a download."
    )
    injected: int | None = Field(
        description="The packets of this client that were handed to the host; null for a download."
    )
    lost: dict[str, int] = Field(
        description="The packets or events that the client lost, by cause, and its own packets "
        "that were not injected, by cause. Causes without a loss are left out.",
        examples=[{"queue": 12}],
    )
