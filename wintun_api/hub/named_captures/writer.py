"""Write the files of one capture on a thread of its own, so that a disk never stops the service.

The event loop gives steps, which are done in their order; the outcome of each comes back to the
event loop. What waits is bounded by the capture, which gives no blocks while `full`. The thread is
a daemon, so a disk that hangs does not keep the service from ending.

A file has whole blocks only: it begins with its first block, and what the disk takes of a chunk is
cut back to its last whole block.

A complete file is written to the disk itself (fsync), but at most one in `SYNC_EVERY` seconds, and
always the last one: a disk that needs ten milliseconds for that could not follow a hundred files in
a second. The system writes the others when it likes. So the end of the process costs nothing, and
the loss of power the newest files.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Final, TypeAlias

from wintun_api import files as private
from wintun_api.capture import pcapng
from wintun_api.errors import OutOfThreads
from wintun_api.files import UntrustedFile
from wintun_api.hub.named_captures import ending, files, index
from wintun_api.hub.named_captures.files import Store
from wintun_api.hub.named_captures.scan import Scan
from wintun_api.hub.named_captures.view import CaptureView

QUEUE_BYTES: Final = 4 * 1024 * 1024
QUEUE_STEPS: Final = 1024
SYNC_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin a file.

    Attributes:
        number: The file.
        data: Its first block.
        begun_ns: When it was begun, in nanoseconds since 1970.
    """

    number: int
    data: bytes
    begun_ns: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """Add whole blocks to the file that was begun last.

    Attributes:
        number: The file.
        data: The blocks.
        packets: Packets in them.
        lost: Packets that were lost before those, as the blocks say.
        first_ns: The time of the first packet; None if there is none.
        last_ns: The time of the last packet; None if there is none.
    """

    number: int
    data: bytes
    packets: int = 0
    lost: int = 0
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Complete the file that was begun last.

    Attributes:
        number: The file.
        last: Whether no other one follows; it is on the disk itself then.
    """

    number: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Mend:
    """Complete a file of which the disk did not take everything, with statistics.

    Attributes:
        number: The file.
        offered: For each of its interfaces, the packets that came since the file was begun,
            including those that were lost.
    """

    number: int
    offered: Sequence[int]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a file."""

    number: int


@dataclass(frozen=True, slots=True)
class Save:
    """Write the index of the capture.

    Attributes:
        view: What the index says.
    """

    view: CaptureView


Step: TypeAlias = Begin | Blocks | End | Mend | Delete | Save


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what became of a step.

    Attributes:
        step: The step.
        written: Bytes of its blocks that the file has.
        packets: Packets of its blocks that the file has.
        mended: What the file has after a `Mend`; None if it is as it was.
        error: Why it could not be done completely; None if it was.
        skipped: Whether it was not tried, because an earlier step failed.
    """

    step: Step
    written: int = 0
    packets: int = 0
    mended: ending.Ended | None = None
    error: OSError | None = None
    skipped: bool = False


class Writer:
    """Do the steps of one capture. All methods belong to the event loop's thread.

    Args:
        store: Where captures lie.
        capture: The id of the capture, whose directory exists.
        done: Called on the event loop with the outcome of each step, in order.

    Attributes:
        waiting_bytes: Bytes of blocks that have been given and have no outcome.
        waiting_steps: Steps that have been given and have no outcome.
        closed: Set when the thread does nothing more.
    """

    def __init__(self, store: Store, capture: str, done: Callable[[Outcome], None]) -> None:
        self._files = _Files(store, capture)
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._abandoned = False
        self.waiting_bytes = 0
        self.waiting_steps = 0
        self.closed = asyncio.Event()
        try:
            name = f"capture:{capture}"
            threading.Thread(target=self._run, name=name, daemon=True).start()
        except RuntimeError:
            raise OutOfThreads from None

    @property
    def full(self) -> bool:
        """Whether so much waits that no more blocks may be given."""
        return self.waiting_bytes >= QUEUE_BYTES or self.waiting_steps >= QUEUE_STEPS

    def give(self, step: Step) -> None:
        """Have a step done after all that were given before."""
        self.waiting_steps += 1
        if isinstance(step, Blocks):
            self.waiting_bytes += len(step.data)
        self._steps.put(step)

    def close(self) -> None:
        """End the thread after what was given."""
        self._steps.put(None)

    def abandon(self) -> None:
        """End the thread after the step that it is doing; of the others, only mend a file."""
        self._abandoned = True
        self.close()

    def _run(self) -> None:
        while (step := self._steps.get()) is not None:
            if not self._abandoned or isinstance(step, Mend):
                outcome = self._files.do(step)
                self._tell(partial(self._told, outcome))
        self._files.close()
        self._tell(self.closed.set)

    def _tell(self, call: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the event loop was closed
            self._loop.call_soon_threadsafe(call)

    def _told(self, outcome: Outcome) -> None:
        self.waiting_steps -= 1
        if isinstance(outcome.step, Blocks):
            self.waiting_bytes -= len(outcome.step.data)
        self._done(outcome)


class _Files:
    """Do steps on the writer's thread. After an error no more is added to any file."""

    def __init__(self, store: Store, capture: str) -> None:
        self._store = store
        self._directory = store.directory(capture)
        self._descriptor = -1
        self._size = 0
        self._error: OSError | None = None
        self._undeleted: set[Path] = set()
        self._synced_at = 0.0

    def do(self, step: Step) -> Outcome:
        """Do a step."""
        try:
            match step:
                case Blocks():
                    return self._add(step)
                case Begin():
                    return self._begin(step)
                case End():
                    self._end(step)
                case Mend():
                    return self._mend(step)
                case Delete() if self._error is not None:
                    # The newer files that need the room do not come.
                    return Outcome(step, error=self._error, skipped=True)
                case Delete():
                    self._delete(files.path_of(self._directory, step.number))
                case Save():
                    index.save(self._store, step.view)
        except OSError as error:
            if isinstance(step, Begin | End):
                self._error = error
            return Outcome(step, error=error)
        return Outcome(step)

    def close(self) -> None:
        """Close the file that is open, if one is. Idempotent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def _begin(self, step: Begin) -> Outcome:
        if self._error is not None:
            raise self._error
        path = files.path_of(self._directory, step.number)
        self._descriptor = files.create(path, step.data)
        self._size = len(step.data)
        return Outcome(step, self._size)

    def _add(self, step: Blocks) -> Outcome:
        if self._error is not None:
            return Outcome(step, error=self._error)
        data, written = memoryview(step.data), 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            self._error = error
        kept = written if self._error is None else pcapng.whole(step.data[:written])
        self._size += kept
        if self._error is None:
            return Outcome(step, kept, step.packets)
        with suppress(OSError):
            os.ftruncate(self._descriptor, self._size)
        found = Scan()
        found.add(step.data[:kept])
        step = replace(step, first_ns=found.first_ns, last_ns=found.last_ns)
        return Outcome(step, kept, found.packets.total(), error=self._error)

    def _end(self, step: End) -> None:
        if self._descriptor < 0 and self._error is not None:
            raise self._error
        try:
            if step.last or time.monotonic() >= self._synced_at + SYNC_EVERY:
                os.fsync(self._descriptor)
                private.settle(self._directory)
                self._synced_at = time.monotonic()
        finally:
            self.close()

    def _mend(self, step: Mend) -> Outcome:
        self.close()
        path = files.path_of(self._directory, step.number)
        try:
            full = self._error is not None and self._error.errno in index.FULL
            return Outcome(step, mended=ending.end(path, step.offered, full=full))
        except UntrustedFile:  # it was replaced
            return Outcome(step)

    def _delete(self, path: Path) -> None:
        """Delete a file, and those that could not be deleted before."""
        for one in (*self._undeleted, path):
            try:
                files.delete(one)
            except OSError:
                self._undeleted.add(one)
                if one == path:
                    raise
            else:
                self._undeleted.discard(one)
