"""What a host says of itself."""

from __future__ import annotations

import pytest

from wintun_api.fleet.members.card import Card, CardAdapter, card_of
from wintun_api.fleet.network import MAX_VALUE


def test_a_card_is_read_as_it_was_written() -> None:
    """What was written comes back."""
    card = Card(name="one", epoch=7, adapters=[CardAdapter(name="A", guid="g", state="available")])
    assert card_of(card.encoded()) == card


def test_a_card_that_is_too_long_says_how_many_adapters_it_leaves_out() -> None:
    """It is cut to its bound, and what it leaves out is counted."""
    many = [CardAdapter(name="x" * 128, guid="y" * 128, state="z" * 128)] * 64
    data = Card(name="one", adapters=many).encoded()
    found = card_of(data)
    assert len(data) <= MAX_VALUE
    assert found is not None
    assert len(found.adapters) + found.more_adapters == 64


def test_a_card_that_is_too_long_says_how_many_prefixes_it_leaves_out() -> None:
    """They are cut after the adapters, and those that did not fit before are counted with them."""
    found = card_of(Card(name="one", prefixes=["x" * 128] * 256, more_prefixes=44).encoded())
    assert found is not None
    assert 0 < len(found.prefixes) < 256
    assert len(found.prefixes) + found.more_prefixes == 300


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"name": 5}', b'{"name": "' + b"x" * 129 + b'"}', b" " * 9000],
)
def test_what_is_no_card_is_not_read(data: bytes) -> None:
    """A stranger's bytes cause no exception."""
    assert card_of(data) is None
