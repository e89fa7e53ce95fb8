"""The corpus that the dashboard's decoders are held to is what Wireshark says today."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.needs import need
from tests.packet import corpus

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def committed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(corpus.CORPUS.read_text("utf-8"))
    return found


def test_packets_are_those_the_corpus_builds(committed: list[dict[str, Any]]) -> None:
    """The committed packets are the captured and the built ones, in order."""
    assert [entry["packet"] for entry in committed] == [one.hex() for one in corpus.packets()]


def test_wireshark_says_what_is_committed(committed: list[dict[str, Any]]) -> None:
    """Every field, protocol and line of every packet is what tshark prints."""
    need("tshark")
    packets = [bytes.fromhex(entry.pop("packet")) for entry in committed]
    assert committed == corpus.dissections(packets)
