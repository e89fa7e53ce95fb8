"""Turn the model of a capture to start into what the hub takes, and the hub's views into models."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from wintun_api.hub.named_captures import definition as hub
from wintun_api.hub.named_captures.names import end, stem
from wintun_api.hub.named_captures.view import CaptureView, FileView
from wintun_api.moments import time_of
from wintun_api.schemas import captures as models


def definition_of(body: models.CaptureCreate) -> hub.Definition:
    """Return what the body asks for."""
    trigger = body.trigger
    return hub.Definition(
        name=body.name,
        adapters=None if body.adapters is None else tuple(dict.fromkeys(body.adapters)),
        pool=body.pool,
        direction=body.direction,
        filter=body.filter,
        snaplen=body.snaplen,
        marks=body.marks,
        stop=hub.Stop(**dict(body.stop)),
        rotate=hub.Rotate(**dict(body.rotate)),
        keep=hub.Keep(**dict(body.keep)),
        trigger=None if trigger is None else hub.Trigger(**dict(trigger)),
    )


def capture_of(view: CaptureView) -> models.Capture:
    """Return the capture that a view of the hub describes."""
    asked = view.definition
    begins = stem(asked.name)
    return models.Capture(
        id=view.id,
        name=asked.name,
        state=view.state,
        reason=view.reason,
        detail=view.detail,
        adapters=None if asked.adapters is None else list(asked.adapters),
        pool=asked.pool,
        direction=asked.direction,
        filter=asked.filter,
        snaplen=asked.snaplen,
        marks=asked.marks,
        stop=models.Stop(**_given(asked.stop)),
        rotate=models.Rotate(**_given(asked.rotate)),
        keep=models.Keep(**_given(asked.keep)),
        trigger=None if asked.trigger is None else models.Trigger(**_given(asked.trigger)),
        created_by=view.created_by,
        created_at=time_of(view.created_ns),
        triggered_at=_optional_time(view.triggered_ns),
        ended_at=_optional_time(view.ended_ns),
        interfaces=view.interfaces,
        packets=view.packets,
        lost=view.lost,
        unwritten=view.unwritten,
        bytes=view.bytes,
        files=[_file_of(begins + end(file), file) for file in view.files],
        deleted_files=view.deleted_files,
    )


def _file_of(name: str, file: FileView) -> models.CaptureFile:
    return models.CaptureFile(
        number=file.number,
        name=name,
        packets=file.packets,
        bytes=file.bytes,
        first=_optional_time(file.first_ns),
        last=_optional_time(file.last_ns),
        complete=file.complete,
    )


def _given(part: hub.Stop | hub.Rotate | hub.Keep | hub.Trigger) -> dict[str, Any]:
    """Return the members that were given; the model does without the others."""
    return {name: value for name, value in asdict(part).items() if value is not None}


def _optional_time(time_ns: int | None) -> datetime | None:
    return None if time_ns is None else time_of(time_ns)
