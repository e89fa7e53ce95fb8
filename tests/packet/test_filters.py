"""The rows that the dashboard's filters are held to are those that Wireshark finds today."""

from __future__ import annotations

import json

import pytest

from tests.needs import need
from tests.packet import filters

pytestmark = pytest.mark.heavy


def test_the_list_is_the_one_that_is_committed() -> None:
    """Every filter of the list is there, in order, and they are many."""
    committed = json.loads(filters.ROWS.read_text("utf-8"))
    every = filters.filters()
    assert [text for text, _ in committed] == every
    assert len(set(every)) == len(every) >= 200


def test_wireshark_finds_what_is_committed() -> None:
    """Every filter finds the packets that tshark finds, and is refused where tshark refuses it."""
    need("tshark")
    committed = dict(json.loads(filters.ROWS.read_text("utf-8")))
    assert committed == filters.rows()
