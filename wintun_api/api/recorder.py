"""Switch the recorder of a session, and read what it has."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from wintun_api.api.access import needs
from wintun_api.api.capture import FILE
from wintun_api.api.connected import Presence
from wintun_api.api.context import ContextOf, PrincipalOf, RegistryOf, SessionId, problems
from wintun_api.api.recorder_file import RecorderDownload, RecorderFile
from wintun_api.api.subjects import note_subject
from wintun_api.api.views import recorder_of
from wintun_api.capture import pcapng
from wintun_api.choices import CaptureDirection, ClientKind, Direction, Scope
from wintun_api.errors import (
    InvalidArgument,
    RecorderNotFound,
    RecordersFull,
    SessionEnded,
    SessionNotFound,
    TooManyReaders,
)
from wintun_api.hub.capture.source import Source
from wintun_api.hub.filters import FILTER_ERRORS
from wintun_api.limits import MAX_FILTER
from wintun_api.moments import HOW, MAX_MOMENT, span
from wintun_api.schemas.recorder import Recorder, RecorderSet

router = APIRouter(prefix="/v1/sessions", tags=["captures"])


@router.get(
    "/{session_id}/recorder",
    operation_id="get_recorder",
    responses=problems(SessionNotFound, RecorderNotFound),
)
@needs(Scope.READ)
async def get_recorder(session_id: SessionId, registry: RegistryOf) -> Recorder:
    """Get the recorder of a session.

    The answer has its limits, and how many packets of which time it has now.
    """
    session = registry.sessions.by_id(session_id)
    return recorder_of(registry.recorders.of(session).view())


@router.put(
    "/{session_id}/recorder",
    operation_id="set_recorder",
    responses=problems(SessionNotFound, SessionEnded, RecordersFull),
)
@needs(Scope.ADMIN)
async def set_recorder(
    session_id: SessionId, body: RecorderSet, request: Request, registry: RegistryOf
) -> Recorder:
    """Set a session's recorder.

    From now on the service keeps the last packets of the session, within both limits. If the
    recorder is on already, the limits are changed and what fits into them is kept. When the session
    ends, the recorder takes no more, and what it has can be read until the session is deleted.
    """
    session = registry.sessions.by_id(session_id)
    answer = recorder_of(registry.recorders.set(session, body.seconds, body.bytes))
    kept = f"the last {answer.seconds:g} s and {answer.bytes} bytes"
    note_subject(request.scope, f"recorder of session {session.id}: {kept}")
    return answer


@router.delete(
    "/{session_id}/recorder",
    operation_id="remove_recorder",
    responses=problems(SessionNotFound, RecorderNotFound),
)
@needs(Scope.ADMIN)
async def remove_recorder(session_id: SessionId, registry: RegistryOf) -> Recorder:
    """Remove a session's recorder.

    What it has is deleted. The answer says what that was. A repeated request is answered with 404.
    """
    return recorder_of(registry.recorders.remove(registry.sessions.by_id(session_id)))


@router.get(
    "/{session_id}/recorder.pcapng",
    operation_id="read_recorder",
    response_class=StreamingResponse,
    responses={
        **problems(
            SessionNotFound,
            RecorderNotFound,
            InvalidArgument,
            *FILTER_ERRORS,
            TooManyReaders,
        ),
        200: FILE,
    },
)
@needs(Scope.CAPTURE)
async def read_recorder(
    session_id: SessionId,
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
    *,
    since: Annotated[
        str | None,
        Query(
            max_length=MAX_MOMENT,
            description=f"The time of the first packet: {HOW}. If it is left out, the file begins "
            "with the oldest packet.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        Query(
            max_length=MAX_MOMENT,
            description=f"The time of the last packet: {HOW}. If it is left out, the file ends "
            "with the newest packet.",
        ),
    ] = None,
    direction: Annotated[
        CaptureDirection, Query(description="The packets that the file contains.")
    ] = CaptureDirection.BOTH,
    filter: Annotated[  # noqa: A002 - the name of the parameter
        str,
        Query(
            max_length=MAX_FILTER,
            description="A filter in the language of libpcap; the file has the packets that it "
            "lets through.",
        ),
    ] = "",
) -> StreamingResponse:
    """Read a session's recorder.

    The answer is a pcapng file with the packets of the given time; the recorder continues
    meanwhile. It also works after the session has ended, until the session is deleted. At most four
    clients can read at a time.
    """
    registry = context.registry
    since_ns, until_ns = span(since, until, time.time_ns())
    chosen = await registry.filters.compile(filter)
    session = registry.sessions.by_id(session_id)
    recorded = registry.recorders.of(session).read(since_ns, until_ns)
    adapter = registry.sessions.adapter_of(session)
    name = session.name if adapter is None else adapter.info.name
    file = RecorderFile(
        recorded,
        Source(session.id, session.adapter, name),
        direction=Direction(direction.value),
        filter=chosen,
        stopping=context.stopping,
    )
    return RecorderDownload(
        file,
        registry.recorders,
        (context, principal),
        Presence(
            ClientKind.RECORDER,
            session=session.id,
            adapter=session.adapter,
            name=name,
            direction=Direction(direction.value),
        ),
        media_type=pcapng.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{session.id}-recorder.pcapng"'},
    )
