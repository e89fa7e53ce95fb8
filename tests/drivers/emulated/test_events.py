from __future__ import annotations

import threading
import time

import pytest

from tests.drivers.emulated.waiting import Noticed
from wintun_api.drivers.emulated.events import Events


@pytest.fixture
def events() -> Events:
    return Events(threading.RLock())


def test_automatic_event(events: Events) -> None:
    """An auto-reset event lets one wait through, however often it was set."""
    event, other = events.create(manual_reset=False), events.create(manual_reset=True)
    events.set(event)
    events.set(event)
    events.set(other)
    assert events.wait([event, other]) == 0
    assert events.wait([event, other]) == 1


def test_manual_event(events: Events) -> None:
    """A manual-reset event stays set, and the first of several counts."""
    event = events.create(manual_reset=True)
    events.set(event)
    assert [events.wait([event]) for _ in range(3)] == [0, 0, 0]


def test_wakes_a_waiter(events: Events) -> None:
    """A waiter in another thread is woken; the one for another event sleeps on."""
    event, other = events.create(manual_reset=False), events.create(manual_reset=False)
    woken: list[int] = []
    threads = [
        threading.Thread(target=lambda handle=handle: woken.append(events.wait([handle]) + handle))
        for handle in (event, other)
    ]
    for thread in threads:
        thread.start()
    events.set(event)
    threads[0].join(30)
    assert woken == [event]
    events.set(other)
    threads[1].join(30)
    assert woken == [event, other]


def test_handles_are_not_used_again(events: Events) -> None:
    """A closed handle is unknown for ever."""
    event = events.create(manual_reset=True)
    assert not events.close(event)
    assert events.create(manual_reset=True) != event
    for call in (events.set, events.close, lambda handle: events.wait([handle])):
        with pytest.raises(KeyError):
            call(event)


def test_closed_under_a_waiter(events: Events) -> None:
    """Closing says whether somebody was waiting, who then fails instead of hanging."""
    event = events.create(manual_reset=False)
    failures: list[KeyError] = []

    def wait() -> None:
        try:
            events.wait([event])
        except KeyError as error:
            failures.append(error)

    thread = threading.Thread(target=wait)
    waiting = events.sources[event] = Noticed()
    thread.start()
    assert waiting.noticed.wait(30)
    assert events.close(event)
    thread.join(30)
    assert len(failures) == 1


def test_sources(events: Events) -> None:
    """What is due happens during the wait, at its time."""
    event = events.create(manual_reset=False)
    start = time.monotonic()

    class Later:
        def due(self) -> float:
            return start + 0.03

        def run(self, now: float) -> None:
            if now >= self.due():
                events.set(event)

    events.sources[event] = Later()
    assert events.wait([event]) == 0
    assert 0.025 < time.monotonic() - start < 30
