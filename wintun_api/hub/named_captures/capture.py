"""Run one capture: wait for its trigger, write packets into files, rotate them, and end.

WAITING ─▶ RUNNING ─▶ STOPPED    asked for, a limit reached, or the service stops
    └──────────┴────▶ FAILED     the disk does not take what is written

Blocks are made on the event loop, up to `TURN` bytes at a time, and only while the writer has room
for them; else packets wait where they are gathered, and are lost and counted there. Every packet
that comes to the capture is written, lost or, once the capture is ending by a limit, not wanted:
before that, `packets + lost` is what was offered, without what waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import inf
from typing import Final

from wintun_api.choices import CaptureState, Direction, EventType, StopReason
from wintun_api.errors import StorageFailed
from wintun_api.hub.burst import Burst
from wintun_api.hub.capture.gathering import Gathered, Gathering
from wintun_api.hub.capture.source import Source
from wintun_api.hub.filters import Filter
from wintun_api.hub.losses import Cause, Loss
from wintun_api.hub.named_captures.filing import Filing
from wintun_api.hub.named_captures.surroundings import Surroundings
from wintun_api.hub.named_captures.timetable import Timetable
from wintun_api.hub.named_captures.trigger import Match
from wintun_api.hub.named_captures.view import CaptureView
from wintun_api.hub.named_captures.waiting import QUEUE_BYTES, QUEUE_PACKETS, Entry, Waiting
from wintun_api.hub.named_captures.writer import (
    Begin,
    Blocks,
    Delete,
    End,
    Outcome,
    Save,
    Step,
    Writer,
)
from wintun_api.moments import NS_PER_SECOND

logger = logging.getLogger(__name__)

TURN: Final = 256 * 1024  # bytes of packets that are made into blocks at a time
ACCOUNT_EVERY: Final = 1.0  # seconds; kill -9 costs no count, see `repair`
# At the end, what waits is written for so many seconds; the rest of it is lost and counted.
LAST_PATIENCE: Final = 2.0
# A disk that has not taken the last packets after so many seconds is given up.
END_PATIENCE: Final = 10.0

SENTENCES: Final = {
    StopReason.REQUEST: "It was stopped on request.",
    StopReason.PACKETS: "It has as many packets as were asked for.",
    StopReason.BYTES: "It has as many bytes as were asked for.",
    StopReason.SECONDS: "It has run as long as was asked for.",
    StopReason.KEEP: "Its only file is as large as all of its files together may be.",
    StopReason.SERVICE: "The service stopped.",
    StopReason.TOTAL: "The captures of the service take as much room as they may "
    "(captures_bytes), and it has no older file of its own that may be deleted.",
}
SILENT: Final = "the disk does not answer"
STUCK: Final = "The disk did not take the last packets in time."


class NamedCapture:
    """Run one capture. Event loop thread only.

    Args:
        view: What it is; it waits or runs.
        around: What it needs of the service.
        filter: The compiled filter of its definition; None for all packets.
        trigger: The compiled filter of its trigger; None if its trigger is another one.
        over: Called with itself when it has ended, and whether its index says so. It is called
            again when a disk answers that was given up, before `closed` returns.

    Raises:
        OutOfThreads: The system did not start the thread that writes.
    """

    def __init__(
        self,
        view: CaptureView,
        around: Surroundings,
        *,
        filter: Filter | None,  # noqa: A002 - the field's word
        trigger: Filter | None,
        over: Callable[[NamedCapture, bool], None],
    ) -> None:
        self._view = view
        self._around = around
        self._definition = definition = view.definition
        self._trigger_filter = trigger
        self._tell_over = over
        self._earlier: deque[Entry] = deque()
        self._waiting: Waiting | None = None
        self._until_ns: int | None = None  # packets of a later time are not wanted
        self._ending: tuple[StopReason, str] | None = None
        self._wasted = 0  # packets that waited when the disk failed
        self._drained = False  # nothing waits that it still wants
        self._saving = False
        self._over = asyncio.Event()
        self._begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pumping: asyncio.Handle | None = None
        self._timetable = Timetable(around.clock)
        self._account_at = -inf
        self._gathering = Gathering(
            around.sessions,
            definition.selection,
            direction=Direction(definition.direction.value),
            filter=filter,
            marks=definition.marks,
            limit_packets=QUEUE_PACKETS,
            limit_bytes=QUEUE_BYTES,
            wake=self._wake,
        )
        self._writer = Writer(around.store, view.id, self._told)
        self._filing = Filing(
            definition, around.room, self._writer, self._end, now_ns=around.now_ns
        )

    @property
    def id(self) -> str:
        """The id that identifies it."""
        return self._view.id

    @property
    def waiting(self) -> bool:
        """Whether it waits for its trigger."""
        return self._view.state is CaptureState.WAITING and self._ending is None

    @property
    def keeps(self) -> bool:
        """Whether it waits and keeps packets in memory."""
        return self.waiting and self._definition.keeps

    @property
    def _failed(self) -> bool:
        return self._ending is not None and self._ending[0] is StopReason.STORAGE

    def view(self) -> CaptureView:
        """Return what it is now."""
        filing = self._filing
        # What the writer was given is lost when it can no longer be written.
        unwritten = filing.made - filing.written if self._saving else 0
        return replace(
            self._view,
            interfaces=filing.interfaces,
            packets=filing.written,
            lost=filing.lost + self._wasted + unwritten,
            unwritten=filing.unwritten + self._wasted + unwritten,
            deleted_files=filing.deleted,
            files=filing.views,
        )

    # Its life

    async def begin(self) -> None:
        """Begin to wait or to write; the index, and the first file, are on the disk then.

        Raises:
            StorageFailed: The disk does not take them; nothing is left of the capture.
        """
        if self.waiting:
            self._writer.give(Save(self.view()))
        else:
            self._filing.begin()
        try:
            await asyncio.wait_for(self._begun, END_PATIENCE)
        except OSError as error:  # or that it took too long
            self._abandon()
            reason = error.strerror or SILENT
            raise StorageFailed(
                f"The capture was not started: its file could not be written ({reason})."
            ) from error
        self._around.events.publish(EventType.CAPTURE_STARTED, self.view())
        if self.waiting:
            self._watch()
        else:
            self._run()

    def trigger(self) -> None:
        """Begin to write if it waits; do nothing if it writes."""
        if self.waiting:
            self._release(self._around.now_ns())

    async def stop(
        self,
        reason: StopReason = StopReason.REQUEST,
        detail: str = "",
        *,
        patience: float | None = None,
    ) -> CaptureView:
        """End it, and return its last view when its files are complete. Idempotent.

        Args:
            reason: Why.
            detail: The same as a sentence; empty for the usual one.
            patience: Seconds after which a disk that does not answer is given up; None for the
                usual time.
        """
        self._end(reason, detail)
        if patience is not None:
            self._timetable.after(patience / 2, self._cut_short)
            try:
                await asyncio.wait_for(self._over.wait(), patience)
            except TimeoutError:
                self._give_up()
        else:
            await self._over.wait()
        return self.view()

    async def closed(self) -> None:
        """Return when nothing more of it is written, also if the disk was given up."""
        await self._writer.closed.wait()

    def _abandon(self) -> None:
        """Forget that it was begun; nothing of it is told. Idempotent."""
        if self._over.is_set():
            return
        self._ending = (StopReason.STORAGE, STUCK)
        self._over.set()
        self._around.room.give(self._filing.kept)
        self._writer.abandon()

    def _watch(self) -> None:
        """Wait for the trigger."""
        if self._definition.keeps:
            self._gather()
        self._waiting = Waiting(
            self._view,
            self._around,
            filter=self._trigger_filter,
            wake=self._wake,
            come=self.trigger,
        )

    def _release(self, now_ns: int, match: Match | None = None) -> None:
        """Begin to write: first what came in the seconds before this time."""
        trigger, waiting = self._definition.trigger, self._waiting
        assert trigger is not None
        assert waiting is not None
        self._view = replace(self._view, state=CaptureState.RUNNING, triggered_ns=now_ns)
        self._waiting = None
        self._earlier = waiting.end(now_ns)
        while gathered := self._gathering.take(TURN):
            self._earlier += waiting.rest(now_ns, match, _entries(gathered))
        self._filing.begin()
        self._account(now=True)  # a service that is killed still knows when it was triggered
        self._around.events.publish(EventType.CAPTURE_TRIGGERED, self.view())
        if trigger.after is not None:
            self._end_after(trigger.after, now_ns)
        self._run()

    def _run(self) -> None:
        if self._ending is not None:
            return
        seconds = self._definition.stop.seconds
        if seconds is not None:
            self._end_after(seconds, self._around.now_ns())
        every = self._definition.rotate.seconds
        if every is not None:
            self._timetable.every(every, self._filing.rotate)
        self._gather()
        self._wake()

    def _end_after(self, seconds: float, since_ns: int) -> None:
        """End it so many seconds after a time, which packets of a later time do before."""
        until_ns = since_ns + int(seconds * NS_PER_SECOND)
        self._until_ns = until_ns if self._until_ns is None else min(self._until_ns, until_ns)
        self._timetable.after(seconds, lambda: self._end(StopReason.SECONDS))

    def _gather(self) -> None:
        if self._ending is None:
            self._gathering.begin()

    def _end(self, reason: StopReason, detail: str = "") -> None:
        """Begin to end it; packets that wait are still written, if they are wanted."""
        if self._filing.sated or self.waiting:
            self._forgo()
        if self._ending is not None:
            return
        self._ending = (reason, detail or SENTENCES[reason])
        self._let_go()
        self._timetable.after(LAST_PATIENCE, self._cut_short)
        self._timetable.after(END_PATIENCE, self._give_up)
        self._wake()

    def _cut_short(self) -> None:
        """Write no more of what waits; the file says how much was lost."""
        if self._drained or self._over.is_set():
            return
        for source, burst, losses in self._earlier:
            rest = Loss(burst.count, burst.sequence, burst.last, burst.injected, Cause.ENDED)
            self._filing.lose(source, [*losses, rest])
        self._earlier.clear()
        self._gathering.abandon()
        self._wake()

    def _fail(self, error: OSError, number: int | None) -> None:
        """End it because of the disk; what waits is lost, and a file that was cut says so."""
        if self._failed:
            return
        reason = error.strerror or error
        self._ending = (StopReason.STORAGE, f"Its files could not be written: {reason}.")
        self._let_go()
        self._timetable.after(END_PATIENCE, self._give_up)
        wasted = self._waste()
        self._drained = True
        self._filing.fail(number, wasted)

    def _let_go(self) -> None:
        """Wait for nothing more but the packets that are there."""
        if self._waiting is not None:
            self._waiting.end()
        self._timetable.clear()
        self._gathering.end()

    def _forgo(self) -> None:
        """Drop packets that wait and are not wanted."""
        self._earlier.clear()
        self._gathering.end(satisfied=True)
        while self._gathering.take(TURN):
            pass
        self._gathering.losses()

    def _waste(self) -> Counter[str]:
        """Count packets that wait as lost; return their numbers by session."""
        wasted: Counter[str] = Counter()
        for source, burst, losses in self._earlier:
            wasted[source.session] += burst.count + sum(loss.count for loss in losses)
        self._earlier.clear()
        self._gathering.close()
        for source, losses in self._gathering.losses():
            wasted[source.session] += sum(loss.count for loss in losses)
        self._wasted += wasted.total()
        return wasted

    def _complete(self) -> None:
        """Complete the last file, now that nothing waits."""
        self._drained = True
        for source, losses in self._gathering.losses():
            self._filing.lose(source, losses)
        self._gathering.close()
        if self._filing.open is not None:
            self._filing.end()
        self._settle()

    def _settle(self) -> None:
        """Write the index for the last time when everything else has been written."""
        done = self._drained and self._filing.open is None and not self._writer.waiting_steps
        if done and not self._saving:
            self._save_last()

    def _save_last(self) -> None:
        assert self._ending is not None
        self._saving = True
        reason, detail = self._ending
        self._view = replace(
            self._view,
            state=CaptureState.FAILED if self._failed else CaptureState.STOPPED,
            reason=reason,
            detail=detail,
            ended_ns=self._around.now_ns(),
        )
        self._writer.give(Save(self.view()))

    def _give_up(self) -> None:
        """End it although the disk has not answered."""
        if self._over.is_set():
            return
        number = None if self._failed else self._filing.unfinished
        self._ending = (StopReason.STORAGE, STUCK)
        self._filing.fail(number, self._waste())  # it is mended if the disk answers later
        self._writer.abandon()
        if not self._saving:
            self._save_last()
        self._be_over(saved=False)

    def _be_over(self, *, saved: bool) -> None:
        """Tell that it has ended."""
        if self._over.is_set():
            return
        self._over.set()
        self._timetable.clear()
        self._writer.close()
        view = self.view()
        self._filing.release()
        failed = view.state is CaptureState.FAILED
        if failed:
            logger.error("The capture %s (%s) failed. %s", view.id, _name(view), view.detail)
        kind = EventType.CAPTURE_FAILED if failed else EventType.CAPTURE_STOPPED
        self._tell_over(self, saved)
        self._around.events.publish(kind, view)

    # Packets

    def _wake(self) -> None:
        if self._pumping is None and not self._over.is_set():
            self._pumping = asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Take what waits while the writer has room; it wakes this again when it has."""
        self._pumping = None
        if self._over.is_set() or self._drained or self._writer.full:
            return
        match = None if self._waiting is None else self._waiting.look()
        if match is not None:
            self._release(match.time_ns, match)
        more = self._take_earlier() or self._take_gathered()
        self._filing.flush()
        if more:
            self._wake()
        elif self._ending is not None:
            self._complete()

    def _take_earlier(self) -> bool:
        """Write what came before the trigger; return whether there was something."""
        size = 0
        while self._earlier and size < TURN:
            source, burst, losses = self._earlier.popleft()
            size += burst.size
            self._add(source, burst, losses)
        return size > 0

    def _take_gathered(self) -> bool:
        taken = self._gathering.take(TURN)
        for one in taken:
            self._take(one)
        return bool(taken)

    def _take(self, gathered: Gathered) -> None:
        source, waiting = gathered.source, self._waiting
        for _, burst, losses in _entries([gathered]):
            if waiting is not None:
                waiting.add(source, burst, losses)
            else:
                self._add(source, burst, losses)
        if waiting is None:
            if not gathered.bursts:
                self._filing.lose(source, gathered.losses)
            if gathered.ended:
                self._filing.end_of(source)

    def _add(self, source: Source, burst: Burst, losses: Sequence[Loss]) -> None:
        """Write a burst, up to the time at which it ends."""
        until_ns = self._until_ns
        if until_ns is not None and burst.last_ns > until_ns:
            self._end(StopReason.SECONDS)
            part = burst.between(0, until_ns)
            if part is None:
                return
            burst = part
        self._filing.add(source, burst, losses)

    # What became of it

    def _told(self, outcome: Outcome) -> None:
        """Take note of what the writer has done."""
        if self._over.is_set():
            self._told_late(outcome)
            return
        step, error = outcome.step, outcome.error
        self._filing.note(outcome)
        if isinstance(step, Delete) and error is not None:
            if not outcome.skipped:
                logger.warning("A file of the capture %s cannot be deleted: %s", self.id, error)
            error = None
        if not self._begun.done():
            self._told_begun(step, error)
            return
        if error is not None and not self._saving:
            cut = step.number if isinstance(step, Blocks) else None
            self._fail(error, self._filing.open if isinstance(step, Save) else cut)
        elif isinstance(step, End) and self._ending is None:
            self._account()
        if isinstance(step, Save) and self._saving:
            self._be_over(saved=error is None)
            return
        self._settle()
        self._wake()

    def _told_late(self, outcome: Outcome) -> None:
        """Correct what it is: the disk has answered after it was given up."""
        if self._saving:
            before = self.view()
            self._filing.note(outcome)
            self._around.room.take(self.view().bytes - before.bytes)
            self._tell_over(self, False)

    def _account(self, *, now: bool = False) -> None:
        """Write the index as the disk is; at most once in `ACCOUNT_EVERY` seconds."""
        time = self._around.clock.time()
        if now or time >= self._account_at:
            self._account_at = time + ACCOUNT_EVERY
            self._writer.give(Save(self.view()))

    def _told_begun(self, step: Step, error: OSError | None) -> None:
        if error is not None:
            self._begun.set_exception(error)
            self._abandon()
        elif isinstance(step, Begin):  # its first file
            self._writer.give(Save(self.view()))
        elif isinstance(step, Save):
            self._begun.set_result(None)


def _entries(gathered: Iterable[Gathered]) -> Iterable[Entry]:
    """Return the bursts, each with what was lost before it."""
    for one in gathered:
        losses = one.losses
        for burst in one.bursts:
            yield one.source, burst, losses
            losses = ()


def _name(view: CaptureView) -> str:
    return repr(view.definition.name)
