"""hub.holding: what ends when no client came back, and what is left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from tests.hub.running import soon
from wintun_api.choices import Ends, EventType
from wintun_api.errors import DriverError
from wintun_api.hub import holds
from wintun_api.hub.events import EventLog
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.holding import Holding
from wintun_api.hub.holds import Hold
from wintun_api.hub.late import LateOutcomes
from wintun_api.hub.tasks import TaskSet


class Ended:
    """Keep what was to be ended, and fail as often as a test wants."""

    def __init__(self, failures: int = 0) -> None:
        self.holds: list[Hold] = []
        self.done = asyncio.Event()
        self._failures = failures

    async def end(self, hold: Hold) -> None:
        """Note it."""
        self.holds.append(hold)
        if self._failures:
            self._failures -= 1
            raise DriverError("DeleteAdapter", 5)
        self.done.set()


def holding(memory: HoldMemory, ended: Ended) -> tuple[Holding, EventLog]:
    """Return the room under test over an event log of its own."""
    events = EventLog(100)
    return Holding(memory, ended.end, LateOutcomes(events), events, TaskSet()), events


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass."""
    monkeypatch.setattr(holds, "RETURN", 0.0)
    monkeypatch.setattr(holds, "RETRIES", (0.0, 0.0))


def test_an_adapter_that_goes_in_the_moment_in_which_its_time_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is ended any more, and nothing fails."""

    async def body() -> None:
        memory, ended, lab = HoldMemory(None), Ended(), uuid4()
        await memory.add(lab, 0)
        room, _ = holding(memory, ended)
        assert room.begin_return()
        room.listed({lab})  # its timer is due in the next turn of the loop
        gone = asyncio.Event()

        def go() -> None:
            room.drop(lab)
            gone.set()

        asyncio.get_running_loop().call_later(0, go)
        await soon(gone.wait())
        for _ in range(5):
            await asyncio.sleep(0)
        assert ended.holds == []
        assert memory.held == {}

    asyncio.run(body())
    assert caplog.text == ""


def test_what_fails_is_told_and_tried_again(tmp_path: Path) -> None:
    """After the end the adapter is not on the disk any more."""

    async def body() -> None:
        path, lab = tmp_path / "holds.json", uuid4()
        await HoldMemory(path).add(lab, 0)
        memory, ended = HoldMemory(path), Ended(failures=2)
        room, events = holding(memory, ended)
        subscription, _ = events.subscribe()
        assert room.begin_return()
        room.listed({lab})
        await soon(ended.done.wait())
        assert [hold.adapter for hold in ended.holds] == [lab] * 3
        failures = [
            event.data.operation
            for event in await soon(subscription.next())
            if event.type is EventType.OPERATION_FAILED
        ]
        assert failures == ["delete_adapter"] * 2
        await asyncio.sleep(0)
        await room.settled()
        assert HoldMemory(path).held == {}

    asyncio.run(body())


def test_a_promise_that_is_not_kept_is_taken_back(tmp_path: Path) -> None:
    """What was on the disk before stays there."""

    async def body() -> None:
        path, lab, other = tmp_path / "holds.json", uuid4(), uuid4()
        await HoldMemory(path).add(other, 9)
        room, _ = holding(HoldMemory(path), Ended())
        for adapter in (lab, other):
            with pytest.raises(DriverError):
                async with room.promised(adapter, Ends.ADAPTER, 1):
                    assert adapter in HoldMemory(path).held
                    raise DriverError("StartSession", 8)
            assert HoldMemory(path).held == {other: 9}

    asyncio.run(body())
