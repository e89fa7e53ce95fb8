"""The models of events have the words of the hub and of the drivers."""

from __future__ import annotations

from tests.contract.messages import EVENT_DATA
from wintun_api.choices import EventType, LogLevel
from wintun_api.drivers import base
from wintun_api.hub.losses import Cause
from wintun_api.packet.check import REASONS
from wintun_api.schemas.events import DATA, LossCause


def test_the_causes_of_a_loss_are_the_hubs() -> None:
    """Each published cause of the hub is one of the model; two of them are told with a reason."""
    with_reasons = {Cause.REFUSED: ("link_down", "host"), Cause.REJECTED: tuple(REASONS)}
    words = {
        f"{cause}_{reason}" if reason else str(cause)
        for cause in Cause
        for reason in with_reasons.get(cause, ("",))
    }
    assert {cause.value for cause in LossCause} == words - {str(Cause.UNCLAIMED)}


def test_the_levels_of_the_log_are_wintuns() -> None:
    """The model has the levels of wintun.h, in their order."""
    assert [level.value for level in LogLevel] == [one.name.lower() for one in base.LogLevel]


def test_every_event_has_a_model() -> None:
    """No type of event is without a model of its data, and the documents show each model."""
    assert set(DATA) == set(EventType)
    assert {type(example) for example in EVENT_DATA} == set(DATA.values())
