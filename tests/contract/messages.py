"""An example of every JSON message of the sockets, made from the models."""

from __future__ import annotations

from typing import Any

from wintun_api.api.openapi.examples import (
    ADAPTER,
    ADAPTER_PATH,
    CAPTURE,
    GUID,
    IMPAIRED,
    RECORDER,
    RUNNING,
    SESSION,
    SYSTEM,
    TIME,
)
from wintun_api.api.views import failure_of
from wintun_api.choices import (
    CaptureDirection,
    Direction,
    Ends,
    EventType,
    Full,
    LogLevel,
    Overflow,
    RecorderEnd,
    SessionState,
)
from wintun_api.errors import AdapterExists
from wintun_api.hub.late import LateFailure
from wintun_api.packet.check import TOO_SHORT
from wintun_api.schemas.control import (
    Ack,
    ChangeFilter,
    Ended,
    FilterChanged,
    Hello,
    LostPackets,
    NextSequence,
    PacketDirection,
    ReaderLossCause,
    StreamAdapter,
    StreamLimits,
    Subprotocol,
)
from wintun_api.schemas.events import (
    DATA,
    Audit,
    DriverLine,
    Event,
    Hold,
    ImpairmentLoss,
    ImpairmentLossCause,
    ImpairmentQueue,
    ImpairmentStep,
    LateRemovalDone,
    Loss,
    LossCause,
    Missed,
    ScenarioProgress,
    Snapshot,
)
from wintun_api.schemas.impairment import Progress
from wintun_api.schemas.model import Model
from wintun_api.schemas.recorder import RecorderRemoval
from wintun_api.schemas.system import CallInProgress

LIMITS = SYSTEM.limits

MESSAGES: tuple[Model, ...] = (
    Hello(
        type="hello",
        protocol=Subprotocol.BATCH,
        session=SESSION,
        adapter=StreamAdapter(guid=GUID, name="OfficeNet", interface_name="OfficeNet"),
        mtu=1420,
        direction=Direction.RECEIVED,
        overflow=Overflow.DROP_OLDEST,
        full=Full.DROP,
        limits=StreamLimits(
            max_packet=LIMITS.max_packet,
            max_message=LIMITS.max_message,
            queue_packets=LIMITS.queue_packets,
            queue_bytes=LIMITS.queue_bytes,
            snaplen=0,
        ),
        next_sequence=NextSequence(received=1205, injected=1199),
        handed_before=0,
        started=True,
        ends=Ends.SESSION,
    ),
    LostPackets(
        type="lost",
        cause=ReaderLossCause.QUEUE,
        direction=PacketDirection.RECEIVED,
        count=412,
        first=1300,
        last=1711,
    ),
    Ack(
        type="ack",
        messages=17,
        accepted=64,
        rejected={TOO_SHORT: 1},
        ring_full=0,
        refused={},
        failed=0,
    ),
    FilterChanged(
        type="filter",
        filter="udp port 53",
        valid=True,
        next_sequence=NextSequence(received=1842, injected=1199),
    ),
    ChangeFilter(type="filter", filter="udp port 53"),
    Ended(type="ended", state=SessionState.ENDED, reason="The session was ended by a client."),
    Snapshot(type="snapshot", id=41, oldest=1, time=TIME, adapters=[ADAPTER], sessions=[RUNNING]),
    Missed(type="missed", count=12),
)
EVENT_DATA: tuple[Model, ...] = (
    ADAPTER,
    RUNNING,
    Loss(session=SESSION, adapter=GUID, cause=LossCause.QUEUE, count=412),
    Hold(session=SESSION, adapter=GUID, holders=0, ends=Ends.SESSION, ends_at=TIME),
    IMPAIRED,
    ImpairmentStep(
        session=SESSION,
        adapter=GUID,
        summary="step 2 of 5, round 1: received delay 60ms jitter 5ms loss 2%",
        count=1,
        scenarios=[
            ScenarioProgress(
                rule=0,
                steps=5,
                progress=Progress(elapsed=10.0, step=1, loops=0, finished=False),
            )
        ],
    ),
    ImpairmentLoss(
        session=SESSION,
        adapter=GUID,
        direction=CaptureDirection.RECEIVED,
        cause=ImpairmentLossCause.LOST,
        count=23,
    ),
    ImpairmentQueue(
        session=SESSION,
        adapter=GUID,
        direction=CaptureDirection.INJECTED,
        rule=0,
        packets=752,
        bytes=1052800,
        limit_packets=1000,
        limit_bytes=67108864,
    ),
    RECORDER,
    RecorderRemoval(**dict(RECORDER), reason=RecorderEnd.REQUEST),
    CAPTURE,
    DriverLine(level=LogLevel.INFO, message="Creating adapter"),
    CallInProgress(call="WintunCreateAdapter", seconds=5.0),
    failure_of(
        LateFailure(
            operation="create_adapter",
            error=AdapterExists.from_call("WintunCreateAdapter", 0x800700B7, name="OfficeNet"),
            name="OfficeNet",
            pool="WireGuard",
        )
    ),
    LateRemovalDone(operation="delete_driver", reboot_required=False, adapter=None, pool=None),
    Audit(
        who="9f86d081",
        label="grafana",
        browser=False,
        client="127.0.0.1",
        operation="delete_adapter",
        method="DELETE",
        path=ADAPTER_PATH,
        status=200,
        count=1,
        subject=None,
    ),
)


EVENT_TEXTS = {
    EventType.ADAPTER_CREATED: "An adapter was created.",
    EventType.ADAPTER_CHANGED: "An adapter was changed, by this service or by another program.",
    EventType.ADAPTER_DELETED: "An adapter was deleted, by this service or by another program.",
    EventType.ADAPTER_CREATE_FAILED: "The creation of an adapter failed after the service had "
    "answered its request with 504.",
    EventType.SESSION_STARTED: "A session was started.",
    EventType.SESSION_RESTARTED: "A session was restarted because its receive ring was corrupt.",
    EventType.SESSION_ENDED: "A session ended.",
    EventType.SESSION_FAILED: "A session ended with an error.",
    EventType.SESSION_LOSS: "A session lost packets during the last second.",
    EventType.SESSION_ABANDONED: "The last client that held an adapter has gone. The session, or "
    "the adapter as well, ends at `ends_at` if none comes back.",
    EventType.SESSION_REJOINED: "A client that holds an adapter came back in time.",
    EventType.IMPAIRMENT_SET: "A session was impaired, or its impairment was replaced.",
    EventType.IMPAIRMENT_REMOVED: "The impairment of a session was removed.",
    EventType.IMPAIRMENT_STEP: "A step of a scenario began, or the scenario ended or began again.",
    EventType.IMPAIRMENT_LOSS: "An impairment lost packets during the last second.",
    EventType.IMPAIRMENT_NEARLY_FULL: "So many packets are delayed that a limit is nearly reached.",
    EventType.RECORDER_SET: "The recorder of a session was switched on, or its limits changed.",
    EventType.RECORDER_REMOVED: "The recorder of a session was switched off.",
    EventType.CAPTURE_STARTED: "A capture was started; it writes, or waits for its trigger.",
    EventType.CAPTURE_TRIGGERED: "The trigger of a capture came.",
    EventType.CAPTURE_STOPPED: "A capture ended, as it was asked to or with the service.",
    EventType.CAPTURE_FAILED: "A capture ended because it could not write any more.",
    EventType.CAPTURE_DELETED: "A capture and its files were deleted.",
    EventType.OPERATION_DONE: "A removal succeeded after the service had answered its request with "
    "504.",
    EventType.OPERATION_FAILED: "An operation failed after the service had answered its request "
    "with 504, or what clients held could not be ended.",
    EventType.DRIVER_LOG: "The driver wrote a line to its log.",
    EventType.DRIVER_SLOW: "A call of the driver is taking long.",
    EventType.AUDIT_CHANGE: "A client made a change, or was refused a request.",
}


def event_name(kind: EventType) -> str:
    """Return the name of an event's message: `AdapterCreated` for `adapter.created`."""
    return "".join(part.capitalize() for part in kind.value.replace("_", ".").split("."))


def _event(kind: EventType) -> Event:
    data = next(model for model in EVENT_DATA if type(model) is DATA[kind])
    return Event(id=42, time=TIME, type=kind, data=data.model_dump(mode="json", exclude_unset=True))


EXAMPLES: dict[str, Any] = {
    type(message).__name__: message.model_dump(mode="json") for message in MESSAGES
} | {event_name(kind): _event(kind).model_dump(mode="json") for kind in EventType}
