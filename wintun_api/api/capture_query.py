"""The query parameters of live captures, over HTTP and over WebSocket."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from wintun_api.api.connection import Options
from wintun_api.choices import CaptureDirection, Direction, Full, Overflow, Tap
from wintun_api.hub.capture.selection import Selection
from wintun_api.hub.filters import Filter
from wintun_api.limits import (
    MAX_CAPTURE_ADAPTERS,
    MAX_CAPTURE_SECONDS,
    MAX_COUNT,
    MAX_FILTER,
    MAX_PACKET,
)
from wintun_api.schemas.adapters import ChosenPool
from wintun_api.schemas.model import TRIMMED
from wintun_api.settings import Settings

TAP = (
    "On which side of an impairment of the session packets are seen: `after` for what the "
    "application and the host really get, `before` for what the host and the clients sent."
)
FILTER = (
    "A filter in the language of libpcap, as tcpdump takes it: the client gets the packets that it "
    "lets through. `POST /v1/filters/check` checks one."
)
MARKS = (
    "Whether comments say what happened to packets: that an impairment corrupted, duplicated, "
    "reordered or delayed them. The file then also has the packets that the impairment did not "
    "deliver, and those of clients that were rejected because they are not valid IP packets. A "
    "packet that already waited in the impairment when the capture began has no comment."
)
MARKS_BEFORE = (
    "With `tap=before`, only rejected packets have one, because nothing has happened to the others."
)


class CaptureQuery(BaseModel):
    """Hold the query parameters of the capture of a session."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    direction: CaptureDirection = Field(
        CaptureDirection.BOTH, description="The packets that the capture contains."
    )
    tap: Tap = Field(Tap.AFTER, description=TAP)
    filter: str = Field("", max_length=MAX_FILTER, description=FILTER)
    marks: bool = Field(default=False, description=f"{MARKS} {MARKS_BEFORE}")
    snaplen: int = Field(
        0,
        ge=0,
        le=MAX_PACKET,
        description="The number of bytes to which each packet is cut; 0 keeps all bytes.",
    )
    packets: Annotated[int, Field(ge=1, le=MAX_COUNT)] | SkipJsonSchema[None] = Field(
        None,
        description="The number of packets after which the capture ends. If it is left out, "
        "their number does not end it.",
    )
    seconds: Annotated[float, Field(gt=0, le=MAX_CAPTURE_SECONDS)] | SkipJsonSchema[None] = Field(
        None,
        description="The number of seconds after which the capture ends. If it is left out, "
        "time does not end it.",
    )

    def options(self, settings: Settings, chosen: Filter | None) -> Options:
        """Return the options, with the compiled filter."""
        return Options(
            direction=Direction(self.direction.value),
            overflow=Overflow.DROP_OLDEST,
            queue_packets=settings.queue_packets,
            queue_bytes=settings.queue_bytes,
            snaplen=self.snaplen,
            full=Full.DROP,
            message_bytes=settings.message_bytes,
            tap=self.tap,
            filter=chosen,
            marks=self.marks,
        )


class AdapterCaptureQuery(CaptureQuery):
    """Hold the query parameters of the capture of several adapters."""

    adapter: list[UUID] = Field(
        [],
        max_length=MAX_CAPTURE_ADAPTERS,
        description="The GUID of an adapter, several times for several adapters. If it is left "
        "out, all adapters are captured, or those of `pool`.",
    )
    pool: Annotated[ChosenPool, TRIMMED] | SkipJsonSchema[None] = Field(
        None, description="The pool whose adapters are captured."
    )

    @property
    def selection(self) -> Selection:
        """The adapters that are chosen."""
        return Selection(frozenset(self.adapter) if self.adapter else None, self.pool)
