"""Capture the packets of several adapters as one pcapng, over HTTP and over WebSocket."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from wintun_api.api.access import needs
from wintun_api.api.capture import STREAM
from wintun_api.api.capture_query import AdapterCaptureQuery
from wintun_api.api.capture_ways import answer, stream_capture
from wintun_api.api.context import Context, ContextOf, PrincipalOf, problems
from wintun_api.api.cutoff import accept
from wintun_api.api.live_capture import Capture
from wintun_api.api.parameters import read
from wintun_api.api.problems import refusal_of
from wintun_api.api.security import refuse_websocket
from wintun_api.api.subprotocols import negotiate
from wintun_api.choices import Scope
from wintun_api.errors import (
    AdapterNotFound,
    InvalidArgument,
    WintunApiError,
)
from wintun_api.hub.filters import FILTER_ERRORS
from wintun_api.wire import PCAPNG

router = APIRouter(prefix="/v1", tags=["packets"])

PATH = "/capture.pcapng"
NAME = "adapters"  # of the file that a browser saves


@router.get(
    PATH,
    operation_id="capture_adapters",
    response_class=StreamingResponse,
    responses={
        **problems(
            InvalidArgument,
            AdapterNotFound,
            *FILTER_ERRORS,
        ),
        200: STREAM,
    },
)
@needs(Scope.CAPTURE)
async def capture_adapters(
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
    query: Annotated[AdapterCaptureQuery, Query()],
) -> StreamingResponse:
    """Capture the packets of several adapters.

    The answer is a pcapng file with an interface for each session, that grows while packets pass.
    Adapters and sessions that come later belong to it from then on; it ends with the service, or
    when it has the requested number of packets or seconds. It begins at once, also while no
    session runs. A client that reads too slowly loses the oldest packets of all adapters; the next
    packet of the same adapter carries their number.
    """
    capture = await _capture(context, query)
    return answer(capture, NAME, request, context, principal)


@router.websocket(PATH)
@needs(Scope.CAPTURE)
async def stream_adapters(websocket: WebSocket, context: ContextOf, principal: PrincipalOf) -> None:
    """Send the same file over WebSocket; each message contains whole blocks."""
    try:
        subprotocol = negotiate(
            websocket.scope["subprotocols"], (PCAPNG,), f"Offer {PCAPNG}, or nothing."
        )
        query = read(AdapterCaptureQuery, websocket)
        capture = await _capture(context, query)
    except (WintunApiError, ValidationError) as error:
        await refuse_websocket(refusal_of(error), websocket)
        return
    if await accept(websocket, context.leases, principal, subprotocol):
        await stream_capture(websocket, capture, context, principal)


async def _capture(context: Context, query: AdapterCaptureQuery) -> Capture:
    """Return the capture that was asked for.

    Raises:
        InvalidArgument: Both adapters and a pool are chosen.
        AdapterNotFound: No adapter has one of the GUIDs.
    """
    if query.adapter and query.pool is not None:
        raise InvalidArgument("pool", "adapter and pool cannot be given together.")
    registry = context.registry
    await registry.require(*query.adapter)
    chosen = await registry.filters.compile(query.filter)
    return Capture(
        registry.sessions,
        query.selection,
        query.options(context.settings, chosen),
        packets=query.packets,
        seconds=query.seconds,
        stopping=context.stopping,
    )
