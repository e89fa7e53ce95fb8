"""fleet.accounts: what is told of packets adds up, and what cannot be true is not taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from wintun_api.client.burst import Loss
from wintun_api.fleet.packets import accounts
from wintun_api.fleet.packets.accounts import (
    BEFORE,
    FAR,
    NEAR,
    OF_LOSS,
    Arrived,
    Cause,
    Feedback,
    Sent,
    Taken,
    feedback_of,
)
from wintun_api.schemas.control import ReaderLossCause


def test_every_cause_has_its_place() -> None:
    """Each cause completes one of the sums; only forged messages were sent by nobody."""
    assert {*BEFORE, *NEAR, *FAR, Cause.FORGED} == set(Cause)
    assert set(accounts.__doc__.split()) >= {str(cause) for cause in Cause}


def test_every_loss_of_a_stream_has_a_cause() -> None:
    """Whatever a packet stream tells as lost before the agent is counted."""
    assert set(OF_LOSS) == {*(str(cause) for cause in ReaderLossCause), "reconnect"}
    assert set(OF_LOSS.values()) == set(BEFORE)


def test_waiting() -> None:
    """What has no cause yet is waiting, on each side."""
    near = {Cause.BUS_OUT: 3, Cause.NO_ROUTE: 2}
    assert Taken(taken=20, numbered=10, causes=near).waiting == 5
    assert Sent("a", sent=10, delivered=4, causes={Cause.BUS: 1}).waiting == 5
    assert Arrived("a", False, sent=10, delivered=4, causes={Cause.BUS: 1}).waiting == 5


counts = st.integers(0, 1000)


@st.composite
def feedbacks(draw: st.DrawFn) -> Feedback:
    causes = {cause.value: draw(counts) for cause in FAR}
    delivered, waiting = draw(counts), draw(counts)
    base = draw(st.integers(0, 2**63))
    expected = base + delivered + waiting + sum(causes.values())
    return Feedback(base=base, expected=expected, delivered=delivered, **causes)


@given(feedbacks())
def test_feedback_comes_back(told: Feedback) -> None:
    """What one host tells, the other one reads."""
    data = told.encoded()
    assert len(data) <= accounts.MAX_FEEDBACK
    assert feedback_of(data) == told


def test_the_largest_feedback_fits() -> None:
    """The largest numbers need less than the bound."""
    largest = dict.fromkeys(Feedback.model_fields, 2**64 - 1)
    assert len(json.dumps(largest)) <= accounts.MAX_FEEDBACK


TRUE = {"base": 10, "expected": 20, "delivered": 5, "bus": 5}


@pytest.mark.parametrize(
    "change",
    [
        {"expected": 9},
        {"delivered": 6},
        {"unknown": 1},
        {"bus": -5},
        {"bus": 5.0},
        {"bus": "5"},
        {"bus": True},
        {"bus": None},
        {"expected": 2**64},
        {"base": 10**400},
    ],
    ids=str,
)
def test_what_cannot_be_true(change: dict[str, object]) -> None:
    """More packets than were counted, and what is no number of packets, is not taken."""
    assert feedback_of(json.dumps(TRUE).encode()) is not None
    assert feedback_of(json.dumps(TRUE | change).encode()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 500,
        b'{"base": 1}',
        json.dumps(TRUE).encode() + b" " * 1024,
    ],
    ids=["empty", "nothing", "list", "null", "bytes", "deep", "half", "long"],
)
def test_strangers(data: bytes) -> None:
    """Bytes that are no feedback are none."""
    assert feedback_of(data) is None


def test_a_later_version_may_tell_more() -> None:
    """What this version does not know is ignored."""
    assert feedback_of(json.dumps(TRUE | {"later": [1]}).encode()) == Feedback(**TRUE)


def test_own_mistakes_are_not_told() -> None:
    """A host cannot tell what does not add up."""
    with pytest.raises(ValidationError):
        Feedback(base=1, expected=2, delivered=2)


def test_losses_of_streams_are_named_by_text() -> None:
    """`Loss.cause` is the text by which `OF_LOSS` finds its cause."""
    assert OF_LOSS[Loss("reconnect", "received", 3, 1, 3).cause] is Cause.AWAY
