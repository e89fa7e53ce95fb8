"""Send events over WebSocket and, with the same content, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import Field
from starlette.websockets import WebSocketDisconnect

from wintun_api.api.access import needs
from wintun_api.api.connected import Counts, Presence
from wintun_api.api.context import ContextOf, PrincipalOf, RegistryOf, problems
from wintun_api.api.cutoff import LeasedStream, accept, leased
from wintun_api.api.large import beside, has_many_routes
from wintun_api.api.problems import refusal_of
from wintun_api.api.security import refuse_websocket
from wintun_api.api.subprotocols import protocols
from wintun_api.api.views import adapter_of, event_of, session_of
from wintun_api.choices import ClientKind, CloseCode, Scope
from wintun_api.errors import WintunApiError
from wintun_api.frames import close_reason
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.events import EVENT_SIZE, QUEUE_EVENTS, QUEUE_SIZE, EventSubscription
from wintun_api.hub.events import Event as HubEvent
from wintun_api.hub.losses import Cause
from wintun_api.hub.registry import Registry
from wintun_api.hub.session import SessionView
from wintun_api.hub.tasks import TaskSet
from wintun_api.schemas.events import Event, Missed, Snapshot

router = APIRouter(prefix="/v1", tags=["events"])

EventId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]  # an unknown id gets a snapshot
Since = Annotated[
    EventId | None,
    Query(
        description="The id of the last event that the client has. The stream then continues after "
        "it, or begins with a snapshot if that event is no longer known."
    ),
]
KEEP_ALIVE = 15.0
MEDIA_TYPE = "text/event-stream"
# The word of the comment that says why an administrator ended a stream.
DISCONNECTED = "disconnected"
LARGE_EVENTS = 128 * 1024  # bytes of what events carry, which is mostly routes
STREAM = {
    "description": "A stream of server-sent events that continues until it is closed.",
    "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
}


class EventReader:
    """Read events for one client: a snapshot unless it resumes, then every event."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._first: Callable[[], Snapshot] | None = None
        self._first_is_large = False
        self.subscription: EventSubscription | None = None
        self.disconnected = ""

    async def open(self, since: int | None, client: str) -> None:
        """Subscribe; no event is missed between the snapshot and the first event."""
        with suppress(WintunApiError):  # an unavailable driver has no adapters to show
            await self._registry.adapters()
        # No await from here on, so that no event can occur between snapshot and subscription.
        self.subscription, resumed = self._registry.events.subscribe(since)
        if not resumed:
            adapters = self._registry.known_adapters()
            self._first_is_large = has_many_routes(*adapters)
            self._first = partial(
                _snapshot,
                (self._registry.events.last_id, self._registry.events.oldest_id),
                datetime.now(UTC),
                adapters,
                [session.view() for session in self._registry.sessions],
                client,
            )

    def presence(self, kind: ClientKind) -> Presence:
        """Describe this reader for the list of clients."""
        return Presence(kind, self._counts, max_queued=QUEUE_EVENTS, max_queued_bytes=QUEUE_SIZE)

    def _counts(self) -> Counts:
        reading = self.subscription
        if reading is None:  # it is just about to subscribe
            return Counts(0, 0, 0)
        lost = {str(Cause.QUEUE): reading.dropped} if reading.dropped else {}
        return Counts(reading.queued, reading.queued_bytes, reading.delivered, lost=lost)

    async def next(self) -> list[Snapshot | Event | Missed]:
        """Wait for the next messages; `[]` when the service stops or `close` was called."""
        return await self.write(await self.wait())

    async def wait(self) -> list[HubEvent]:
        """Wait for what is to be written next. Nothing is lost when this is cancelled."""
        assert self.subscription is not None
        return [] if self._first is not None else await self.subscription.next()

    async def write(self, events: list[HubEvent]) -> list[Snapshot | Event | Missed]:
        """Return what `wait` has returned as messages, beside the event loop where it is large."""
        if self._first is not None:
            first, self._first = self._first, None
            return [await beside("write_events", first) if self._first_is_large else first()]
        assert self.subscription is not None
        missed = self.subscription.take_missed()
        messages: list[Snapshot | Event | Missed] = [Missed(count=missed)] if missed else []
        size = sum(event.size for event in events)
        if size - len(events) * EVENT_SIZE < LARGE_EVENTS:
            messages.extend(map(event_of, events))
        else:
            messages += await beside("write_events", lambda: list(map(event_of, events)))
        return messages

    def end(self, code: CloseCode, reason: str) -> None:
        """Unsubscribe, and keep why if an administrator ends it."""
        if code is CloseCode.DISCONNECTED:
            self.disconnected = reason
        self.close()

    def close(self) -> None:
        """Unsubscribe. Idempotent."""
        if self.subscription is not None:
            self.subscription.close()
            self._registry.events.unsubscribe(self.subscription)


def _snapshot(
    ids: tuple[int, int],
    time: datetime,
    adapters: list[AdapterView],
    sessions: list[SessionView],
    client: str,
) -> Snapshot:
    return Snapshot(
        id=ids[0],
        oldest=ids[1],
        time=time,
        adapters=[adapter_of(view) for view in adapters],
        sessions=[session_of(view) for view in sessions],
        client=client,
    )


@router.websocket("/events")
@needs(Scope.READ)
async def stream_events(
    websocket: WebSocket,
    context: ContextOf,
    principal: PrincipalOf,
    since: Since = None,
) -> None:
    """Send a snapshot, or the events after `since`; then send every event as it happens."""
    try:
        reader = EventReader(context.registry)
    except WintunApiError as error:
        await refuse_websocket(refusal_of(error), websocket)
        return
    presence = reader.presence(ClientKind.EVENTS)
    offers = protocols(websocket.scope["subprotocols"])
    if not await accept(websocket, context.leases, principal, offers[0] if offers else None):
        return
    tasks = TaskSet()
    try:
        async with leased(websocket, context, principal, reader.end, presence) as client:
            await reader.open(since, presence.id)
            tasks.spawn(_watch(websocket, reader), name="events:watch")
            while not client.ended and (messages := await reader.next()):
                for message in messages:
                    await websocket.send_text(message.model_dump_json())
            if client.ended:
                code, reason = client.ended
                await websocket.close(code, close_reason(reason))
            else:
                over = CloseCode.GOING_AWAY if context.stopping.is_set() else CloseCode.NORMAL
                await websocket.close(over, close_reason(over.reason))
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        tasks.cancel()
        reader.close()


@router.get(
    "/events",
    operation_id="stream_events",
    response_class=StreamingResponse,
    responses={**problems(), 200: STREAM},
)
@needs(Scope.READ)
async def stream_events_sse(
    registry: RegistryOf,
    context: ContextOf,
    principal: PrincipalOf,
    since: Since = None,
    last_event_id: Annotated[
        EventId | None,
        Header(
            description="The id of the last event that the client has, as browsers send it when "
            "they reconnect. It overrides `since`."
        ),
    ] = None,
) -> StreamingResponse:
    """Stream events.

    The service sends the messages of `WS /v1/events` as server-sent events: first a snapshot, or
    the events after `since`, then every event as it happens. While nothing happens, it sends a
    comment every 15 seconds.
    """
    resume = last_event_id if last_event_id is not None else since
    reader = EventReader(registry)
    presence = reader.presence(ClientKind.SSE)
    await reader.open(resume, presence.id)
    return LeasedStream(
        _lines(reader),
        (context, principal),
        reader.end,
        presence,
        media_type=MEDIA_TYPE,
    )


async def _watch(websocket: WebSocket, reader: EventReader) -> None:
    """End the stream when its client disconnects; its messages are ignored."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass
    reader.close()


async def _lines(reader: EventReader) -> AsyncIterator[str]:
    try:
        while True:
            try:
                events = await asyncio.wait_for(reader.wait(), KEEP_ALIVE)
            except TimeoutError:
                yield ": still here\n\n"  # otherwise a proxy would close the silent connection
                continue
            messages = await reader.write(events)
            if not messages:
                if reader.disconnected:
                    # A comment, which clients pass over that do not know it.
                    yield f": {DISCONNECTED} {reader.disconnected}\n\n"
                return
            yield "".join(map(_sse, messages))
    finally:
        reader.close()


def _sse(message: Snapshot | Event | Missed) -> str:
    number = "" if isinstance(message, Missed) else f"id: {message.id}\n"
    data = json.dumps(message.model_dump(mode="json"), separators=(",", ":"), ensure_ascii=False)
    return f"{number}event: {message.type}\ndata: {data}\n\n"
