"""Named captures: files of packets that the service writes into its data directory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, model_validator

from wintun_api.choices import (
    CaptureDirection,
    CaptureState,
    EventType,
    StopReason,
    TriggerKind,
)
from wintun_api.limits import (
    MAX_CAPTURE_ADAPTERS,
    MAX_CAPTURE_FILES,
    MAX_CAPTURE_NAME,
    MAX_CAPTURE_SECONDS,
    MAX_COUNT,
    MAX_PACKET,
    MAX_RECORDER_SECONDS,
    MIN_CAPTURE_BYTES,
    MIN_ROTATE_SECONDS,
)
from wintun_api.schemas.adapters import ChosenPool
from wintun_api.schemas.filters import Expression
from wintun_api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model, Omittable, Sparse
from wintun_api.visible import visible

Packets: TypeAlias = Annotated[StrictInt, Field(ge=1, le=MAX_COUNT), WHOLE]
Bytes: TypeAlias = Annotated[StrictInt, Field(ge=MIN_CAPTURE_BYTES, le=MAX_COUNT), WHOLE]
Seconds: TypeAlias = Annotated[StrictFloat, Field(gt=0, le=MAX_CAPTURE_SECONDS)]


class Stop(Sparse, Body):
    """When a capture ends by itself, whichever comes first; nothing ends it that is left out."""

    packets: Omittable[Packets] = Field(
        default=None, description="The number of packets after which it ends."
    )
    bytes: Omittable[Bytes] = Field(
        default=None, description="The number of bytes of its files after which it ends."
    )
    seconds: Omittable[Seconds] = Field(
        default=None, description="The number of seconds after which it ends."
    )


class Rotate(Sparse, Body):
    """When a capture begins another file, whichever comes first."""

    bytes: Omittable[Bytes] = Field(
        default=None, description="The number of bytes after which another file begins."
    )
    seconds: Omittable[
        Annotated[StrictFloat, Field(ge=MIN_ROTATE_SECONDS, le=MAX_CAPTURE_SECONDS)]
    ] = Field(
        default=None,
        description="The number of seconds after which another file begins. A file without "
        "packets is continued instead.",
    )


class Keep(Sparse, Body):
    """How much of a capture is kept; the oldest files beyond it are deleted."""

    files: Omittable[Annotated[StrictInt, Field(ge=1, le=MAX_CAPTURE_FILES), WHOLE]] = Field(
        default=None, description="The largest number of files."
    )
    bytes: Omittable[Bytes] = Field(
        default=None, description="The largest number of bytes of all its files together."
    )


class Trigger(Sparse, Body):
    """What begins a capture, and how much around it the capture has."""

    on: TriggerKind = Field(description="What begins the capture.")
    event: Omittable[EventType] = Field(
        default=None, description="The type of the event, for `on=event`."
    )
    filter: Omittable[Expression] = Field(default=None)
    before: Annotated[StrictFloat, Field(ge=0, le=MAX_RECORDER_SECONDS)] = Field(
        default=0, description="The seconds before it that the capture has."
    )
    after: Omittable[Seconds] = Field(
        default=None,
        description="The seconds after it that the capture has; if it is left out, it continues "
        "until something else ends it.",
    )


class CaptureCreate(Body):
    """A capture to start.

    Without `adapters` and `pool` it has the packets of every adapter. Adapters and sessions that
    come later belong to it from then on.
    """

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_CAPTURE_NAME,
            json_schema_extra={"format": "capture-name"},
        ),
        AfterValidator(visible),
    ] = Field(
        default="capture",
        description="A name for people; files that are downloaded have it. It need not be unique. "
        "Characters that cannot be seen are refused: those that control a terminal, end a line or "
        "turn the direction of a text (Unicode categories Cc, Cf, Cs, Zl and Zp, except for "
        "joiners where Persian and Indic words need them). At least one character must have a "
        "shape of its own: spaces, fillers and marks that only change the character before them "
        "are not enough.",
        examples=["office"],
    )
    adapters: Omittable[
        Annotated[list[UUID], Field(min_length=1, max_length=MAX_CAPTURE_ADAPTERS)]
    ] = Field(default=None, description="The GUIDs of its adapters.", examples=[[EXAMPLE_GUID]])
    pool: Omittable[ChosenPool] = Field(
        default=None, description="The pool whose adapters it has.", examples=["WireGuard"]
    )
    direction: CaptureDirection = Field(
        default=CaptureDirection.BOTH, description="The packets that it has."
    )
    filter: Expression = Field(default="")
    snaplen: Annotated[StrictInt, Field(ge=0, le=MAX_PACKET), WHOLE] = Field(
        default=0,
        description="The number of bytes to which each packet is cut; 0 keeps all bytes.",
    )
    marks: StrictBool = Field(
        default=False,
        description="Whether comments say what happened to packets: that an impairment corrupted, "
        "duplicated, reordered or delayed them. The files then also have the packets that the "
        "impairment did not deliver, and those of clients that were rejected because they are not "
        "valid IP packets. A packet that already waited in the impairment when the capture began "
        "has no comment.",
    )
    stop: Stop = Field(default=Stop(), description="When it ends by itself.")
    rotate: Rotate = Field(default=Rotate(), description="When it begins another file.")
    keep: Keep = Field(default=Keep(), description="How many of its files are kept.")
    trigger: Omittable[Trigger] = Field(
        default=None,
        description="What it waits for before it begins; if it is left out, it begins at once.",
    )

    @model_validator(mode="after")
    def _one_choice(self) -> CaptureCreate:
        if self.adapters is not None and self.pool is not None:
            raise ValueError("adapters and pool cannot be given together")
        return self

    @model_validator(mode="after")
    def _whole_trigger(self) -> CaptureCreate:
        trigger = self.trigger
        if trigger is not None:
            given = {TriggerKind.EVENT: trigger.event, TriggerKind.FILTER: trigger.filter}
            for kind, value in given.items():
                if (value is not None) != (trigger.on is kind):
                    state = "needs" if trigger.on is kind else "does not take"
                    raise ValueError(f"a trigger on={trigger.on.value} {state} {kind.value}")
        return self


class CaptureFile(Model):
    """A file of a capture. It can be read at any time, also while packets are added."""

    number: int = Field(description="Its number, from 1; the oldest may have been deleted.")
    name: str = Field(
        description="The name with which it is downloaded.",
        examples=["office-00001-20261125T093000Z.pcapng"],
    )
    packets: int = Field(description="The number of packets in it.")
    bytes: int = Field(description="The number of its bytes.")
    first: datetime | None = Field(description="The time of its first packet, in UTC.")
    last: datetime | None = Field(description="The time of its last packet, in UTC.")
    complete: bool = Field(description="Whether no more packets are added to it.")


class Capture(Model):
    """A named capture."""

    id: str = Field(description="The id that identifies it in paths.", examples=["c0ffee12ab34"])
    name: str = Field(description="Its name.", examples=["office"])
    state: CaptureState = Field(description="Its state.")
    reason: StopReason | None = Field(description="Why it has ended; null until then.")
    detail: str | None = Field(description="A sentence about why it has ended; null until then.")
    adapters: list[UUID] | None = Field(
        description="The GUIDs of its adapters; null if they are those of a pool, or all."
    )
    pool: str | None = Field(description="The pool whose adapters it has; null for another choice.")
    direction: CaptureDirection = Field(description="The packets that it has.")
    filter: str = Field(description="Its filter; empty if it has none.")
    snaplen: int = Field(description="The number of bytes to which each packet is cut.")
    marks: bool = Field(description="Whether comments say what happened to packets.")
    stop: Stop = Field(description="When it ends by itself.")
    rotate: Rotate = Field(description="When it begins another file.")
    keep: Keep = Field(description="How many of its files are kept.")
    trigger: Trigger | None = Field(description="What it waits, or waited, for.")
    created_by: str = Field(
        description="The text that says what the token is for with which it was started.",
        examples=["grafana"],
    )
    created_at: datetime = Field(description="The time at which it was started, in UTC.")
    triggered_at: datetime | None = Field(
        description="The time at which its trigger came, in UTC; null before that."
    )
    ended_at: datetime | None = Field(
        description="The time at which it ended, in UTC; null until then."
    )
    interfaces: int = Field(description="The number of sessions that it has had packets of.")
    packets: int = Field(description="The number of packets that it has written.")
    lost: int = Field(
        description="The number of packets that are missing, for whatever reason. The files say "
        "where."
    )
    unwritten: int = Field(
        description="The number of those of `lost` that came to the capture but not to the disk, "
        "because it was too slow, full or broken. The others were lost before, in the ring."
    )
    bytes: int = Field(description="The number of bytes of all its files that are kept.")
    files: list[CaptureFile] = Field(description="Its files, oldest first.")
    deleted_files: int = Field(
        description="The number of files that were deleted to stay in `keep`."
    )
