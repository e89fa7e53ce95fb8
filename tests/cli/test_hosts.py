"""The table of `wintun-api hosts`: what it shows of a card."""

from __future__ import annotations

import pytest

from wintun_api.cli.hosts import COLUMNS, Known
from wintun_api.fleet.members.card import Card

LOST = COLUMNS.index("Lost")


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ({}, "0"),
        ({"lost_bus": 2, "lost_no_route": 3}, "3 no route, 2 bus"),
        (
            {"lost_bus": 2, "lost_ring": 9, "lost_away": 3, "lost_failed": 4},
            "9 ring, 4 failed, 3 away ...",
        ),
        (
            {"lost_bus": 2, "lost_ring": 9, "lost_away": 3, "lost_unknown": 1},
            "9 ring, 3 away, 1 unknown ...",
        ),
        ({"uncounted": 1}, "0; 1 uncounted"),
        ({"lost_queue": 5, "uncounted": 2}, "5 queue; 2 uncounted"),
    ],
)
def test_what_is_not_known_is_never_hidden(counts: dict[str, int], shown: str) -> None:
    """The causes with most packets come first; what nobody knows is there beside them."""
    known = Known("a" * 12, Card(name="hub", counts=counts), 1.0)
    assert known.row()[LOST] == shown


def test_a_card_that_cannot_be_read_is_a_row() -> None:
    """The host is there, and nothing is known of it."""
    row = Known("a" * 12, None, 1.0).row()
    assert len(row) == len(COLUMNS)
    assert row[LOST] == "?"


def test_json_counts_what_a_card_leaves_out() -> None:
    """Of claims, and not of what leads to the host, which is all there."""
    card = Card(name="hub", prefixes=["10.7.0.1/32"], more_prefixes=45, more_adapters=2)
    shown = Known("a" * 12, card, 1.0, prefixes=["10.7.0.1/32", "10.8.0.0/16"]).json()
    assert (shown["claimed"], shown["more_claimed"]) == (["10.7.0.1/32"], 45)
    assert (shown["more_adapters"], "more_prefixes" in shown) == (2, False)
