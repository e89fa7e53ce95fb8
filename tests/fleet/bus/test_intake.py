"""Messages of a subscription: taken at once, or waiting within a bound, and counted to the byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.fleet.bus.intake import Intake
from wintun_api.fleet.bus.seam import Message

SIZES = st.integers(0, 40)


def message(number: int, size: int = 0) -> Message:
    """Return a message of this size, whose subject is a number."""
    return Message(str(number), bytes(size))


def test_a_message_is_taken_at_once() -> None:
    """A subscription that is not paused lets nothing wait, however large it is."""
    taken: list[Message] = []
    intake = Intake(taken.append, limit_bytes=10)
    intake.offer(message(0, 1000))
    assert len(taken) == 1
    assert (intake.waiting_bytes, intake.dropped_messages) == (0, 0)


@given(st.lists(st.one_of(SIZES, st.booleans())), st.integers(0, 100))
def test_each_message_is_taken_waits_or_is_counted(steps: list[int | bool], limit: int) -> None:
    """Whatever pauses and comes, taken, waiting and dropped are all, and in order."""
    taken: list[Message] = []
    intake = Intake(taken.append, limit_bytes=limit)
    offered: list[Message] = []
    for step in steps:
        if step is True:
            intake.pause()
        elif step is False:
            intake.resume()
        else:
            offered.append(message(len(offered), step))
            intake.offer(offered[-1])
        sizes = sum(len(one.data) for one in offered)
        assert intake.waiting_bytes <= limit
        assert sizes == (
            sum(len(one.data) for one in taken) + intake.waiting_bytes + intake.dropped_bytes
        )
    intake.resume()
    assert len(taken) + intake.dropped_messages == len(offered)
    numbers = [int(one.subject) for one in taken]
    assert numbers == sorted(set(numbers))


def test_pausing_while_messages_are_taken() -> None:
    """One who takes a message may pause: the next ones wait again, in their order."""
    taken: list[str] = []

    def take(one: Message) -> None:
        taken.append(one.subject)
        if one.subject in "13":
            intake.pause()

    intake = Intake(take, limit_bytes=1000)
    intake.pause()
    for number in range(5):
        intake.offer(message(number))
    for expected in ("01", "0123", "01234"):
        intake.resume()
        assert "".join(taken) == expected


def test_resuming_while_messages_are_taken() -> None:
    """A resume within a resume changes no order."""
    taken: list[str] = []

    def take(one: Message) -> None:
        intake.resume()
        taken.append(one.subject)

    intake = Intake(take, limit_bytes=1000)
    intake.pause()
    for number in range(4):
        intake.offer(message(number))
    intake.resume()
    assert taken == ["0", "1", "2", "3"]


def test_what_waits_at_the_end_is_dropped() -> None:
    """A closed subscription counts what it had not taken, and takes no more."""
    taken: list[Message] = []
    intake = Intake(taken.append, limit_bytes=1000)
    intake.pause()
    intake.offer(message(0, 7))
    intake.close()
    intake.close()
    intake.resume()
    intake.offer(message(1, 7))
    assert (taken, intake.waiting_bytes) == ([], 0)
    assert (intake.dropped_messages, intake.dropped_bytes) == (1, 7)


def test_one_who_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What is raised is logged, and the next message is taken."""
    taken: list[str] = []

    def take(one: Message) -> None:
        taken.append(one.subject)
        raise ValueError

    intake = Intake(take, limit_bytes=1000)
    intake.offer(message(0))
    intake.offer(message(1))
    assert taken == ["0", "1"]
    assert "A message of 0 could not be taken." in caplog.text
