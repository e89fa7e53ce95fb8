"""Exchange an adapter's packets over WebSocket, and end what was started when its clients are gone.

The socket starts the session of the adapter if none runs, and otherwise joins the one that does. A
client with `ends` holds the adapter until its socket closes, in whatever way (see `hub.holds`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, WebSocket
from pydantic import Field, ValidationError
from pydantic.json_schema import SkipJsonSchema

from wintun_api.api.access import ANY_TOKEN, needs
from wintun_api.api.adapters import Guid
from wintun_api.api.audit import record_change
from wintun_api.api.capture import find, running
from wintun_api.api.connection import Options
from wintun_api.api.context import Context, ContextOf, PrincipalOf
from wintun_api.api.kinds import Kind
from wintun_api.api.parameters import read
from wintun_api.api.problems import Refusal, refusal_of
from wintun_api.api.security import refuse_websocket
from wintun_api.api.streams import OFFER, SUBPROTOCOLS, PacketQuery, Stream, exchange
from wintun_api.api.subprotocols import negotiate
from wintun_api.api.tokens import Principal
from wintun_api.choices import Ends, Scope
from wintun_api.drivers.limits import check_capacity
from wintun_api.errors import WintunApiError
from wintun_api.hub.holding import Joined
from wintun_api.limits import (
    DEFAULT_RING_CAPACITY,
    MAX_GRACE,
    MAX_RING_CAPACITY,
    MIN_RING_CAPACITY,
)
from wintun_api.settings import Settings

router = APIRouter(prefix="/v1")


class HoldQuery(PacketQuery):
    """Hold the query parameters of the packet socket of an adapter."""

    capacity: int = Field(
        default=DEFAULT_RING_CAPACITY,
        ge=MIN_RING_CAPACITY,
        le=MAX_RING_CAPACITY,
        multiple_of=MIN_RING_CAPACITY,
        description=f"The ring capacity in bytes of a session that is started, a power of two from "
        f"{MIN_RING_CAPACITY} to {MAX_RING_CAPACITY}. A session that runs keeps its own.",
    )
    offload: bool | SkipJsonSchema[None] = Field(
        None,
        description="Whether a session that is started has segmentation offload. If it is left "
        "out, the setting of the service applies. A session that runs keeps its own.",
    )
    ends: Ends = Field(
        default=Ends.NOTHING,
        description="What ends after the last client that asked for it has gone and none has come "
        "back. Other values than `nothing` require the scope `admin`. The strongest value of all "
        "clients counts.",
    )
    grace: Annotated[float, Field(ge=0, le=MAX_GRACE)] | SkipJsonSchema[None] = Field(
        None,
        description="The seconds in which a client may come back before that. If it is left out, "
        "the setting `grace_period` of the service applies. The longest time of all clients "
        "counts.",
    )

    def options(self, settings: Settings, principal: Principal, subprotocol: str | None) -> Options:
        """Return the options of the packet socket, with what ends."""
        check_capacity(self.capacity)
        return replace(super().options(settings, principal, subprotocol), ends=self.ends)


@router.websocket("/adapters/{guid:identity}/packets")
@needs(ANY_TOKEN)
async def join_adapter(
    websocket: WebSocket, guid: Guid, context: ContextOf, principal: PrincipalOf
) -> None:
    """Join or start the session of an adapter, and exchange its IP packets."""
    joined: Joined | None = None
    try:
        subprotocol = negotiate(websocket.scope["subprotocols"], SUBPROTOCOLS, OFFER)
        query = read(HoldQuery, websocket)
        options = query.options(context.settings, principal, subprotocol)
        options = await query.filtered(options, context.registry.filters)
        joined = await _join(context, principal, guid, query)
        if joined.started:
            record_change(websocket.scope, f"session {joined.session.id} of adapter {guid}")
        session, adapter = await find(context, joined.session.id)
    except (WintunApiError, ValidationError) as error:
        if joined is not None:
            joined.leave()
        await refuse_websocket(refusal_of(error), websocket)
        return
    try:
        stream = Stream(session, adapter, options, subprotocol, joined.started)
        await exchange(websocket, context, principal, stream)
    finally:
        joined.leave()


async def _join(context: Context, principal: Principal, guid: Guid, query: HoldQuery) -> Joined:
    registry = context.registry
    if principal.allows(Scope.ADMIN):
        grace = context.settings.grace_period if query.grace is None else query.grace
        return await registry.sessions.join(
            guid, query.capacity, offload=query.offload, ends=query.ends, grace=grace
        )
    if query.ends is not Ends.NOTHING:
        raise Refusal(
            Kind.MISSING_SCOPE,
            f"ends={query.ends} requires the scope {Scope.ADMIN}, which the token does not have.",
            f"Use a token with the scope {Scope.ADMIN}, or leave ends out.",
        )
    view = await registry.adapter(guid)
    if view.session is None:
        raise Refusal(
            Kind.MISSING_SCOPE,
            "The adapter has no session, and the token does not have the scope "
            f"{Scope.ADMIN}, which starting one requires.",
            "Start the session with POST /v1/sessions and a token with the scope "
            f"{Scope.ADMIN}, then connect again; or connect with such a token.",
        )
    return Joined(running(context, view.session), started=False, leave=lambda: None)
