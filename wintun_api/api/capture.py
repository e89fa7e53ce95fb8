"""Capture a session's packets as pcapng for Wireshark."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from wintun_api.api.access import needs
from wintun_api.api.capture_query import CaptureQuery
from wintun_api.api.capture_ways import answer
from wintun_api.api.context import Context, ContextOf, PrincipalOf, SessionId, problems
from wintun_api.api.live_capture import Capture
from wintun_api.capture import pcapng
from wintun_api.choices import Scope, SessionState
from wintun_api.errors import (
    SessionEnded,
    SessionNotFound,
)
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.filters import FILTER_ERRORS
from wintun_api.hub.session import ManagedSession

router = APIRouter(prefix="/v1/sessions", tags=["packets"])

FILE = {
    "description": "A pcapng file.",
    "content": {pcapng.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
}
STREAM = {**FILE, "description": "A pcapng file that grows until the capture ends."}


@router.get(
    "/{session_id}/capture.pcapng",
    operation_id="capture_packets",
    response_class=StreamingResponse,
    responses={
        **problems(
            SessionNotFound,
            SessionEnded,
            *FILTER_ERRORS,
        ),
        200: STREAM,
    },
)
@needs(Scope.CAPTURE)
async def capture_packets(
    session_id: SessionId,
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
    query: Annotated[CaptureQuery, Query()],
) -> StreamingResponse:
    """Capture packets.

    The answer is a pcapng file that grows while packets pass. It ends with the session, with the
    service, or when it has the requested number of packets or seconds. A client that reads too
    slowly loses the oldest packets; the next packet in the file carries their number as its drop
    count. `curl -N ... | wireshark -k -i -` shows the packets live.
    """
    chosen = await context.registry.filters.compile(query.filter)
    session = running(context, session_id)  # last, so that it cannot end before the answer begins
    capture = Capture(
        context.registry.sessions,
        session,
        query.options(context.settings, chosen),
        packets=query.packets,
        seconds=query.seconds,
        stopping=context.stopping,
    )
    return answer(capture, session.id, request, context, principal)


def running(context: Context, session_id: str) -> ManagedSession:
    """Return a running session.

    Raises:
        SessionNotFound: No session has this id.
        SessionEnded: The session has ended or is ending.
    """
    session = context.registry.sessions.by_id(session_id)
    if session.state.over or session.state is SessionState.ENDING:
        raise SessionEnded(session.id, session.reason or "")
    return session


async def find(context: Context, session_id: str) -> tuple[ManagedSession, AdapterView]:
    """Return a running session and its adapter; the errors are those of `running`."""
    session = running(context, session_id)
    return session, await context.registry.adapter(session.adapter)
