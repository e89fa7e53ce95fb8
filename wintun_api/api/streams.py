"""Exchange a session's packets over WebSocket, on the packet socket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, WebSocket
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from wintun_api.api.access import ANY_TOKEN, needs
from wintun_api.api.capture import find
from wintun_api.api.capture_query import FILTER, MARKS, MARKS_BEFORE, TAP
from wintun_api.api.capture_ways import stream_capture
from wintun_api.api.connected import Presence
from wintun_api.api.connection import Options, PacketConnection
from wintun_api.api.context import Context, ContextOf, PrincipalOf, SessionId
from wintun_api.api.cutoff import accept, leased
from wintun_api.api.kinds import Kind
from wintun_api.api.link import link_of
from wintun_api.api.live_capture import Capture
from wintun_api.api.parameters import read
from wintun_api.api.problems import Refusal, close_code, refusal_of
from wintun_api.api.security import refuse_websocket
from wintun_api.api.subprotocols import negotiate
from wintun_api.api.tokens import Principal
from wintun_api.choices import ClientKind, Direction, Full, Overflow, Scope, Tap, Times
from wintun_api.errors import WintunApiError
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.filters import Filters
from wintun_api.hub.session import ManagedSession
from wintun_api.limits import MAX_FILTER, MAX_PACKET
from wintun_api.native import speedups
from wintun_api.settings import Settings
from wintun_api.wire import BATCH, PCAPNG, RAW

router = APIRouter(prefix="/v1")

SUBPROTOCOLS = (BATCH, RAW, PCAPNG)
OFFER = f"Offer {BATCH}, {RAW} or {PCAPNG}; without an offer the service uses {RAW}."


class PacketQuery(BaseModel):
    """Hold the query parameters of the packet socket."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    direction: Direction | SkipJsonSchema[None] = Field(
        None,
        description="The packets that the client gets. If it is left out, a token with the scope "
        "`capture` gets `received` packets, and `both` directions in v1.pcapng; another token gets "
        "none.",
    )
    overflow: Overflow = Field(
        default=Overflow.DROP_OLDEST,
        description="What happens when the queue of this client is full. `block` is meant for "
        "programs that forward every packet, and requires `direction=received`.",
    )
    queue_packets: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = Field(
        None,
        description="The largest number of packets that wait for this client. If it is left out or "
        "larger than the limit of the service, that limit applies.",
    )
    queue_bytes: Annotated[int, Field(ge=1)] | SkipJsonSchema[None] = Field(
        None,
        description="The largest number of bytes of packets that wait for this client. If it is "
        "left out or larger than the limit of the service, that limit applies.",
    )
    snaplen: int = Field(
        default=0,
        ge=0,
        le=MAX_PACKET,
        description="The number of bytes to which each packet is cut; 0 keeps all bytes.",
    )
    full: Full = Field(
        default=Full.DROP,
        description="What happens to packets of this client when the send ring is full.",
    )
    tap: Tap = Field(default=Tap.AFTER, description=TAP)
    filter: str = Field(default="", max_length=MAX_FILTER, description=FILTER)
    times: Times = Field(
        default=Times.BURST,
        description="Whether each packet has its own time, in v1.batch: with `packet`, each batch "
        "has flag 8.",
    )
    marks: bool = Field(default=False, description=f"{MARKS} {MARKS_BEFORE} This is for v1.pcapng.")

    def options(self, settings: Settings, principal: Principal, subprotocol: str | None) -> Options:
        """Return the options, with defaults from the settings and the token's scopes."""
        may_capture = principal.allows(Scope.CAPTURE)
        direction = self.direction
        if direction is None:
            wanted = Direction.BOTH if subprotocol == PCAPNG else Direction.RECEIVED
            direction = wanted if may_capture else Direction.NONE
        if direction is not Direction.NONE and not may_capture:
            raise _missing(Scope.CAPTURE)
        if direction is Direction.NONE and subprotocol == PCAPNG:
            if not may_capture:
                raise _missing(Scope.CAPTURE)
            raise Refusal(
                Kind.INVALID_REQUEST,
                f"{PCAPNG} only sends packets to the client, so direction cannot be none.",
                f"Use direction=received, injected or both; to inject, use {BATCH} or {RAW}.",
            )
        if direction is Direction.NONE and not principal.allows(Scope.INJECT):
            raise _missing(Scope.INJECT)
        if self.overflow is Overflow.BLOCK and direction is not Direction.RECEIVED:
            raise Refusal(
                Kind.INVALID_REQUEST,
                "overflow=block stops reading the receive ring, so it requires direction=received.",
                "Use another overflow policy, or a second connection for injected packets.",
            )
        return Options(
            direction=direction,
            overflow=self.overflow,
            queue_packets=min(self.queue_packets or settings.queue_packets, settings.queue_packets),
            queue_bytes=min(self.queue_bytes or settings.queue_bytes, settings.queue_bytes),
            snaplen=self.snaplen,
            full=self.full,
            message_bytes=settings.message_bytes,
            tap=self.tap,
            marks=self.marks,
            times=self.times,
        )

    async def filtered(self, options: Options, filters: Filters) -> Options:
        """Return the options with the filter.

        Raises:
            InvalidFilter: libpcap does not accept it.
            FiltersBusy: Too many others are compiled.
            FilterUnavailable: No libpcap is installed.
            OutOfThreads: The system did not start the thread that compiles it.
        """
        return replace(options, filter=await filters.compile(self.filter))


@router.websocket("/sessions/{session_id}/packets")
@needs(ANY_TOKEN)
async def stream_packets(
    websocket: WebSocket, session_id: SessionId, context: ContextOf, principal: PrincipalOf
) -> None:
    """Exchange IP packets with a session in the format of the negotiated subprotocol."""
    try:
        subprotocol = negotiate(websocket.scope["subprotocols"], SUBPROTOCOLS, OFFER)
        query = read(PacketQuery, websocket)
        options = query.options(context.settings, principal, subprotocol)
        options = await query.filtered(options, context.registry.filters)
        session, adapter = await find(context, session_id)
    except (WintunApiError, ValidationError) as error:
        await refuse_websocket(refusal_of(error), websocket)
        return
    await exchange(websocket, context, principal, Stream(session, adapter, options, subprotocol))


@dataclass(frozen=True, slots=True)
class Stream:
    """Hold what was agreed on in the handshake of a packet socket.

    Attributes:
        session: The session.
        adapter: Its adapter.
        options: What the client asked for.
        subprotocol: The subprotocol; None if none was offered.
        started: Whether the session was started for this client.
    """

    session: ManagedSession
    adapter: AdapterView
    options: Options
    subprotocol: str | None
    started: bool = False


async def exchange(
    websocket: WebSocket, context: Context, principal: Principal, stream: Stream
) -> None:
    """Accept a packet socket and exchange packets until it closes."""
    if not await accept(websocket, context.leases, principal, stream.subprotocol):
        return
    session, options = stream.session, stream.options
    if stream.subprotocol == PCAPNG:
        capture = Capture(context.registry.sessions, session, options, stopping=context.stopping)
        await stream_capture(websocket, capture, context, principal)
        return
    connection = PacketConnection(
        session,
        link := link_of(websocket, speedups(context.settings.native)),
        stream.subprotocol or RAW,
        options,
        may_inject=principal.allows(Scope.INJECT),
        compile_filter=context.registry.filters.compile,
    )
    try:
        presence = Presence(
            ClientKind.PACKETS,
            connection.counts,
            session=session.id,
            adapter=session.adapter,
            name=session.name,
            subprotocol=stream.subprotocol or RAW,
            direction=options.direction,
            overflow=options.overflow,
            max_queued=options.queue_packets,
            max_queued_bytes=options.queue_bytes,
        )
        async with leased(websocket, context, principal, connection.shut, presence):
            limit = context.settings.max_message
            connection.open(stream.adapter, limit, presence.id, started=stream.started)
            while (message := await link.receive())["type"] != "websocket.disconnect":
                connection.text(message["text"])
    except WintunApiError as error:  # the session ended between the look-up and the subscription
        connection.shut(close_code(error), str(error))
    finally:
        connection.close()


def _missing(scope: Scope) -> Refusal:
    return Refusal(
        Kind.MISSING_SCOPE,
        f"The token does not have the scope {scope}.",
        f"Use a token with the scope {scope}, or another direction.",
    )
