"""Captures of many hosts as one file: order, clocks, interfaces, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.capture import capinfos, tshark
from tests.fleet.excerpts import SECOND, SESSION, START, blocks, message, numbers_of
from tests.fleet.networks import ANN, BOB, CEM
from wintun_api.capture import pcapng
from wintun_api.capture.reader import Captured, Reader
from wintun_api.fleet.captures import merging as merging_module
from wintun_api.fleet.captures.merging import INTERRUPTED, MAX_INTERFACES, Merging, Wanted

LATER = START + 3600 * SECOND  # when the server takes all messages, unless it matters
SECTION = pcapng.section(os="Linux", application="a test")


def read(file: bytes) -> list[Captured]:
    """Return the packets of a file that was merged."""
    return list(Reader([SECTION, file]))


def numbers(packets: Sequence[Captured]) -> list[int]:
    """Return their numbers."""
    return numbers_of([one.data for one in packets])


def merged(*messages: tuple[str, bytes], wanted: Wanted | None = None) -> list[Captured]:
    """Return the packets of messages, each of a host."""
    merging = Merging(wanted or Wanted())
    for host, data in messages:
        merging.put(host, SESSION, data, LATER)
    assert merging.rejected == 0
    return read(merging.end())


def test_packets_of_hosts_come_in_the_order_of_time() -> None:
    """Whatever message has come first."""
    found = merged(
        (BOB, message(blocks(2, at=START + 2 * SECOND), name="two")),
        (ANN, message(blocks(1, at=START + SECOND), blocks(3, at=START + 3 * SECOND))),
    )
    assert numbers(found) == [1, 2, 3]
    assert [one.interface for one in found] == ["one/Lab", "two/Lab", "one/Lab"]


def test_times_are_those_of_the_server() -> None:
    """What the clock of a host is behind is added, and what it is ahead is taken away."""
    found = merged(
        (ANN, message(blocks(1), offset_ns=5_000_000)),
        (BOB, message(blocks(2), offset_ns=-5_000_000)),
        (CEM, message(blocks(3), offset_ns=None)),
    )
    assert numbers(found) == [2, 3, 1]
    assert [one.time_ns - START for one in found] == [-5_000_000, 0, 5_000_000]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ANN, BOB, CEM]),
            st.integers(0, 3 * SECOND),
            st.booleans(),
            st.integers(0, 3),
        ),
        max_size=30,
    )
)
def test_nothing_is_lost_and_all_is_in_order(
    packets: list[tuple[str, int, bool, int]],
) -> None:
    """Any packets of three hosts come out as if they had been sorted."""
    merging, counts, runs = Merging(Wanted()), {ANN: 0, BOB: 0, CEM: 0}, {ANN: 0, BOB: 0, CEM: 0}
    for serial, (host, at, injected, dropped) in enumerate(packets):
        block = blocks(serial, at=START + at, injected=injected, dropped=dropped)
        data = message(block, name=host, number=runs[host], passed=counts[host])
        merging.put(host, SESSION, data, LATER)
        counts[host] += 1 + dropped
        runs[host] += 1
    found = read(merging.end())
    order = sorted(range(len(packets)), key=lambda one: packets[one][1])
    assert numbers(found) == order
    assert [one.injected for one in found] == [packets[one][2] for one in order]
    assert sum(one.dropped for one in found) == sum(one[3] for one in packets)
    assert merging.late == 0


def test_packets_wait_until_nothing_older_is_expected() -> None:
    """What is taken up to a time has all packets up to it, and no others."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, message(blocks(1, 2, 3)), LATER)
    assert numbers(read(merging.take(START + 1_000_000))) == [1, 2]
    assert merging.oldest_ns == START + 2_000_000
    assert merging.late == 0


def test_a_packet_that_comes_too_late_is_written_and_counted() -> None:
    """It has its own time, and is not where it belongs."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, message(blocks(1, at=START + SECOND)), LATER)
    first = merging.take(LATER)
    merging.put(BOB, SESSION, message(blocks(2)), LATER)
    assert [one.time_ns - START for one in read(first + merging.end())] == [SECOND, 0]
    assert merging.late == 1


def test_what_waits_is_bounded() -> None:
    """Above the bound the oldest packets are written before their time."""
    merging = Merging(Wanted(), limit=2000)
    for number in range(10):
        data = message(blocks(number, at=START + number), number=number, passed=number)
        merging.put(ANN, SESSION, data, LATER)
    found = merging.take(0)
    assert 5 <= len(read(found)) < 10
    assert numbers(read(found + merging.end())) == list(range(10))


def test_a_clock_of_the_future_holds_nothing_up() -> None:
    """No packet is later than the moment in which the server had it, whatever its time says."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, message(blocks(1, at=START + 9999 * SECOND)), START)
    (found,) = read(merging.take(START))
    assert found.time_ns == START + 9999 * SECOND


def test_there_is_an_interface_for_each_host_and_adapter() -> None:
    """Two sessions of an adapter share one, and its comment says what its clock was."""
    merging = Merging(Wanted())
    merging.put(ANN, "1" * 12, message(blocks(1), offset_ns=1_500_000), LATER)
    merging.put(ANN, "2" * 12, message(blocks(2)), LATER)
    merging.put(ANN, "3" * 12, message(blocks(3), adapter="B"), LATER)
    merging.put(BOB, "1" * 12, message(blocks(4), offset_ns=None), LATER)
    file = merging.end()
    assert {one.interface for one in read(file)} == {"one/Lab", "one/B"}
    assert file.count(b"host " + ANN.encode()) == 2
    assert b"its clock was 1.500 ms behind the server's, to within 0.250 ms" in file
    assert b"its clock was not measured" in file


# What is missing


def test_messages_that_are_missing_are_told_to_the_packet() -> None:
    """The next packet of the adapter has their number as its drop count."""
    found = merged(
        (ANN, message(blocks(1), number=0, passed=0)),
        (ANN, message(blocks(9, at=START + SECOND), number=3, passed=8)),
    )
    assert [one.dropped for one in found] == [0, 7]


def test_what_the_service_lost_is_told_too() -> None:
    """Its own drop counts and those of the bus add up."""
    found = merged(
        (ANN, message(blocks(1, dropped=2), number=0, passed=0)),
        (ANN, message(blocks(9, at=START + SECOND, dropped=1), number=2, passed=5)),
    )
    assert [one.dropped for one in found] == [2, 3]


def test_the_last_packets_that_are_missing_are_in_the_statistics() -> None:
    """A message without packets says that there were more."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, message(blocks(1)), LATER)
    merging.put(ANN, SESSION, message(number=2, passed=5), LATER)
    reader = Reader([SECTION, merging.end()])
    assert len(list(reader)) == 1
    assert reader.lost == 4


def test_a_host_of_which_everything_is_missing_is_in_the_file() -> None:
    """It has an interface without packets, whose statistics say how many there were."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, message(number=0, passed=0), LATER)
    merging.put(ANN, SESSION, message(number=5, passed=12), LATER)
    reader = Reader([SECTION, merging.end()])
    assert list(reader) == []
    assert reader.lost == 12


def test_what_came_before_the_reading_is_not_missing() -> None:
    """A reading that begins in the middle of a capture counts from there."""
    assert [one.dropped for one in merged((ANN, message(blocks(1), number=9, passed=500)))] == [0]


def test_what_came_before_the_first_message_is_missing() -> None:
    """An agent that found no room from the beginning says so in its first message."""
    assert [one.dropped for one in merged((ANN, message(blocks(1), number=0, passed=500)))] == [500]


def test_a_message_that_was_published_twice_counts_once() -> None:
    """It is known by its number."""
    data = message(blocks(1))
    assert len(merged((ANN, data), (ANN, data))) == 1


def test_a_capture_that_was_interrupted_says_so() -> None:
    """Where nobody knows how many packets are missing, a comment says that."""
    first, second = merged(
        (ANN, message(blocks(1), run="r")),
        (ANN, message(blocks(2, at=START + SECOND), run="s")),
    )
    assert (first.comment, second.comment, second.dropped) == (None, INTERRUPTED, 0)


# What is wanted


def test_hosts_are_chosen_by_name_or_id() -> None:
    """Others are left out."""
    messages = ((ANN, message(blocks(1))), (BOB, message(blocks(2), name="Two")))
    assert numbers(merged(*messages, wanted=Wanted(hosts={"two"}))) == [2]
    assert numbers(merged(*messages, wanted=Wanted(hosts={ANN}))) == [1]


def test_times_and_directions_are_chosen() -> None:
    """By corrected times."""
    data = message(
        blocks(1, 2, 3, at=START - 1_000_000), blocks(4, injected=True), offset_ns=1_000_000
    )
    span = Wanted(since_ns=START + 1_000_000, until_ns=START + 1_500_000)
    assert numbers(merged((ANN, data), wanted=span)) == [2, 4]
    assert numbers(merged((ANN, data), wanted=Wanted(injected=True))) == [4]


def test_what_is_lost_among_other_packets_stays_told() -> None:
    """A drop count of a packet that the filter leaves out passes to the next one."""
    odd = Wanted(matches=lambda packets, _: [at for at in range(len(packets)) if at % 2])
    found = merged((ANN, message(blocks(1, 2, dropped=5))), wanted=odd)
    assert [(one.dropped, *numbers([one])) for one in found] == [(5, 2)]


def test_a_count_is_kept() -> None:
    """The file has so many packets, and the oldest ones."""
    found = merged(
        (ANN, message(blocks(1, 2, 3))),
        (BOB, message(blocks(4, 5, at=START + 500_000))),
        wanted=Wanted(count=3),
    )
    assert numbers(found) == [1, 4, 2]


def test_packets_are_cut() -> None:
    """Their lengths before are kept."""
    (found,) = merged((ANN, message(blocks(1))), wanted=Wanted(snaplen=20))
    assert (len(found.data or b""), found.missing) == (20, 12)


# Strangers


def test_what_is_no_message_is_counted() -> None:
    """It has no other effect."""
    merging = Merging(Wanted())
    merging.put(ANN, SESSION, b"nonsense", LATER)
    assert (merging.rejected, merging.end()) == (1, b"")


def test_times_that_cannot_be_are_left_out() -> None:
    """A clock that is absurd leads to no exception."""
    before = message(blocks(1), offset_ns=-(2**61))
    assert numbers(merged((ANN, before), (BOB, message(blocks(2), offset_ns=2**62)))) == [2]


def test_a_host_cannot_fill_the_file_with_interfaces() -> None:
    """Beyond a bound, messages are rejected."""
    merging = Merging(Wanted())
    for number in range(MAX_INTERFACES + 3):
        merging.put(ANN, SESSION, message(adapter=str(number), number=number), LATER)
    assert merging.rejected == 3


@pytest.mark.parametrize("name", ["\x1b[2J", "a\nb", "", "x" * 128])
def test_names_do_nothing_in_a_terminal(name: str) -> None:
    """What a stranger calls itself has no control characters."""
    (found,) = merged((ANN, message(blocks(1), name=name, adapter="\x07")))
    assert found.interface is not None
    assert found.interface.isprintable()


@tshark.needs_tshark
def test_wireshark_reads_it(tmp_path: Path) -> None:
    """Order, interfaces, directions and drop counts, in one file without a complaint."""
    merging = Merging(Wanted(filter="udp"))
    merging.put(ANN, SESSION, message(blocks(*range(100))), LATER)
    data = message(blocks(*range(100), at=START + 500_000, injected=True), name="two")
    merging.put(BOB, SESSION, data, LATER)
    late = message(blocks(200, at=START + SECOND), name="two", number=2, passed=105)
    merging.put(BOB, SESSION, late, LATER)
    path = tmp_path / "all.pcapng"
    path.write_bytes(SECTION + merging.end())
    frames = tshark.read(path)
    times = [frame.time_ns for frame in frames]
    assert (len(frames), times) == (201, sorted(times))
    assert {(one.interface, one.direction) for one in frames} == {
        ("one/Lab", "outbound"),
        ("two/Lab", "inbound"),
    } | {("two/Lab", "outbound")}
    assert [one.dropped for one in frames if one.dropped] == [5]
    info = capinfos.info_of(path)
    assert (info.packets, info.interfaces, info.statistics) == (201, 2, 2)


def test_captures_that_are_followed_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that brought nothing for longest is forgotten and counted; its packets stay."""
    monkeypatch.setattr(merging_module, "MAX_RUNS", 2)
    merging = Merging(Wanted())
    for number, host in enumerate((ANN, BOB, CEM)):
        merging.put(host, SESSION, message(blocks(number), run=host), LATER)
    assert merging.forgotten == 1
    assert numbers(read(merging.end())) == [0, 1, 2]
