"""Start, list, stop, download and delete named captures over REST."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from wintun_api.api.access import needs
from wintun_api.api.capture import FILE
from wintun_api.api.capture_views import capture_of, definition_of
from wintun_api.api.connected import Presence
from wintun_api.api.context import ContextOf, PrincipalOf, RegistryOf, problems
from wintun_api.api.cutoff import ABORT, LeasedStream
from wintun_api.api.subjects import note_subject
from wintun_api.capture import pcapng
from wintun_api.choices import ClientKind, Scope
from wintun_api.errors import (
    AdapterNotFound,
    CaptureNotFound,
    CaptureOver,
    CapturesFull,
    InvalidArgument,
    OutOfThreads,
    StorageFailed,
    TooManyCaptures,
)
from wintun_api.hub.aside import aside
from wintun_api.hub.filters import FILTER_ERRORS
from wintun_api.hub.named_captures.files import Reading
from wintun_api.hub.named_captures.names import end, plain_name, stem
from wintun_api.hub.named_captures.view import CaptureView, FileView
from wintun_api.schemas.captures import Capture, CaptureCreate
from wintun_api.schemas.model import TRIMMED

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/captures", tags=["captures"])

CaptureId = Annotated[str, TRIMMED, Path(description="The id of the capture.")]

CHUNK: Final = 1024 * 1024  # bytes of a file that are read at a time


@router.get("", operation_id="list_captures", responses=problems())
@needs(Scope.READ)
async def list_captures(registry: RegistryOf) -> list[Capture]:
    """List captures.

    The answer has the captures that wait or run, and those that have ended and were not deleted,
    newest first. They are kept when the service is started again.
    """
    return [capture_of(view) for view in registry.captures.views()]


@router.post(
    "",
    operation_id="create_capture",
    status_code=201,
    responses=problems(
        InvalidArgument,
        AdapterNotFound,
        *FILTER_ERRORS,
        StorageFailed,
        CapturesFull,
        TooManyCaptures,
    ),
)
@needs(Scope.CAPTURE)
async def create_capture(
    body: CaptureCreate,
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
    response: Response,
) -> Capture:
    """Create a capture.

    The service writes the packets of the chosen adapters into files in its data directory, until
    the capture is stopped or one of its limits is reached. With a trigger it waits first. It
    belongs to the service: it continues when the token expires with which it was started, and every
    token with the scope `capture` can stop and delete it.
    """
    registry = context.registry
    await registry.require(*(body.adapters or ()))
    created_by = context.tokens.label_of(principal.id) or principal.id
    view = await registry.captures.start(definition_of(body), created_by)
    response.headers["Location"] = f"/v1/captures/{view.id}"
    note_subject(request.scope, _subject(view))
    return capture_of(view)


@router.get("/{capture_id}", operation_id="get_capture", responses=problems(CaptureNotFound))
@needs(Scope.READ)
async def get_capture(capture_id: CaptureId, registry: RegistryOf) -> Capture:
    """Get a capture.

    The answer has its counts and its files.
    """
    return capture_of(registry.captures.by_id(capture_id))


@router.post(
    "/{capture_id}/stop",
    operation_id="stop_capture",
    responses=problems(CaptureNotFound),
)
@needs(Scope.CAPTURE)
async def stop_capture(capture_id: CaptureId, request: Request, registry: RegistryOf) -> Capture:
    """Stop a capture.

    Its files are completed and kept. A capture that has ended already is answered as it is.
    """
    view = await registry.captures.stop(capture_id)
    note_subject(request.scope, _subject(view))
    return capture_of(view)


@router.post(
    "/{capture_id}/trigger",
    operation_id="trigger_capture",
    responses=problems(CaptureNotFound, CaptureOver),
)
@needs(Scope.CAPTURE)
async def trigger_capture(capture_id: CaptureId, request: Request, registry: RegistryOf) -> Capture:
    """Trigger a capture.

    A capture that waits for its trigger begins, whatever the trigger is. One that runs already is
    answered as it is.
    """
    view = registry.captures.trigger(capture_id)
    note_subject(request.scope, _subject(view))
    return capture_of(view)


@router.delete(
    "/{capture_id}",
    operation_id="delete_capture",
    responses=problems(CaptureNotFound, StorageFailed, OutOfThreads),
)
@needs(Scope.CAPTURE)
async def delete_capture(capture_id: CaptureId, request: Request, registry: RegistryOf) -> Capture:
    """Delete a capture.

    It is stopped if it runs, and its files are deleted. The answer says what it was. A repeated
    request is answered with 404.
    """
    view = await registry.captures.delete(capture_id)
    note_subject(request.scope, _subject(view))
    return capture_of(view)


@router.get(
    "/{capture_id}/files/{number}",
    operation_id="download_capture_file",
    response_class=StreamingResponse,
    responses={**problems(CaptureNotFound, StorageFailed, OutOfThreads), 200: FILE},
)
@needs(Scope.CAPTURE)
async def download_capture_file(
    capture_id: CaptureId,
    number: Annotated[int, Path(ge=1, description="The number of the file, from 1.")],
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
) -> StreamingResponse:
    """Download a file of a capture.

    The file has whole blocks only, also while packets are added: it then has those that were
    written when the request came.
    """
    view, file, reading = await context.registry.captures.open(capture_id, number)
    return LeasedStream(
        _chunks(reading, request.scope.get("extensions", {}).get(ABORT)),
        (context, principal),
        lambda *_: reading.cancel(),
        Presence(ClientKind.DOWNLOAD),
        media_type=pcapng.MEDIA_TYPE,
        headers={
            "Content-Disposition": _disposition(view, file),
            "Content-Length": str(file.bytes),
        },
    )


async def _chunks(
    reading: Reading, abort: Callable[[], None] | None
) -> AsyncGenerator[bytes, None]:
    """Yield the file, read beside the event loop, and close it.

    A client whose file ends before the length that it was told is cut off, so that it notices.
    """
    try:
        while chunk := await aside("captures", lambda: reading.read(CHUNK)):
            yield chunk
    except OSError as error:
        logger.warning("The download of %s was cut off: %s.", error.filename, error.strerror)
    finally:
        reading.close()
    if reading.left and abort is not None:
        abort()
        await asyncio.get_running_loop().create_future()  # the server cancels it


def _disposition(view: CaptureView, file: FileView) -> str:
    """Return the header that names the file (RFC 6266), twice if not every client can show it."""
    name = stem(view.definition.name) + end(file)
    if name.isascii():
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain_name(view, file)}\"; filename*=UTF-8''{quote(name)}"


def _subject(view: CaptureView) -> str:
    return f"capture {view.id} named {view.definition.name}"
