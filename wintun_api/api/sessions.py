"""List, start, read and end sessions over REST."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from wintun_api.api.access import needs
from wintun_api.api.context import DRIVER, RegistryOf, SessionId, problems
from wintun_api.api.subjects import note_subject
from wintun_api.api.views import session_of
from wintun_api.choices import Scope
from wintun_api.errors import (
    AdapterNotFound,
    AdapterUnavailable,
    InvalidArgument,
    NotSupported,
    OutOfThreads,
    SessionExists,
    SessionNotFound,
)
from wintun_api.schemas.sessions import Session, SessionCreate

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.get("", operation_id="list_sessions", responses=problems())
@needs(Scope.READ)
async def list_sessions(registry: RegistryOf) -> list[Session]:
    """List sessions.

    The answer has the sessions that run, and those that ended by themselves and were not deleted.
    """
    return [session_of(session.view()) for session in await registry.sessions.refreshed()]


@router.post(
    "",
    operation_id="start_session",
    status_code=201,
    responses=problems(
        InvalidArgument,
        AdapterNotFound,
        AdapterUnavailable,
        SessionExists,
        NotSupported,
        OutOfThreads,
        *DRIVER,
    ),
)
@needs(Scope.ADMIN)
async def start_session(
    body: SessionCreate, request: Request, registry: RegistryOf, response: Response
) -> Session:
    """Start a session.

    The service starts the session of an adapter. An adapter has one session at a time, so the
    request is not idempotent: repeated, it is answered with 409. An adapter that the service does
    not manage yet is opened first.

    Wintun function: WintunStartSession.
    """
    session = await registry.sessions.start(body.adapter, body.capacity, offload=body.offload)
    response.headers["Location"] = f"/v1/sessions/{session.id}"
    note_subject(request.scope, f"session {session.id} of adapter {session.adapter}")
    return session_of(session.view())


@router.get("/{session_id}", operation_id="get_session", responses=problems(SessionNotFound))
@needs(Scope.READ)
async def get_session(session_id: SessionId, registry: RegistryOf) -> Session:
    """Get a session.

    The answer has the state of the session and its counters.
    """
    session = registry.sessions.by_id(session_id)
    await session.refresh()
    return session_of(session.view())


@router.delete(
    "/{session_id}", operation_id="end_session", responses=problems(SessionNotFound, *DRIVER)
)
@needs(Scope.ADMIN)
async def end_session(session_id: SessionId, registry: RegistryOf) -> Session:
    """End a session.

    The answer has the last counters of the session. The session is then forgotten, so a repeated
    request is answered with 404.

    Wintun function: WintunEndSession.
    """
    return session_of(await registry.sessions.end(session_id))
