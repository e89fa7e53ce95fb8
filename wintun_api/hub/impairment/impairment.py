"""Impair one session: both directions, from a plan that can be replaced while packets flow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from wintun_api.choices import EventType
from wintun_api.errors import ImpairmentNotFound
from wintun_api.hub.burst import Burst
from wintun_api.hub.burst_limit import BurstLimit, OnPackets
from wintun_api.hub.fanout import Fanout
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.before import Before
from wintun_api.hub.impairment.direction import Direction
from wintun_api.hub.impairment.marking import Marking
from wintun_api.hub.impairment.parameters import (
    STATE_SIZE,
    Match,
    Parameters,
    Plan,
    Rule,
)
from wintun_api.hub.impairment.player import Player
from wintun_api.hub.impairment.reports import ImpairmentLoss, ImpairmentQueue, Reports
from wintun_api.hub.impairment.scenario import Progress
from wintun_api.hub.marks import comments_of
from wintun_api.hub.pace import Pace
from wintun_api.hub.stamping import OnStamped
from wintun_api.packet.block import measured
from wintun_api.packet.stamps import Stamps

# How long an answer waits for packets that leave because an impairment was changed or removed.
SETTLING: Final = 1.0  # seconds
# So many reports of steps are published in a second; of more, the newest stands for all.
MOST_STEPS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleView:
    """Describe what a rule does at one moment, without the steps that it may have.

    Attributes:
        steps: How many steps its scenario has; 0 without one.
        loop: Whether the scenario begins again at its end.
    """

    received: Parameters | None
    injected: Parameters | None
    progress: Progress | None = None
    match: Match | None = None
    preset: str | None = None
    steps: int = 0
    loop: bool = False

    @classmethod
    def of(
        cls,
        rule: Rule,
        now: tuple[Parameters | None, Parameters | None] | None = None,
        progress: Progress | None = None,
    ) -> RuleView:
        """Return the view of a rule whose scenario does this now; None for one without any."""
        received, injected = (rule.received, rule.injected) if now is None else now
        scenario = rule.scenario
        return cls(
            received=received,
            injected=injected,
            progress=progress,
            match=rule.match,
            preset=rule.preset,
            steps=0 if scenario is None else len(scenario.steps),
            loop=scenario is not None and scenario.loop,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpairmentView:
    """Describe the impairment of a session at one moment.

    Attributes:
        rules: What each rule of the plan does now, in the order of `plan.rules`.
    """

    session: str
    adapter: UUID
    plan: Plan
    set_ns: int
    rules: tuple[RuleView, ...]
    received: Accounts
    injected: Accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpairmentStep:
    """Describe how far scenarios of a session are. It does not keep their steps in memory.

    Attributes:
        count: For how many steps this one report stands.
        changed: The indices of the rules whose scenarios got further.
        rules: What each rule does now.
    """

    session: str
    adapter: UUID
    count: int
    changed: tuple[int, ...]
    rules: tuple[RuleView, ...]

    @property
    def memory(self) -> int:
        """Approximate bytes of memory that it uses, for the bounds of queues that keep it."""
        return STATE_SIZE * len(self.rules)


class Impairment:
    """Stand in the way of a session's packets. Event loop thread only.

    It lives as long as the session, and its accounts with it. Packets pass through it only while it
    is `on`: while there is a plan, or a client watches what comes before it.

    Each step of a scenario is published, but no more than `MOST_STEPS` in a second. Those beyond
    are counted and told together when it is time, with the state that holds then, so that the
    newest state is always told. What is still to be told when a plan is replaced or removed is left
    out: the event that reports this has the state.

    Args:
        session: The id of the session.
        adapter: The GUID of its adapter.
        limit: How many packets leave at a time.
        fanout: Has those who watch what comes before.
        deliver: Takes packets for the application; also when they were read, if that is known.
        give: Takes packets for the host.
        publish: Publishes an event.
        switch: Called when `on` may have changed by itself.
    """

    def __init__(
        self,
        session: str,
        adapter: UUID,
        *,
        limit: BurstLimit,
        fanout: Fanout,
        deliver: OnStamped,
        give: OnPackets,
        publish: Callable[[EventType, Any], object],
        switch: Callable[[], None],
    ) -> None:
        self._session = session
        self._adapter = adapter
        self._fanout = fanout
        self._deliver = deliver
        self._publish = publish
        self._switch = switch
        self._empty = asyncio.Event()  # nothing is being released
        self._empty.set()
        self._plan: Plan | None = None
        self._player: Player | None = None
        self._set_ns = 0
        self._marks = False
        self._reports = Reports(session, adapter, self._lost, self._nearly_full)
        self._pace = Pace(self._tell_steps, asyncio.get_running_loop(), most=MOST_STEPS)
        self._changed: set[int] = set()  # rules with steps that have not been told
        self._untold = 0
        look = self._reports.look
        self.before = Before(fanout)
        self.received = Direction(
            injected=False,
            limit=limit,
            leave=deliver,
            reply=give,
            looked=look,
            released=self._released,
        )
        self.injected = Direction(
            injected=True,
            limit=limit,
            leave=give,
            reply=deliver,
            looked=look,
            released=self._released,
        )
        self._reports.watch(self.received, self.injected)

    @property
    def impairs(self) -> bool:
        """Whether there is a plan."""
        return self._plan is not None

    @property
    def on(self) -> bool:
        """Whether packets have to pass through it."""
        return self._plan is not None or self.releasing or self._fanout.watched_before

    @property
    def releasing(self) -> bool:
        """Whether packets still leave that were delayed when a plan was replaced or removed."""
        return self.received.releasing or self.injected.releasing

    async def settled(self, view: ImpairmentView) -> ImpairmentView:
        """Wait a while until what was released has left; return the view with the accounts then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), SETTLING)
        return replace(
            view,
            received=self.received.accounts.copy(),
            injected=self.injected.accounts.copy(),
        )

    def set(self, plan: Plan) -> ImpairmentView:
        """Follow a plan from now on, instead of what was set before."""
        self._release()
        self._plan, self._set_ns = plan, time.time_ns()
        self.received.follow(plan)
        self.injected.follow(plan)
        self._player = Player(plan, self._change, self._stepped)
        view = self.view()
        self._publish(EventType.IMPAIRMENT_SET, view)
        return view

    def remove(self) -> ImpairmentView:
        """Impair the session no more, and return what was done to it.

        Raises:
            ImpairmentNotFound: There is no plan.
        """
        if self._plan is None:
            raise ImpairmentNotFound(self._session)
        self._release()
        view = self.view()
        self._plan = self._player = None
        self.received.follow(None)
        self.injected.follow(None)
        self._reports.tell()
        self._publish(EventType.IMPAIRMENT_REMOVED, view)
        return view

    def view(self) -> ImpairmentView:
        """Return what it does now and what it did.

        Raises:
            ImpairmentNotFound: There is no plan.
        """
        plan = self._plan
        if plan is None:
            raise ImpairmentNotFound(self._session)
        return ImpairmentView(
            session=self._session,
            adapter=self._adapter,
            plan=plan,
            set_ns=self._set_ns,
            rules=tuple(self._rule_view(plan, index) for index in range(len(plan.rules))),
            received=self.received.accounts.copy(),
            injected=self.injected.accounts.copy(),
        )

    def accounts(self) -> dict[str, Accounts]:
        """Return what happened in each direction; nothing if it has never had a plan."""
        if not self._set_ns:
            return {}
        return {"received": self.received.accounts, "injected": self.injected.accounts}

    def mark(self, *, on: bool) -> None:
        """Mark packets with what happens to them, because a reader wants to know it. Idempotent."""
        if on is self._marks:
            return
        self._marks = on
        for direction in (self.received, self.injected):
            show = partial(self._show, injected=direction.injected)
            direction.mark(Marking(show) if on else None)

    def receive(
        self,
        packets: Sequence[bytes],
        lengths: Sequence[int],
        size: int,
        stamps: Stamps | None = None,
    ) -> None:
        """Take packets from the host, and deliver those that leave at once.

        Those that a plan lets through have the time at which it does so, whenever they were read.
        """
        self.before.publish(packets, lengths, size, stamps, injected=False)
        if self._plan is None and not self.received.releasing:
            self._deliver(packets, lengths, size, stamps)
            return
        packets = self.received.offer(packets, size)
        lengths, size = measured(packets)
        if packets:
            self._deliver(packets, lengths, size)

    def inject(self, packets: Sequence[bytes], lengths: Sequence[int]) -> Sequence[bytes]:
        """Take packets from a client, and return those that leave at once."""
        size = measured(packets)[1]
        self.before.publish(packets, lengths, size, injected=True)
        if self._plan is None and not self.injected.releasing:
            return packets
        return self.injected.offer(packets, size)

    def pause(self) -> None:
        """Keep what is delayed for the application, which does not keep up. Idempotent."""
        self.received.pause()

    def resume(self) -> None:
        """Deliver again what is due. Idempotent."""
        self.received.resume()

    def finish(self, give: Callable[[Sequence[bytes]], int]) -> None:
        """Let everything leave now and without delay from now on, because the session ends.

        Args:
            give: Gives packets to the host, and returns how many it took.
        """
        self._forget_steps()
        if self._player is not None:
            self._player.stop()
        self.injected.end(give)
        self.received.end()
        self._empty.set()

    def over(self) -> None:
        """End with the session: there is no plan any more. Idempotent."""
        if self._plan is not None:
            self.remove()

    def _show(self, packets: Sequence[bytes], *, injected: bool) -> None:
        """Show packets that are not delivered to those who want to know it."""
        burst = Burst(
            packets,
            *measured(packets),
            0,  # they have no numbers
            time.time_ns(),
            injected=injected,
            comments=comments_of(packets),
        )
        self._fanout.show(burst)

    def _release(self) -> None:
        """End the present plan, and let what it delays leave as it says."""
        self._forget_steps()
        if self._player is not None:
            self._player.stop()
        if self._plan is not None:
            self.injected.release(self._plan.on_change)
            self.received.release(self._plan.on_change)
            if self.releasing:
                self._empty.clear()
            self._reports.look()

    def _released(self) -> None:
        if not self.releasing:
            self._empty.set()
            self._switch()

    def _rule_view(self, plan: Plan, index: int) -> RuleView:
        rule, player = plan.rules[index], self._player
        if player is None:
            return RuleView.of(rule)
        return RuleView.of(rule, player.now(index), player.elapsed(index))

    # What the player and the reports tell

    def _change(self, rule: int, received: Parameters | None, injected: Parameters | None) -> None:
        self.received.change(rule, received)
        self.injected.change(rule, injected)

    def _stepped(self, rules: Sequence[int]) -> None:
        self._changed.update(rules)
        self._untold += 1
        self._tell_steps()

    def _tell_steps(self) -> None:
        plan, player = self._plan, self._player
        if plan is None or player is None or not self._changed or not self._pace.may():
            return
        step = ImpairmentStep(
            session=self._session,
            adapter=self._adapter,
            count=self._untold,
            changed=tuple(sorted(self._changed)),
            # As it was played, so that each step is told also where the loop was busy.
            rules=tuple(
                RuleView.of(rule, player.now(index), player.progress.get(index))
                for index, rule in enumerate(plan.rules)
            ),
        )
        self._forget_steps()
        self._publish(EventType.IMPAIRMENT_STEP, step)

    def _forget_steps(self) -> None:
        self._pace.stop()
        self._changed.clear()
        self._untold = 0

    def _lost(self, loss: ImpairmentLoss) -> None:
        self._publish(EventType.IMPAIRMENT_LOSS, loss)

    def _nearly_full(self, queue: ImpairmentQueue) -> None:
        self._publish(EventType.IMPAIRMENT_NEARLY_FULL, queue)
