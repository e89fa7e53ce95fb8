"""What happened, as messages of the event streams."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from wintun_api.api.schemas.adapters import Adapter
from wintun_api.api.schemas.model import Model, from_ns
from wintun_api.api.schemas.sessions import Session
from wintun_api.drivers.base import LogLine
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.events import Event as HubEvent
from wintun_api.hub.events import EventType
from wintun_api.hub.management import SlowCall
from wintun_api.hub.session import SessionLoss, SessionView


class Snapshot(Model):
    """Everything there is, sent before the events that change it."""

    type: Literal["snapshot"] = "snapshot"
    id: int = Field(description="The newest event this snapshot contains.")
    time: datetime
    adapters: list[Adapter]
    sessions: list[Session]


class Event(Model):
    """One thing that happened."""

    id: int = Field(description="Counts up by one; resume after it with since.")
    time: datetime
    type: EventType
    data: dict[str, Any]

    @classmethod
    def of(cls, event: HubEvent) -> Event:
        """Write an event of the hub."""
        time = from_ns(event.time_ns)
        return cls(id=event.id, time=time, type=event.type, data=_event_data(event.data))


class Missed(Model):
    """Events this client lost because it read too slowly."""

    type: Literal["missed"] = "missed"
    count: int


def _event_data(data: object) -> dict[str, Any]:
    match data:
        case AdapterView():
            return Adapter.of(data).model_dump(mode="json")
        case SessionView():
            return Session.of(data).model_dump(mode="json")
        case SessionLoss():
            return {
                "session": data.session,
                "adapter": str(data.adapter),
                "cause": data.cause,
                "count": data.count,
            }
        case LogLine():
            return {"level": data.level.name.lower(), "message": data.message}
        case SlowCall():
            return {"call": data.call, "seconds": data.seconds}
    raise TypeError(f"An event carries {type(data).__name__}, which has no schema.")
