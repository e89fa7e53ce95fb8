"""The event log."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from wintun_api.api.impairment_views import impairment_of, plan_of
from wintun_api.choices import EventType
from wintun_api.hub.events import ITEM_SIZE, QUEUE_SIZE, EventLog
from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.impairment import ImpairmentStep, ImpairmentView, RuleView
from wintun_api.hub.impairment.parameters import Plan
from wintun_api.schemas.impairment import MAX_STEPS, ImpairmentSet
from wintun_api.schemas.model import EXAMPLE_GUID


def numbers(log: EventLog, since: int | None) -> tuple[list[int], bool]:
    """Subscribe, take what is queued, and say whether it resumed."""

    async def take() -> tuple[list[int], bool]:
        subscription, resumed = log.subscribe(since)
        subscription.close()
        return [event.id for event in await subscription.next()], resumed

    return asyncio.run(take())


def filled(count: int, history: int = 10) -> EventLog:
    """A log to which some events were published."""
    log = EventLog(history=history)
    for number in range(count):
        log.publish(EventType.DRIVER_LOG, number)
    return log


@dataclass(frozen=True, slots=True)
class Line:
    """A value with a number and a text, as the driver's log lines are."""

    level: int
    text: str


def test_resume_without_a_gap() -> None:
    """What came after `since` is there, as long as the history reaches back."""
    log = filled(20)
    assert numbers(log, 15) == ([16, 17, 18, 19, 20], True)
    assert numbers(log, 20) == ([], True)
    assert numbers(log, 10) == (list(range(11, 21)), True)


def test_a_history_longer_than_a_queue() -> None:
    """A reader that resumes gets all that is kept, even if the queue of others is shorter."""
    log = EventLog(history=10, queue_limit=3)
    for number in range(20):
        log.publish(EventType.DRIVER_LOG, number)
    assert numbers(log, log.oldest_id - 1) == (list(range(11, 21)), True)


def test_the_oldest_event() -> None:
    """The log names the oldest event that it has, and the next one while it has none."""
    assert [filled(count).oldest_id for count in (0, 3, 20)] == [1, 1, 11]


def test_no_resume_over_a_gap() -> None:
    """Too old, too new or no id at all: the reader needs a snapshot."""
    log = filled(20)
    for since in (None, 9, 0, 21, -5):
        assert numbers(log, since) == ([], False)
    assert numbers(filled(0), 0) == ([], True)


def test_a_slow_reader_loses_the_oldest() -> None:
    """A subscription is bounded and counts what it dropped."""

    async def read() -> None:
        log = EventLog(history=1000, queue_limit=3)
        subscription, _ = log.subscribe()
        for number in range(5):
            log.publish(EventType.DRIVER_LOG, number)
        assert [event.data for event in await subscription.next()] == [2, 3, 4]
        assert subscription.take_missed() == 2
        assert subscription.take_missed() == 0

    asyncio.run(read())


def test_close_ends_readers() -> None:
    """A waiting reader sees the end."""

    async def read() -> None:
        log = EventLog(history=1000)
        subscription, _ = log.subscribe()
        waiting = asyncio.ensure_future(subscription.next())
        await asyncio.sleep(0)
        log.close()
        assert await waiting == []

    asyncio.run(read())


def test_the_queue_is_bounded_in_bytes() -> None:
    """Long texts push the oldest events out, counted as missed, from queue and history alike."""
    log = EventLog(history=1000, queue_limit=1000)
    slow, _ = log.subscribe()
    line = Line(0, "x" * (QUEUE_SIZE // 10))
    for _ in range(25):
        log.publish(EventType.DRIVER_LOG, line)
    kept = asyncio.run(slow.next())
    assert 5 < len(kept) < 10
    assert [event.id for event in kept] == list(range(26 - len(kept), 26))
    assert slow.take_missed() == 25 - len(kept)
    assert log.subscribe(since=1)[1] is False
    assert log.subscribe(since=24)[1] is True


def test_an_event_larger_than_the_bound_is_kept_alone() -> None:
    """A reader still gets the newest event, and what follows it."""
    log = EventLog(history=1000)
    slow, _ = log.subscribe()
    log.publish(EventType.DRIVER_LOG, Line(0, "x"))
    log.publish(EventType.DRIVER_LOG, Line(0, "x" * (2 * QUEUE_SIZE)))
    assert [event.id for event in asyncio.run(slow.next())] == [2]
    assert slow.take_missed() == 1
    log.publish(EventType.DRIVER_LOG, Line(0, "x"))
    assert [event.id for event in asyncio.run(slow.next())] == [3]


def test_long_lists_count() -> None:
    """Adapters with thousands of routes fill the history by their lists, not by their number."""

    @dataclass(frozen=True, slots=True)
    class Lists:
        routes: tuple[int, ...]

    log = EventLog(history=1000)
    for _ in range(1000):
        log.publish(EventType.ADAPTER_CHANGED, Lists(tuple(range(1000))))
    kept, resumed = numbers(log, 999)
    assert (kept, resumed) == ([1000], True)
    assert numbers(log, 1000 - QUEUE_SIZE // (1000 * ITEM_SIZE) - 1) == ([], False)


def test_a_plan_is_as_large_as_it_says() -> None:
    """Steps with every member, all of them different: the bound holds in memory and as JSON."""

    def state(number: int) -> dict[str, Any]:
        part = number / 1000 + 0.0001234567
        return {
            **dict.fromkeys(("delay_ms", "jitter_ms"), 100 * part + 1),
            "distribution": "paretonormal",
            "gilbert_elliott": {"p": part * 0.9, "r": part * 0.8, "h": part * 0.7, "k": part},
            **{
                f"{name}{more}": part * 0.1 * place
                for place, name in enumerate(("duplicate", "corrupt", "reorder"), 1)
                for more in ("", "_correlation")
            },
            "delay_correlation": part * 0.6,
            **dict.fromkeys(("reorder_gap", "overhead_bytes", "max_size"), 300 + number),
            **dict.fromkeys(("rate_bps", "burst_bytes", "limit_packets"), 100_000 + number),
            "limit_bytes": 100_000_000 + number,
            "too_big_reply": True,
        }

    def asked() -> Plan:
        steps = [
            {"at": 0.01 * n, "received": state(n), "injected": state(n + MAX_STEPS)}
            for n in range(MAX_STEPS)
        ]
        return plan_of(ImpairmentSet.model_validate({"seed": 7, "scenario": {"steps": steps}}))

    asked()
    tracemalloc.start()
    try:
        plan = asked()
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    view = ImpairmentView(
        session="5f0c9d1e2b3a",
        adapter=UUID(EXAMPLE_GUID),
        plan=plan,
        set_ns=1,
        rules=tuple(map(RuleView.of, plan.rules)),
        received=Accounts(),
        injected=Accounts(),
    )
    written = len(impairment_of(view).model_dump_json())
    assert plan.memory / 4 < used < plan.memory
    assert plan.memory / 4 < written < plan.memory
    log = EventLog(history=1000)
    slow, _ = log.subscribe()
    for _ in range(100):
        log.publish(EventType.IMPAIRMENT_SET, view)
    most = QUEUE_SIZE // plan.memory
    assert len(asyncio.run(slow.next())) <= most
    assert numbers(log, 100 - most - 1) == ([], False)
    # A step tells nothing of the others, and does not keep them.
    step = ImpairmentStep(
        session=view.session, adapter=view.adapter, count=1, changed=(0,), rules=view.rules
    )
    assert log.publish(EventType.IMPAIRMENT_STEP, step).size < QUEUE_SIZE / 1000


def test_a_value_that_knows_its_memory_counts_as_that() -> None:
    """Plans of impairments have steps of rules of directions, and say how large all of it is."""

    @dataclass(frozen=True, slots=True)
    class Deep:
        memory: int = QUEUE_SIZE // 4

    @dataclass(frozen=True, slots=True)
    class Holder:
        deep: Deep

    log = EventLog(history=1000)
    for _ in range(100):
        log.publish(EventType.IMPAIRMENT_SET, Holder(Deep()))
    assert numbers(log, 97) == ([98, 99, 100], True)
    assert numbers(log, 95) == ([], False)
