"""What was lost since it was last told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wintun_api.fleet.packets.accounts import Cause
from wintun_api.fleet.packets.ledger import Ledger
from wintun_api.fleet.packets.losses import QUIET, Losses, told


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """The counters of a host."""
    made = Ledger.open(tmp_path / "ledger")
    yield made
    made.close()


def test_a_loss_is_told_at_once_and_more_of_it_later(ledger: Ledger) -> None:
    """What is lost by the same cause meanwhile is added up."""
    losses = Losses(ledger)
    ledger.taken.lose(Cause.AWAY, 2)
    assert list(losses.news(100.0)) == [(Cause.AWAY, 2)]
    ledger.taken.lose(Cause.AWAY, 3)
    assert list(losses.news(100.0 + QUIET / 2)) == []
    ledger.taken.lose(Cause.AWAY, 4)
    assert list(losses.news(100.0 + QUIET)) == [(Cause.AWAY, 7)]
    assert list(losses.news(100.0 + 2 * QUIET)) == []


def test_a_loss_of_unknown_number_is_told_at_once_and_more_of_it_later(ledger: Ledger) -> None:
    """It is told again only where it has happened again."""
    losses = Losses(ledger)
    assert not losses.is_news(0, 100.0)
    assert losses.is_news(1, 101.0)
    assert not losses.is_news(2, 101.0 + QUIET / 2)
    assert losses.is_news(2, 101.0 + QUIET)
    assert not losses.is_news(2, 101.0 + 2 * QUIET)


@pytest.mark.parametrize("count", [1, 3])
def test_a_sentence_is_right_for_every_number(count: int) -> None:
    """One packet and several read alike."""
    assert told(Cause.RING, count) == (
        f"Lost packets: {count}. The receive ring of the adapter was full."
    )


@pytest.mark.parametrize("cause", [one for one in Cause if one is not Cause.LINK_LOCAL])
def test_every_cause_has_a_sentence(cause: Cause) -> None:
    """It has the number and ends as sentences do, with no word for one packet or for several."""
    said = told(cause, 1)
    assert "1" in said
    assert said.endswith(".")
    assert "1 packet" not in said
    assert said == told(cause, 3).replace("3", "1")
