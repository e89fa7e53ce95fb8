"""What the dashboard's decoder is held to is what `decode` says today."""

from __future__ import annotations

import json
import re

from tests.packet import agreement
from wintun_api.packet.decode import PROTOCOL_NAMES
from wintun_api.packet.ipv6 import MAX_HEADERS

NAMES = agreement.VECTORS.parents[2] / "src" / "packet" / "names.ts"
DISSECTION = agreement.VECTORS.parents[2] / "src" / "packet" / "dissection.ts"


def test_the_committed_vectors_are_what_decode_says() -> None:
    """Every packet of the vectors is the generated one, with what `decode` says of it."""
    committed = json.loads(agreement.VECTORS.read_text("utf-8"))
    assert len(committed) == agreement.COUNT
    assert committed == agreement.vectors()


def test_both_decoders_follow_as_many_headers() -> None:
    """The dashboard's bound on nested headers is this one."""
    found = re.search(r"MAX_HEADERS = (\d+);", DISSECTION.read_text("utf-8"))
    assert found is not None
    assert int(found[1]) == MAX_HEADERS


def test_both_decoders_know_the_same_protocols() -> None:
    """A number has a name in the dashboard if it has one on the command line."""
    found = re.search(r'  IP: "([^"]+)"', NAMES.read_text("utf-8"))
    assert found is not None
    numbers: list[int] = []
    for entry in found[1].split(","):
        written = re.match(r"(\d+) ", entry)
        numbers.append(int(written[1]) if written else numbers[-1] + 1)
    assert numbers == sorted(PROTOCOL_NAMES)
