"""Hold what a capture was asked for; constant while it exists."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from wintun_api.choices import CaptureDirection, EventType, TriggerKind
from wintun_api.hub.capture.selection import Selection


@dataclass(frozen=True, slots=True)
class Stop:
    """Say when a capture ends by itself; None for what does not end it."""

    packets: int | None = None
    bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rotate:
    """Say when a capture begins another file; None for what does not."""

    bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """Say how much of a capture is kept; None for no limit."""

    files: int | None = None
    bytes: int | None = None

    def __bool__(self) -> bool:
        return self.files is not None or self.bytes is not None


@dataclass(frozen=True, slots=True)
class Trigger:
    """Say what begins a capture.

    Attributes:
        on: What it is.
        event: The type of the event, for `TriggerKind.EVENT`.
        filter: The filter, for `TriggerKind.FILTER`.
        before: Seconds before it that the capture has.
        after: Seconds after it that the capture has; None if it continues.
    """

    on: TriggerKind
    event: EventType | None = None
    filter: str | None = None
    before: float = 0.0
    after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Describe a capture.

    Attributes:
        name: Its name, for people.
        adapters: The GUIDs of its adapters; None if they are not chosen by GUID.
        pool: The pool of its adapters; None if they are not chosen by pool.
        direction: Which packets it has.
        filter: Its filter; empty for none.
        snaplen: Bytes of each packet that it keeps; 0 for all.
        marks: Whether impaired and rejected packets are marked.
        stop: When it ends by itself.
        rotate: When it begins another file.
        keep: How many of its files are kept.
        trigger: What it waits for; None if it begins at once.
    """

    name: str
    adapters: tuple[UUID, ...] | None = None
    pool: str | None = None
    direction: CaptureDirection = CaptureDirection.BOTH
    filter: str = ""
    snaplen: int = 0
    marks: bool = False
    stop: Stop = Stop()
    rotate: Rotate = Rotate()
    keep: Keep = Keep()
    trigger: Trigger | None = None

    @property
    def selection(self) -> Selection:
        """The adapters that it chooses."""
        return Selection(None if self.adapters is None else frozenset(self.adapters), self.pool)

    @property
    def keeps(self) -> bool:
        """Whether it keeps packets in memory while it waits."""
        trigger = self.trigger
        return trigger is not None and (trigger.before > 0 or trigger.on is TriggerKind.FILTER)
