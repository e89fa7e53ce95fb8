"""The messages of the event streams."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from wintun_api.choices import CaptureDirection, Ends, EventType, LogLevel
from wintun_api.schemas.adapters import Adapter
from wintun_api.schemas.captures import Capture
from wintun_api.schemas.impairment import Progress, SessionImpairment
from wintun_api.schemas.model import EXAMPLE_GUID, Model
from wintun_api.schemas.problem import Problem
from wintun_api.schemas.recorder import Recorder, RecorderRemoval
from wintun_api.schemas.sessions import Session
from wintun_api.schemas.system import CallInProgress


class Snapshot(Model):
    """All adapters and sessions. The events that follow a snapshot change it."""

    type: Literal["snapshot"] = Field(default="snapshot", description="The type of the message.")
    id: int = Field(description="The id of the newest event that the snapshot includes.")
    oldest: int = Field(
        description="The id of the oldest event that the service still has; that of the next event "
        "if it has none. A client that asks for events `since` one before it gets them all."
    )
    time: datetime = Field(description="The time of the snapshot, in UTC.")
    client: str = Field(
        default="",
        description="The id of this stream in `GET /v1/clients`.",
    )
    adapters: list[Adapter] = Field(description="All adapters that the service knows.")
    sessions: list[Session] = Field(description="All sessions that the service knows.")


class Event(Model):
    """An event."""

    id: int = Field(
        description="The id of the event, one more than that of the event before. A client that "
        "sends it as `since` gets the events after it."
    )
    time: datetime = Field(description="The time of the event, in UTC.")
    type: EventType = Field(description="The type of the event.")
    data: dict[str, Any] = Field(description="The data of the event; its type sets the schema.")


class Missed(Model):
    """A report of events that this client lost because it read too slowly."""

    type: Literal["missed"] = Field(default="missed", description="The type of the message.")
    count: int = Field(description="The number of events that were lost.")


class LossCause(StrEnum):
    """A cause for which packets were lost.

    `ring` and `truncated`: the host's packets did not fit into the receive ring or could not be
    read completely. `queue` and `ended`: they did not fit into the queues of subscribers or were
    still there at the end. The others concern the packets of clients. `ring_full`: the send ring
    was full. `failed`: a call of the driver failed or the session was ending. `refused_link_down`
    and `refused_host`: the host refused the packets because the interface was set down or for
    another reason. `rejected_too_short`, `rejected_too_long` and `rejected_bad_version`: they are
    not valid IP packets.
    """

    RING = "ring"
    TRUNCATED = "truncated"
    QUEUE = "queue"
    ENDED = "ended"
    RING_FULL = "ring_full"
    FAILED = "failed"
    REFUSED_LINK_DOWN = "refused_link_down"
    REFUSED_HOST = "refused_host"
    REJECTED_TOO_SHORT = "rejected_too_short"
    REJECTED_TOO_LONG = "rejected_too_long"
    REJECTED_BAD_VERSION = "rejected_bad_version"


class Loss(Model):
    """The packets that a session lost during the last second, for one cause."""

    model_config = ConfigDict(from_attributes=True)

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    cause: LossCause = Field(description="The cause of the loss.")
    count: int = Field(description="The number of lost packets.")


class Hold(Model):
    """What clients hold, after the last one has gone or one has come back."""

    session: str | None = Field(
        description="The id of the adapter's last session; null if the service was started again "
        "since.",
        examples=["5f0c9d1e2b3a"],
    )
    adapter: UUID = Field(description="The GUID of the adapter.", examples=[EXAMPLE_GUID])
    holders: int = Field(description="The number of clients that hold the adapter now.")
    ends: Ends = Field(description="What ends if no client comes back.")
    ends_at: datetime | None = Field(
        description="The time at which it ends, in UTC; null while a client holds the adapter."
    )


class ScenarioProgress(Model):
    """How far the scenario of a rule is."""

    rule: int = Field(description="The index of the rule.")
    steps: int = Field(description="The number of steps of its scenario.")
    progress: Progress = Field(description="How far it is.")


class ImpairmentStep(Model):
    """What an impairment does from a step of a scenario on.

    There are at most 10 of these events in a second for each session. Where steps follow each other
    faster, one event tells the newest state and stands for all of them.
    """

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    summary: str = Field(
        description="What the impairment does now, in one line; `GET "
        "/v1/sessions/{id}/impairment` has all of it.",
        examples=["step 2 of 5: received delay 60ms jitter 5ms loss 2%"],
    )
    count: int = Field(
        description="For how many events this one stands: 1, unless there would have been more "
        "than 10 in a second."
    )
    scenarios: list[ScenarioProgress] = Field(
        description="The scenarios that have got further since the event before, in the order of "
        "their rules."
    )


class ImpairmentLossCause(StrEnum):
    """A cause for which an impairment lost packets; each is a counter of the impairment."""

    LOST = "lost"
    LIMIT = "limit"
    BLACKOUT = "blackout"
    TOO_LARGE = "too_large"
    DROPPED = "dropped"


class ImpairmentLoss(Model):
    """The packets that an impairment lost during the last second, for one cause."""

    model_config = ConfigDict(from_attributes=True)

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    direction: CaptureDirection = Field(description="The direction of the packets.")
    cause: ImpairmentLossCause = Field(description="The cause of the loss.")
    count: int = Field(description="The number of lost packets.")


class ImpairmentQueue(Model):
    """The delayed packets of a rule whose limit is nearly reached.

    It is told again only after half of them have left. When the limit is reached, packets are
    dropped and counted in `limit`.
    """

    model_config = ConfigDict(from_attributes=True)

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    direction: CaptureDirection = Field(description="The direction of the packets.")
    rule: int = Field(description="The index of the rule.")
    packets: int = Field(description="The number of delayed packets.")
    bytes: int = Field(description="The bytes of the delayed packets.")
    limit_packets: int = Field(description="The largest number of delayed packets.")
    limit_bytes: int = Field(description="The largest number of their bytes.")


class DriverLine(Model):
    """A line of the driver's log."""

    level: LogLevel = Field(description="The level of the line.")
    message: str = Field(description="The text of the line.")


class Audit(Model):
    """A change that a client made, or a request that it was refused."""

    model_config = ConfigDict(from_attributes=True)

    who: str = Field(
        description="The id of the client's token; `admin` for the token of the token file."
    )
    label: str = Field(
        description="The text that says what the token is for.", examples=["grafana"]
    )
    browser: bool = Field(description="Whether the request came from a signed-in browser.")
    client: str = Field(
        description="The IP address from which the request came.", examples=["127.0.0.1"]
    )
    operation: str = Field(
        description="The operationId of the request.", examples=["create_adapter"]
    )
    method: str = Field(
        description="The HTTP method, or `WEBSOCKET` for a WebSocket.", examples=["POST"]
    )
    path: str = Field(description="The path with its ids, without anything that could be a token.")
    status: int | None = Field(
        description="The HTTP status of the answer, 403 for a refusal; null if there was no answer."
    )
    count: int = Field(description="The number of equal attempts that this event reports.")
    subject: str | None = Field(
        description="What was created or opened, with its id and, for a token, its scopes; null if "
        "the path says it already.",
        examples=["token 9f86d081 (read, capture)"],
    )


class Failure(Model):
    """An operation that failed after its request had been answered with 504, or without a request.

    Without a request, the service ends what clients held and did not come back to.
    """

    operation: str = Field(
        description="The operationId of the request.", examples=["create_adapter"]
    )
    adapter: UUID | None = Field(
        description="The GUID of the adapter that the operation concerned; null if the adapter was "
        "to be created.",
        examples=[EXAMPLE_GUID],
    )
    name: str | None = Field(
        description="The name of the adapter that was to be created or opened; null for other "
        "operations.",
        examples=["OfficeNet"],
    )
    pool: str | None = Field(
        description="The pool of the adapter that was to be created or opened, or the pool that "
        "was to be deleted; null for other operations.",
        examples=["WireGuard"],
    )
    problem: Problem = Field(
        description="The problem document with which a request would have been answered."
    )


class LateRemovalDone(Model):
    """A removal that succeeded after its request had been answered with 504."""

    model_config = ConfigDict(from_attributes=True)

    operation: str = Field(
        description="The `operationId` of the request.", examples=["delete_driver"]
    )
    reboot_required: bool = Field(
        description="Whether Windows needs a reboot to complete the removal."
    )
    adapter: UUID | None = Field(
        description="The GUID of the adapter that was removed; null if it was another removal.",
        examples=[EXAMPLE_GUID],
    )
    pool: str | None = Field(
        description="The pool that was removed; null if it was another removal.",
        examples=["WireGuard"],
    )


# The model of an event's data, by the type of the event.
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
    EventType.SESSION_ABANDONED: Hold,
    EventType.SESSION_REJOINED: Hold,
    EventType.IMPAIRMENT_SET: SessionImpairment,
    EventType.IMPAIRMENT_REMOVED: SessionImpairment,
    EventType.IMPAIRMENT_STEP: ImpairmentStep,
    EventType.IMPAIRMENT_LOSS: ImpairmentLoss,
    EventType.IMPAIRMENT_NEARLY_FULL: ImpairmentQueue,
    EventType.RECORDER_SET: Recorder,
    EventType.RECORDER_REMOVED: RecorderRemoval,
    EventType.CAPTURE_STARTED: Capture,
    EventType.CAPTURE_TRIGGERED: Capture,
    EventType.CAPTURE_STOPPED: Capture,
    EventType.CAPTURE_FAILED: Capture,
    EventType.CAPTURE_DELETED: Capture,
    EventType.OPERATION_DONE: LateRemovalDone,
    EventType.OPERATION_FAILED: Failure,
    EventType.DRIVER_LOG: DriverLine,
    EventType.DRIVER_SLOW: CallInProgress,
    EventType.AUDIT_CHANGE: Audit,
}
