"""The recorder of a session, which keeps its last packets in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StrictFloat, StrictInt

from wintun_api.choices import RecorderEnd
from wintun_api.limits import MAX_RECORDER_BYTES, MAX_RECORDER_SECONDS, MIN_RECORDER_BYTES
from wintun_api.schemas.model import EXAMPLE_GUID, WHOLE, Body, Model


class RecorderSet(Body):
    """How much a recorder keeps. It keeps what is within both limits."""

    seconds: StrictFloat = Field(
        default=120,
        gt=0,
        le=MAX_RECORDER_SECONDS,
        description="The age in seconds up to which packets are kept.",
    )
    bytes: Annotated[StrictInt, Field(ge=MIN_RECORDER_BYTES, le=MAX_RECORDER_BYTES), WHOLE] = Field(
        default=64 * 1024 * 1024,
        description="The largest number of bytes of memory that the kept packets use.",
    )


class Recorder(Model):
    """A recorder and what it has."""

    session: str = Field(description="The id of the session.", examples=["5f0c9d1e2b3a"])
    adapter: UUID = Field(description="The GUID of the session's adapter.", examples=[EXAMPLE_GUID])
    seconds: float = Field(description="The age in seconds up to which packets are kept.")
    bytes: int = Field(
        description="The largest number of bytes of memory that the kept packets use."
    )
    set_at: datetime = Field(description="The time since which it records, in UTC.")
    packets: int = Field(description="The number of packets that it has now.")
    used: int = Field(description="The number of bytes of memory that they use now.")
    oldest: datetime | None = Field(
        description="The time of the oldest packet that it has, in UTC; null if it has none."
    )
    newest: datetime | None = Field(
        description="The time of the newest packet that it has, in UTC; null if it has none."
    )
    recorded: int = Field(description="The number of packets that it has taken since it was set.")
    expired: int = Field(
        description="The number of packets that it dropped because they were too old."
    )
    displaced: int = Field(
        description="The number of packets that it dropped to stay within `bytes`, before they "
        "were too old."
    )


class RecorderRemoval(Recorder):
    """A recorder that was switched off, and what it had."""

    reason: RecorderEnd = Field(description="Why it was switched off.")
