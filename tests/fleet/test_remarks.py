"""What a reader is told of merged captures besides the file."""

from __future__ import annotations

from wintun_api.fleet.merging import Merging, Wanted
from wintun_api.fleet.remarks import remarks


def test_nothing_is_said_of_a_capture_in_order() -> None:
    """A reader is told only what it has to know."""
    assert list(remarks(Merging(Wanted()))) == []


def test_each_count_has_its_sentence() -> None:
    """Late packets, strange messages and captures that were forgotten."""
    merging = Merging(Wanted())
    merging.late, merging.rejected, merging.forgotten = 2, 3, 4
    late, rejected, forgotten = remarks(merging)
    assert late == "2 packets came too late for their place in the order of time."
    assert rejected == "3 messages were not read: no agent of this version writes such."
    assert "(4 times)" in forgotten
