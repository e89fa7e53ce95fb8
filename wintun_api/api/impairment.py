"""Set, read and remove the bad network of a session over REST."""

from __future__ import annotations

from fastapi import APIRouter, Request

from wintun_api.api.access import needs
from wintun_api.api.context import RegistryOf, SessionId, problems
from wintun_api.api.impairment_views import impairment_of, plan_of, presets
from wintun_api.api.large import LargeRoute
from wintun_api.api.subjects import note_subject
from wintun_api.choices import Scope
from wintun_api.errors import ImpairmentNotFound, InvalidArgument, SessionEnded, SessionNotFound
from wintun_api.limits import MAX_SETTINGS
from wintun_api.schemas.impairment import ImpairmentSet, Preset, SessionImpairment

router = APIRouter(prefix="/v1", tags=["impairment"], route_class=LargeRoute)


@router.get(
    "/sessions/{session_id}/impairment",
    operation_id="get_impairment",
    responses=problems(SessionNotFound, ImpairmentNotFound),
)
@needs(Scope.READ)
async def get_impairment(session_id: SessionId, registry: RegistryOf) -> SessionImpairment:
    """Get the impairment of a session.

    The answer has what was set, what it does now, and counters of what it did.
    """
    return impairment_of(registry.sessions.by_id(session_id).impairment_view())


@router.put(
    "/sessions/{session_id}/impairment",
    operation_id="set_impairment",
    responses=problems(SessionNotFound, SessionEnded, InvalidArgument),
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def set_impairment(
    session_id: SessionId, body: ImpairmentSet, request: Request, registry: RegistryOf
) -> SessionImpairment:
    """Set the impairment of a session.

    From now on the packets of the session are delayed, lost, duplicated, corrupted, reordered or
    limited as the body says. It replaces what was set before: what `on_change` of that says happens
    to packets that are delayed. The impairment ends with the session.
    """
    session = registry.sessions.by_id(session_id)
    answer = impairment_of(await session.network.settled(session.impair(plan_of(body))))
    note_subject(request.scope, f"impairment of session {session.id}: {answer.summary}")
    return answer


@router.delete(
    "/sessions/{session_id}/impairment",
    operation_id="remove_impairment",
    responses=problems(SessionNotFound, ImpairmentNotFound),
)
@needs(Scope.ADMIN)
async def remove_impairment(session_id: SessionId, registry: RegistryOf) -> SessionImpairment:
    """Remove the impairment of a session.

    The answer has what it did. Packets that are delayed are delivered at once, or dropped and
    counted, as its `on_change` says. Where they are so many that it takes longer than a second,
    those that still leave are in `delayed`. A repeated request is answered with 404.
    """
    session = registry.sessions.by_id(session_id)
    return impairment_of(await session.network.settled(session.repair()))


@router.get("/impairments/presets", operation_id="list_impairment_presets", responses=problems())
@needs(Scope.READ)
async def list_impairment_presets() -> list[Preset]:
    """List the presets.

    Each is a network that many people know, with its numbers and where they are from.
    """
    return presets()
