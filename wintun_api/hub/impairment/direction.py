"""Carry the packets of one direction through an impairment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from operator import is_
from typing import Final

from wintun_api.choices import OnChange
from wintun_api.hub.alarm import Alarm
from wintun_api.hub.burst_limit import BurstLimit, OnPackets
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.lane import Lane
from wintun_api.hub.impairment.marking import Marking
from wintun_api.hub.impairment.match import Matcher, matcher
from wintun_api.hub.impairment.parameters import Parameters, Plan, Rule
from wintun_api.hub.impairment.too_big import Replies
from wintun_api.hub.impairment.waiting import Waiting
from wintun_api.hub.marks import REPLY, Marked
from wintun_api.hub.pace import INTERVAL
from wintun_api.packet.block import measured

# What a scenario does to a direction that it leaves alone for a while: no packet comes to wait, and
# what was delayed before is not near any limit.
NOTHING: Final = Parameters(limit_packets=sys.maxsize, limit_bytes=sys.maxsize)
SLICE: Final = 5_000_000  # nanoseconds for which packets leave before others have their turn
NEARLY: Final = 0.8  # of a limit


class Track:
    """Hold the lane of a rule in one direction, and whether its limit is nearly reached."""

    __slots__ = ("_silent_until", "_warned", "lane", "rule")

    def __init__(self, rule: int, lane: Lane) -> None:
        self.rule = rule
        self.lane = lane
        self._warned = False
        self._silent_until = 0.0

    def warns(self, now: float) -> bool:
        """Return whether to tell that the limit is nearly reached.

        It is told once until half of what may wait has left, and at most once in `INTERVAL`.

        Args:
            now: The time of the event loop in seconds.
        """
        lane, limits = self.lane, self.lane.parameters
        if not (lane.waits_packets or self._warned):
            return False
        packets, size = lane.waits_packets, lane.waits_bytes
        share = max(packets / limits.limit_packets, size / limits.limit_bytes)
        if self._warned:
            self._warned = share > 1 / 2
            return False
        if share < NEARLY or now < self._silent_until:
            return False
        self._warned, self._silent_until = True, now + INTERVAL
        return True


class Direction:
    """Decide about the packets of one direction, and keep those that are delayed.

    Event loop thread only.

    Args:
        injected: Whether the packets come from the application.
        limit: How many packets leave at a time.
        leave: Takes packets whose delay is over: packets, their lengths and the bytes of all.
        reply: Takes an ICMP message for the sender of a packet that was too large.
        looked: Called after packets came or left, to tell what happened.
        released: Called when the last packet has left of those that `release` could not let leave
            at once.

    Attributes:
        accounts: What happened to its packets; it only grows.
        hurried: Whether packets that would be delayed leave at once, because the session ends.
        releasing: Whether packets still leave that `release` found; others queue behind them.
        tracks: The rules that do something, by index.
    """

    def __init__(
        self,
        *,
        injected: bool,
        limit: BurstLimit,
        leave: OnPackets,
        reply: OnPackets,
        looked: Callable[[], None],
        released: Callable[[], None],
    ) -> None:
        self.injected = injected
        self.accounts = Accounts()
        self.hurried = False
        self.releasing = False
        self.tracks: dict[int, Track] = {}
        self._marking: Marking | None = None
        self._rules: list[tuple[Matcher | None, Track | None]] = []
        self._limit = limit
        self._leave = leave
        self._reply = reply
        self._looked = looked
        self._released = released
        self._waiting = Waiting(self.accounts)
        self._replies = Replies(self.accounts)
        self._alarm = Alarm(self._due)
        self._paused = False

    def mark(self, marking: Marking | None) -> None:
        """Mark the packets that come from now on, or no packets."""
        self._marking = marking
        for track in self.tracks.values():
            track.lane.marking = marking

    def follow(self, plan: Plan | None) -> None:
        """Do what a plan says from now on; what waits must have been released before."""
        self.tracks = {}
        rules: list[tuple[Matcher | None, Track | None]] = []
        planned, seed = ((), 0) if plan is None else (plan.rules, plan.seed)
        for index, rule in enumerate(planned):
            track = None
            if _touches(rule, injected=self.injected):
                now = (rule.injected if self.injected else rule.received) or NOTHING
                lane = Lane(now, seed, index, self.injected, self.accounts)
                track = self.tracks[index] = Track(index, lane)
            match = matcher(rule.match)
            rules.append((match, track))
            if match is None:  # it matches all packets
                break
        while rules and rules[-1][1] is None:
            rules.pop()
        self._rules = rules
        self.mark(self._marking)

    def change(self, rule: int, parameters: Parameters | None) -> None:
        """Let a rule do something else from now on; what waits keeps its delay, not its rate."""
        track = self.tracks.get(rule)
        wanted = parameters or NOTHING
        if track is None or track.lane.parameters == wanted:
            return
        track.lane.change(wanted, time.perf_counter_ns(), self._waiting)
        if not self._paused:
            self._alarm.set(self._waiting.next_due)

    def offer(self, packets: Sequence[bytes], size: int) -> Sequence[bytes]:
        """Decide about packets, and return those that leave at once, in their order.

        The same object is returned if all of them do and none was changed, so that a burst in one
        piece is not split.
        """
        accounts, waiting = self.accounts, self._waiting
        tracks = self._tracks_of(packets)
        now_ns = time.perf_counter_ns()
        due = waiting.next_due
        # Those that were here before these come first; where they are many, these wait with them.
        behind = due is not None and due <= now_ns and self._let_due_go(now_ns)
        accounts.offered.add(len(packets), size)
        if tracks is None and not behind:
            accounts.delivered.add(len(packets), size)
            return packets
        marking = self._marking
        if marking is not None:
            packets = marking.came(packets, now_ns)
        replies = self._decide(packets, tracks or [None] * len(packets), now_ns)
        if self.hurried:
            passing = waiting.take_all()
        else:
            passing = [] if behind else waiting.take(now_ns)
            if not self._paused:
                self._alarm.set(waiting.next_due)
        accounts.delivered.add(len(passing), sum(map(len, passing)))
        if marking is not None:
            marking.leave(passing, now_ns)
            marking.show()
            replies = [Marked.of(reply, now_ns, REPLY) for reply in replies]
        for reply in replies:
            self._reply([reply], [len(reply)], len(reply))
        self._looked()
        if len(passing) == len(packets) and all(map(is_, passing, packets)):
            return packets
        return passing

    def pause(self) -> None:
        """Keep what is delayed, although it may be due, until `resume`. Idempotent."""
        if not self._paused:
            self._paused = True
            self._alarm.set(None)

    def resume(self) -> None:
        """Let packets leave again when they are due. Idempotent."""
        if self._paused:
            self._paused = False
            self._alarm.set(self._waiting.next_due)

    def release(self, on_change: OnChange) -> None:
        """Deliver what is delayed, in the order of its times, or drop it.

        With `DROP`, what an earlier release has not yet let leave is dropped too.
        It is delivered at once. Where that takes longer than `SLICE`, the event loop does other
        work in between, and what is left still counts as delayed.
        """
        if on_change is OnChange.DROP:
            packets = self._waiting.take_all()
            self._drop(packets)
            self._alarm.close()
            self._end_release()
            return
        now_ns = time.perf_counter_ns()
        self._waiting.hurry(now_ns)
        self.releasing = self._let_due_go(now_ns)
        if not self.releasing:
            self._alarm.close()
        elif not self._paused:
            self._alarm.set(now_ns)

    def end(self, give: Callable[[Sequence[bytes]], int] | None = None) -> None:
        """Let everything leave at once, because the session ends; drop what cannot.

        Args:
            give: Takes packets, and returns how many it took; without it, all are delivered.
        """
        packets = self._waiting.take_all()
        self._alarm.close()
        self.hurried, self.releasing = True, False
        if give is None:
            self._let_go(packets)
            return
        self._note_delays(packets)
        taken = give(packets) if packets else 0
        self.accounts.delivered.add(taken, sum(map(len, packets[:taken])))
        self._drop(packets[taken:])

    def _tracks_of(self, packets: Sequence[bytes]) -> list[Track | None] | None:
        """Return what the first rule that matches each packet does; None if none does anything."""
        rules = self._rules
        if not rules:
            return None
        match, track = rules[0]
        if match is None:
            return [track] * len(packets)
        tracks = [self._track_of(packet) for packet in packets]
        return tracks if any(tracks) else None

    def _track_of(self, packet: bytes) -> Track | None:
        for match, track in self._rules:
            if match is None or match(packet):
                return track
        return None

    def _decide(
        self, packets: Sequence[bytes], tracks: Sequence[Track | None], now_ns: int
    ) -> list[bytes]:
        """Let packets wait until they leave; return the replies to those that were too large."""
        waiting = self._waiting
        replies: list[bytes] = []
        for packet, track in zip(packets, tracks, strict=True):
            if track is None:
                waiting.push(now_ns, packet, None)
            elif track.lane.put(packet, now_ns, waiting):
                now = track.lane.parameters
                if now.too_big_reply and now.max_size is not None:
                    reply = self._replies.make(packet, now.max_size, now_ns)
                    if reply is not None:
                        replies.append(reply)
        return replies

    def _due(self) -> None:
        self._let_due_go(time.perf_counter_ns())
        if not self._paused:
            self._alarm.set(self._waiting.next_due)
        self._looked()

    def _let_due_go(self, now_ns: int) -> bool:
        """Let packets leave that are due, for about `SLICE`; return whether more of them wait."""
        waiting, clock = self._waiting, time.perf_counter_ns
        until = clock() + SLICE
        while (due := waiting.next_due) is not None and due <= now_ns:
            if self._paused or clock() >= until:
                return True
            self._let_go(waiting.take(now_ns, self._limit.packets))
        self._end_release()
        return False

    def _end_release(self) -> None:
        if self.releasing:
            self.releasing = False
            self._released()

    def _let_go(self, packets: Sequence[bytes]) -> None:
        """Count packets as delivered and pass them on, not more than `limit` at a time."""
        if not packets:
            return
        self._note_delays(packets)
        lengths, size = measured(packets)
        self.accounts.delivered.add(len(packets), size)
        for part in self._limit.parts(packets, lengths, size):
            self._leave(*part)

    def _drop(self, packets: Sequence[bytes]) -> None:
        """Count packets that waited and are not delivered."""
        self.accounts.dropped.add(len(packets), sum(map(len, packets)))
        marking = self._marking
        if marking is not None:
            for packet in packets:
                marking.lose(packet, "dropped")
            marking.show()

    def _note_delays(self, packets: Sequence[bytes]) -> None:
        if self._marking is not None:
            self._marking.leave(packets, time.perf_counter_ns())


def _touches(rule: Rule, *, injected: bool) -> bool:
    """Return whether a rule ever does anything to the packets of a direction."""
    if rule.scenario is None:
        states = [rule.injected if injected else rule.received]
    else:
        steps = rule.scenario.steps
        states = [
            state if isinstance(state, Parameters) else None
            for state in ((step.injected if injected else step.received) for step in steps)
        ]
    return any(map(_does_something, states))


def _does_something(parameters: Parameters | None) -> bool:
    if parameters is None:
        return False
    idle = Parameters(limit_packets=parameters.limit_packets, limit_bytes=parameters.limit_bytes)
    return parameters != idle
