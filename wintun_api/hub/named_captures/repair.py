"""End the files of a capture that the service could not end: it was killed, or the disk hung.

The file that was being written is cut to its last whole block and gets the statistics of its
interfaces. Files that were complete when the index was written are believed; what was begun after
that is counted anew, and such files follow each other without a gap between their numbers. There
can be one before them: files are deleted oldest first, so it means that all that the index knows
were deleted. Any other file is not of the service and is left as it is. Files that may block are
read here, so this runs on another thread than the event loop's.

The newest file says what the capture has: each one begins with what there was before it. The index
is not asked, because it is older, and it has losses that wait for the next packet to be told.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wintun_api.choices import CaptureState, StopReason
from wintun_api.files import UntrustedFile
from wintun_api.hub.named_captures import ending, files, index
from wintun_api.hub.named_captures.files import Store
from wintun_api.hub.named_captures.scan import Counts, Scan
from wintun_api.hub.named_captures.view import CaptureView, FileView

logger = logging.getLogger(__name__)

KILLED: Final = "The service ended before the capture did."
REFUSED: Final = "Its files could not be written."
READING: Final = " Its files are being read."


def needed(view: CaptureView) -> bool:
    """Return whether a capture that was on the disk did not end, or a file of it."""
    return not (view.state.over and all(file.complete for file in view.files))


def repairing(view: CaptureView) -> CaptureView:
    """Return what a capture is while its files are repaired."""
    reason, detail = view.reason or StopReason.SERVICE, view.detail or KILLED
    return replace(view, state=CaptureState.REPAIRING, reason=reason, detail=detail + READING)


def repaired(store: Store, view: CaptureView) -> CaptureView:
    """Repair the files of a capture, write its index, and return what it is.

    A file that cannot be repaired stays as it is and is listed with what is known of it.
    """
    directory = store.directory(view.id)
    known = {file.number: file for file in view.files}
    numbers: list[int] = []
    with suppress(OSError):
        numbers = files.numbers(directory)
    newest = _before_new(view, numbers)
    whole: list[FileView] = []
    interfaces, last = view.interfaces, Scan()
    for number in numbers:
        path = files.path_of(directory, number)
        if 1 <= number <= view.deleted_files:
            with suppress(OSError):
                files.delete(path)
            continue
        file = known.get(number)
        if file is None and number == newest + 1:
            file = FileView(number=number, begun_ns=_begun_ns(path))
        fixed, found = file, Scan()
        if file is not None and not file.complete:
            fixed, found = _ended(path, file)
        if file is None or fixed is None:
            logger.warning("The file %s is not one of a capture. It is left as it is.", path)
            continue
        newest, last = max(newest, number), found
        interfaces = max(interfaces, found.interfaces)  # of other files, sessions are not known
        whole.append(fixed)
    if whole and not last.size:  # it is complete and was not read
        last = _ended(files.path_of(directory, whole[-1].number), whole[-1])[1]
    counts = _counts(view, last)
    last_ns = max((file.last_ns or file.begun_ns for file in whole), default=view.created_ns)
    first = whole[0].number if whole else newest + 1
    if not view.state.over:
        view = _ended_by(view, refused=last.refused)
    view = replace(
        view,
        files=tuple(whole),
        interfaces=interfaces,
        packets=counts.packets,
        lost=counts.lost,
        unwritten=counts.unwritten,
        deleted_files=first - 1,
        ended_ns=view.ended_ns or last_ns,
    )
    try:
        index.save(store, view)
    except OSError as error:
        logger.error("The index of the capture %s cannot be written: %s", view.id, error)  # noqa: TRY400
    return view


def _counts(view: CaptureView, last: Scan) -> Counts:
    """Return the counts of a capture of which this is the newest file; its index's without one."""
    if not last.size:
        return Counts(view.packets, view.lost, view.unwritten)
    counts = last.counts
    if not view.state.over:
        return counts
    # All that it was offered is known. What the disk took after it was given up is not lost.
    late = counts.packets - view.packets
    return Counts(
        counts.packets,
        max(counts.lost, view.lost - late),
        max(counts.unwritten, view.unwritten - late),
    )


def _ended_by(view: CaptureView, *, refused: bool) -> CaptureView:
    """Return a capture with why it ended, of which the index does not say it."""
    if refused:
        state, reason, detail = CaptureState.FAILED, StopReason.STORAGE, REFUSED
    else:
        state, reason, detail = CaptureState.STOPPED, StopReason.SERVICE, KILLED
    return replace(view, state=state, reason=reason, detail=detail)


def _before_new(view: CaptureView, numbers: list[int]) -> int:
    """Return the number after which files come that the index does not know."""
    last = max((file.number for file in view.files), default=view.deleted_files)
    if not view.definition.keep or any(file.number in numbers for file in view.files):
        return last
    return min((number for number in numbers if number > last), default=last + 1) - 1


def _ended(path: Path, file: FileView) -> tuple[FileView | None, Scan]:
    """End a file; return it as it is then, and what it has.

    It is None if it is not a file that the service began. A file that cannot be read or written is
    returned as it is known.
    """
    try:
        ended = ending.end(path)
    except (OSError, UntrustedFile) as error:
        logger.warning("The file %s of a capture cannot be repaired: %s", path, error)
        return (file if file.bytes else None), Scan()
    return (None, Scan()) if ended is None else (ended.view(file), ended.found)


def _begun_ns(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_mtime_ns
    return 0
