"""Keep what each capture is, across restarts: one small file in the directory of each.

A file is replaced as a whole, so it is never half written. It ends with spaces, which JSON allows:
on a full disk, where there is no room for a second one, it is written over instead, so that a
capture can still say that it failed. What is broken, or was not written by the service, is left as
it is and logged; it never prevents the start.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from wintun_api import files
from wintun_api.choices import CaptureDirection, CaptureState, EventType, StopReason, TriggerKind
from wintun_api.files import UntrustedFile
from wintun_api.hub.named_captures.definition import Definition, Keep, Rotate, Stop, Trigger
from wintun_api.hub.named_captures.files import ID, INDEX, Store
from wintun_api.hub.named_captures.view import CaptureView, FileView
from wintun_api.limits import MAX_CAPTURE_FILES, MAX_CAPTURES

logger = logging.getLogger(__name__)

LARGEST: Final = 65536 + 512 * MAX_CAPTURE_FILES  # bytes
SPARE: Final = 2048  # bytes by which it may become longer on a full disk: a reason, and some files
BLOCK: Final = 4096  # bytes of which a disk gives a multiple anyway
FULL: Final = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def save(store: Store, view: CaptureView) -> None:
    """Write the index of a capture, unless it was deleted; it is on the disk when this returns.

    Raises:
        OSError: It could not be written; the old one is unchanged.
    """
    directory = store.directory(view.id)
    if not directory.is_dir():
        return
    path, text = directory / INDEX, json.dumps(asdict(view), default=str)
    size = len(text) + SPARE
    try:
        store.write(path, text.ljust(size + -size % BLOCK))
    except OSError as error:
        if error.errno not in FULL or not _written_over(path, text.encode()):
            raise


def load(store: Store) -> list[CaptureView]:
    """Return the captures on the disk, oldest first, as their index files have them."""
    try:
        directories = sorted(one for one in store.path.iterdir() if ID.fullmatch(one.name))
    except (FileNotFoundError, NotADirectoryError):  # the demo has no data directory
        return []
    except OSError as error:
        logger.error("The captures in %s cannot be read: %s.", store.path, error.strerror)  # noqa: TRY400
        return []
    found = [view for view in (_read(store, one) for one in directories) if view is not None]
    found.sort(key=lambda view: view.created_ns)
    for view in found[:-MAX_CAPTURES]:
        logger.warning(
            "The capture in %s is not listed, because there are more than %d.",
            store.directory(view.id),
            MAX_CAPTURES,
        )
    return found[-MAX_CAPTURES:]


def _written_over(path: Path, text: bytes) -> bool:
    """Write an index in the place of the old one, whose size stays; return whether it fits."""
    try:
        with files.opened(path, change=True) as descriptor:
            size = os.fstat(descriptor).st_size
            if len(text) > size:
                return False
            left = memoryview(text.ljust(size))
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
    except (FileNotFoundError, UntrustedFile):
        return False
    return True


def _read(store: Store, directory: Path) -> CaptureView | None:
    reason: object = "its index is that of another capture"
    try:
        files.remove_leftovers(directory)
        with suppress(OSError):
            directory.rmdir()  # it is empty: the disk hung when a capture was to be started
            return None
        view = _view(json.loads(store.read(directory / INDEX, LARGEST)))
        if view.id == directory.name:
            return view
    except (OSError, UntrustedFile) as error:
        reason = error
    except files.BROKEN:
        reason = "its index is broken"
    logger.warning("The capture in %s cannot be used (%s). It is left as it is.", directory, reason)
    return None


def _view(row: dict[str, Any]) -> CaptureView:
    reason, listed = row["reason"], row["files"]
    if not isinstance(listed, list) or len(listed) > MAX_CAPTURE_FILES:
        raise TypeError("the files are not a list")
    return CaptureView(
        id=_text(row["id"]),
        definition=_definition(row["definition"]),
        created_by=_text(row["created_by"]),
        created_ns=_whole(row["created_ns"]),
        state=CaptureState(row["state"]),
        reason=None if reason is None else StopReason(reason),
        detail=None if row["detail"] is None else _text(row["detail"]),
        triggered_ns=_optional(row["triggered_ns"]),
        ended_ns=_optional(row["ended_ns"]),
        interfaces=_whole(row["interfaces"]),
        packets=_whole(row["packets"]),
        lost=_whole(row["lost"]),
        unwritten=_whole(row.get("unwritten", 0)),
        deleted_files=_whole(row["deleted_files"]),
        files=tuple(map(_file, listed)),
    )


def _file(row: dict[str, Any]) -> FileView:
    return FileView(
        number=_whole(row["number"]),
        begun_ns=_whole(row["begun_ns"]),
        packets=_whole(row["packets"]),
        lost=_whole(row["lost"]),
        bytes=_whole(row["bytes"]),
        first_ns=_optional(row["first_ns"]),
        last_ns=_optional(row["last_ns"]),
        complete=row["complete"] is True,
    )


def _definition(row: dict[str, Any]) -> Definition:
    adapters, pool, trigger = row["adapters"], row["pool"], row["trigger"]
    stop, rotate, keep = row["stop"], row["rotate"], row["keep"]
    return Definition(
        name=_text(row["name"]),
        adapters=None if adapters is None else tuple(map(UUID, adapters)),
        pool=None if pool is None else _text(pool),
        direction=CaptureDirection(row["direction"]),
        filter=_text(row["filter"]),
        snaplen=_whole(row["snaplen"]),
        marks=row["marks"] is True,
        stop=Stop(_optional(stop["packets"]), _optional(stop["bytes"]), _seconds(stop["seconds"])),
        rotate=Rotate(_optional(rotate["bytes"]), _seconds(rotate["seconds"])),
        keep=Keep(_optional(keep["files"]), _optional(keep["bytes"])),
        trigger=None if trigger is None else _trigger(trigger),
    )


def _trigger(row: dict[str, Any]) -> Trigger:
    event, expression = row["event"], row["filter"]
    return Trigger(
        on=TriggerKind(row["on"]),
        event=None if event is None else EventType(event),
        filter=None if expression is None else _text(expression),
        before=_seconds(row["before"]) or 0.0,
        after=_seconds(row["after"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise TypeError("a number is missing")
    return value


def _optional(value: object) -> int | None:
    return None if value is None else _whole(value)


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        raise TypeError("a number of seconds is missing")
    return float(value)
