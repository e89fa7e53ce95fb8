"""Inject packets with one HTTP request, for curl."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request

from wintun_api.api.access import INJECTION, needs
from wintun_api.api.context import RegistryOf, SessionId, problems
from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal
from wintun_api.api.views import injection_report_of
from wintun_api.choices import Full
from wintun_api.errors import FrameError, InvalidPacket, SessionEnded, SessionNotFound
from wintun_api.packet.block import Block
from wintun_api.packet.check import check_packet, sift
from wintun_api.schemas.sessions import InjectionReport
from wintun_api.wire import BATCH_TYPE, RAW_TYPE, unpack

router = APIRouter(prefix="/v1/sessions", tags=["packets"])

BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/{session_id}/packets",
    operation_id="inject_packets",
    responses=problems(SessionNotFound, SessionEnded, InvalidPacket, FrameError),
    openapi_extra={
        "requestBody": {"required": True, "content": {RAW_TYPE: BINARY, BATCH_TYPE: BINARY}}
    },
)
@needs(INJECTION)
async def inject_packets(
    session_id: SessionId,
    request: Request,
    registry: RegistryOf,
) -> InjectionReport:
    """Inject packets.

    A body of `application/octet-stream` is one IP packet; if it is not a valid IP packet, the
    answer is 422. A body of `application/vnd.wintun-api.batch` is one or more batch frames; packets
    in them that are not valid are counted in `rejected` and the others are injected. Packets that
    do not fit into the send ring are dropped and counted in `ring_full`. The request is not
    idempotent: repeated, it injects the packets again.

    Wintun functions: WintunAllocateSendPacket, WintunSendPacket.
    """
    session = registry.sessions.by_id(session_id)
    body = await request.body()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == RAW_TYPE:
        packets: Sequence[bytes] = [check_packet(body)]
    elif kind == BATCH_TYPE:
        packets = Block.joined([Block.of(batch.packets) for batch in unpack(body)])
    else:
        detail = f"Packets must be sent as {RAW_TYPE} or {BATCH_TYPE}."
        raise Refusal(Kind.UNSUPPORTED_MEDIA_TYPE, detail)
    injection = session.inject(sift(packets), Full.DROP)
    if injection.failure is not None:
        raise injection.failure
    return injection_report_of(injection)
