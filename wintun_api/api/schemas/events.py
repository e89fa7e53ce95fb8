"""What happened, as messages of the event streams."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from wintun_api.api.problems import problem_of
from wintun_api.api.schemas.adapters import Adapter
from wintun_api.api.schemas.model import EXAMPLE_GUID, Model, from_ns
from wintun_api.api.schemas.problem import Problem
from wintun_api.api.schemas.sessions import Session
from wintun_api.api.schemas.system import CallInProgress
from wintun_api.drivers.base import LogLine
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.audit import Change
from wintun_api.hub.events import Event as HubEvent
from wintun_api.hub.events import EventType
from wintun_api.hub.late import LateFailure, LateRemoval
from wintun_api.hub.losses import SessionLoss
from wintun_api.hub.management import SlowCall
from wintun_api.hub.session import SessionView


class Snapshot(Model):
    """Everything there is, sent before the events that change it."""

    type: Literal["snapshot"] = "snapshot"
    id: int = Field(description="The newest event this snapshot contains.")
    time: datetime = Field(description="UTC.")
    adapters: list[Adapter] = Field(description="All of them.")
    sessions: list[Session] = Field(description="All of them.")


class Event(Model):
    """One thing that happened."""

    id: int = Field(description="Counts up by one; resume after it with since.")
    time: datetime = Field(description="UTC.")
    type: EventType = Field(description="What happened.")
    data: dict[str, Any] = Field(description="To what; `DATA` has its schema by type.")

    @classmethod
    def of(cls, event: HubEvent) -> Event:
        """Write an event of the hub."""
        time = from_ns(event.time_ns)
        return cls(id=event.id, time=time, type=event.type, data=_event_data(event.data))


class Missed(Model):
    """Events this client lost because it read too slowly."""

    type: Literal["missed"] = "missed"
    count: int = Field(description="How many.")


class Loss(Model):
    """Packets lost during the last second."""

    model_config = ConfigDict(from_attributes=True)

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="Of the session.", examples=[EXAMPLE_GUID])
    cause: str = Field(
        description="ring, truncated: lost by the host; queue, ended: of subscribers; ring_full, "
        "failed, refused_link_down, refused_host: of clients' own packets."
    )
    count: int = Field(description="How many.")


class LogLevel(StrEnum):
    """Levels of the driver's log (wintun.h: WINTUN_LOGGER_LEVEL)."""

    INFO = "info"
    WARN = "warn"
    ERR = "err"


class DriverLine(Model):
    """A line of the driver's log."""

    level: LogLevel = Field(description="How grave it is.")
    message: str = Field(description="The text.")


class Audit(Model):
    """What the bearer of a token changed, or was refused."""

    model_config = ConfigDict(from_attributes=True)

    who: str = Field(description="The id of the token; admin for that of the token file.")
    label: str = Field(description="What the token is for.", examples=["grafana"])
    browser: bool = Field(description="It came from a signed-in browser.")
    client: str = Field(description="The address it came from.", examples=["127.0.0.1"])
    operation: str = Field(description="The operationId.", examples=["create_adapter"])
    method: str = Field(description="WEBSOCKET for a WebSocket.", examples=["POST"])
    path: str = Field(description="With ids, without anything that may be a token.")
    status: int | None = Field(description="Of the answer, 403 for a refusal; null without one.")
    count: int = Field(description="How many alike attempts this stands for.")
    subject: str | None = Field(
        description="What was made or opened, with its id, and of a token the scopes; null where "
        "the path says all.",
        examples=["token 9f86d081 (read, capture)"],
    )


class Failure(Model):
    """An operation that failed after its request had been answered with 504."""

    operation: str = Field(description="Its operationId.", examples=["create_adapter"])
    adapter: UUID | None = Field(
        description="The GUID of the adapter it was for; null for one that was to be created.",
        examples=[EXAMPLE_GUID],
    )
    name: str | None = Field(
        description="Of the adapter that was to be created or opened; else null.",
        examples=["OfficeNet"],
    )
    pool: str | None = Field(
        description="Of that adapter, or the pool that was to be deleted; else null.",
        examples=["WireGuard"],
    )
    problem: Problem = Field(description="What the request would have been answered with.")

    @classmethod
    def of(cls, failure: LateFailure) -> Failure:
        """Write a failure of the hub."""
        return cls(
            operation=failure.operation,
            adapter=failure.adapter,
            name=failure.name,
            pool=failure.pool,
            problem=Problem.model_validate(problem_of(failure.error)),
        )


class LateRemovalDone(Model):
    """A removal that was done after its request had been answered with 504."""

    model_config = ConfigDict(from_attributes=True)

    operation: str = Field(description="Its operationId.", examples=["delete_driver"])
    reboot_required: bool = Field(description="The system wants a reboot to finish it.")
    adapter: UUID | None = Field(
        description="The GUID of the adapter that was removed; else null.", examples=[EXAMPLE_GUID]
    )
    pool: str | None = Field(
        description="The pool that was removed; else null.", examples=["WireGuard"]
    )


# What the data of an event is, by its type.
DATA: dict[EventType, type[Model]] = {
    EventType.ADAPTER_CREATED: Adapter,
    EventType.ADAPTER_CHANGED: Adapter,
    EventType.ADAPTER_DELETED: Adapter,
    EventType.ADAPTER_CREATE_FAILED: Failure,
    EventType.SESSION_STARTED: Session,
    EventType.SESSION_RESTARTED: Session,
    EventType.SESSION_ENDED: Session,
    EventType.SESSION_FAILED: Session,
    EventType.SESSION_LOSS: Loss,
    EventType.OPERATION_DONE: LateRemovalDone,
    EventType.OPERATION_FAILED: Failure,
    EventType.DRIVER_LOG: DriverLine,
    EventType.DRIVER_SLOW: CallInProgress,
    EventType.AUDIT_CHANGE: Audit,
}


def _event_data(data: object) -> dict[str, Any]:
    match data:
        case AdapterView():
            return Adapter.of(data).model_dump(mode="json")
        case SessionView():
            return Session.of(data).model_dump(mode="json")
        case SessionLoss():
            return Loss.model_validate(data).model_dump(mode="json")
        case LogLine():
            level = LogLevel(data.level.name.lower())
            return DriverLine(level=level, message=data.message).model_dump(mode="json")
        case SlowCall():
            return CallInProgress.model_validate(data).model_dump(mode="json")
        case LateRemoval():
            return LateRemovalDone.model_validate(data).model_dump(mode="json")
        case LateFailure():
            return Failure.of(data).model_dump(mode="json", exclude_unset=True)
        case Change():
            return Audit.model_validate(data).model_dump(mode="json")
    raise TypeError(f"An event carries {type(data).__name__}, which has no schema.")
