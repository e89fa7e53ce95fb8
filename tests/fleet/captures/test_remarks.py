"""What a reader is told of merged captures besides the file."""

from __future__ import annotations

import pytest

from tests.fleet.excerpts import SESSION, START, blocks, message
from wintun_api.fleet.captures.merging import Merging, Wanted
from wintun_api.fleet.captures.remarks import remarks


@pytest.fixture
def merging() -> Merging:
    """A capture to which a host has brought a packet."""
    merging = Merging(Wanted())
    merging.put("a" * 12, SESSION, message(blocks(1)), START)
    return merging


def test_nothing_is_said_of_a_capture_in_order(merging: Merging) -> None:
    """A reader is told only what it has to know."""
    assert list(remarks(merging)) == []


def test_a_reader_without_packets_is_told_who_brings_them() -> None:
    """It is not enough that a host has joined."""
    (said,) = remarks(Merging(Wanted()))
    assert said.endswith("A host brings them where it was joined with --capture.")
    assert list(remarks(Merging(Wanted()), failed=True)) == []  # an error was told


def test_hosts_with_one_name_are_told_apart() -> None:
    """A host calls itself what it wants, so a name may bring the packets of others."""
    merging = Merging(Wanted(hosts={"one"}))
    merging.put("a" * 12, SESSION, message(blocks(1), name="One"), START)
    assert list(remarks(merging)) == []
    merging.put("b" * 12, SESSION, message(blocks(1), name="one"), START)
    (said,) = remarks(merging)
    assert said.startswith("2 hosts call themselves one: aaaaaaaaaaaa, bbbbbbbbbbbb. ")


def test_each_count_has_its_sentence(merging: Merging) -> None:
    """Late packets, strange messages and captures that were forgotten."""
    merging.late, merging.rejected, merging.forgotten = 2, 3, 4
    late, rejected, forgotten = remarks(merging)
    assert late == "2 packets came too late for their place in the order of time."
    assert rejected == "3 messages were not read: no agent of this version writes such."
    assert "(4 times)" in forgotten
