"""List and disconnect clients over REST."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as PathParameter

from wintun_api.api.access import needs
from wintun_api.api.connected import Client
from wintun_api.api.context import Context, ContextOf, PrincipalOf, problems
from wintun_api.api.subjects import note_subject
from wintun_api.api.tokens import Principal
from wintun_api.choices import Scope
from wintun_api.errors import ClientNotFound
from wintun_api.schemas.clients import ClientQueue, ConnectedClient
from wintun_api.schemas.model import TRIMMED

router = APIRouter(prefix="/v1/clients", tags=["clients"])


@router.get("", operation_id="list_clients", responses=problems())
@needs(Scope.ADMIN)
async def list_clients(context: ContextOf, principal: PrincipalOf) -> list[ConnectedClient]:
    """List clients.

    The answer has every stream that is open now, oldest first: packet sockets, captures, event
    streams and downloads. A program with several streams is there several times. Requests that are
    answered at once are not in it.
    """
    labels = {token.id: token.label for token in context.tokens.issued()}
    return [_client_of(client, labels, principal) for client in context.clients]


@router.delete(
    "/{client_id}",
    operation_id="disconnect_client",
    status_code=204,
    responses=problems(ClientNotFound),
)
@needs(Scope.ADMIN)
async def disconnect_client(
    client_id: Annotated[str, TRIMMED, PathParameter(description="The id of the client.")],
    request: Request,
    context: ContextOf,
    principal: PrincipalOf,
) -> None:
    """Disconnect a client.

    The service closes a WebSocket with code 4002, and ends another stream. What waits for the
    client is still delivered for a moment; what it does not read is counted as lost. Its token
    stays valid, so it can connect again: revoke the token to prevent that. Repeated, the request is
    answered with 404.
    """
    client = context.clients.disconnect(client_id, _reason(context, principal))
    note_subject(request.scope, _subject(client))


def _reason(context: Context, principal: Principal) -> str:
    label = context.tokens.label_of(principal.id)
    who = f"the token {label or principal.id}" if principal.id != "admin" else "the admin token"
    return f"An administrator disconnected this client with {who}."


def _subject(client: Client) -> str:
    session = client.presence.session
    of = f" and session {session}" if session else ""
    return f"{client.presence.kind} stream of token {client.principal.id}{of}"


def _client_of(client: Client, labels: dict[str, str], principal: Principal) -> ConnectedClient:
    presence, owner = client.presence, client.principal
    counts = None if presence.count is None else presence.count()
    queue = None
    if counts is not None:
        queue = ClientQueue(
            length=counts.queued,
            bytes=counts.queued_bytes,
            max_length=presence.max_queued,
            max_bytes=presence.max_queued_bytes,
        )
    return ConnectedClient(
        id=presence.id,
        kind=presence.kind,
        token=owner.id,
        token_label=labels.get(owner.id, ""),
        scopes=sorted(owner.scopes),
        browser=owner.sign_in is not None,
        own=client.is_of(principal),
        address=client.address,
        port=client.port,
        user_agent=client.agent,
        connected_at=client.since,
        subprotocol=presence.subprotocol,
        session=presence.session,
        adapter=presence.adapter,
        adapter_name=presence.name,
        direction=presence.direction,
        overflow=presence.overflow,
        queue=queue,
        delivered=None if counts is None else counts.delivered,
        injected=None if counts is None else counts.injected,
        lost={} if counts is None else dict(counts.lost),
    )
