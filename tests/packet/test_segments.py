"""Super-packets: the same in Python and in C, and as an independent splitter has it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.extension import extension
from tests.packet.splitter import VNET, Flow
from wintun_api.packet import build, segments

ALL = 0b110010
MOST = 65535

Split = Callable[[bytes, bytes], list[bytes]]
Join = Callable[[bytes, int, "array[int]", int], list[tuple[int, bytes]]]


@pytest.fixture(params=["python", "native"], scope="module")
def split(request: pytest.FixtureRequest) -> Split:
    return segments.split if request.param == "python" else extension().split_segments


@pytest.fixture(params=["python", "native"], scope="module")
def join(request: pytest.FixtureRequest) -> Join:
    return segments.join if request.param == "python" else extension().join_segments


def joined(join: Join, packets: Sequence[bytes], kinds: int = ALL) -> list[tuple[int, bytes]]:
    return join(b"".join(packets), 0, array("H", map(len, packets)), kinds)


def counts(join: Join, packets: Sequence[bytes], kinds: int = ALL) -> list[int]:
    return [count for count, _ in joined(join, packets, kinds)]


numbers = st.integers(0, 0xFFFF)
payloads = st.builds(
    lambda seed, size: (seed * (size // len(seed) + 1))[:size],
    st.binary(min_size=1, max_size=40),
    st.integers(1, 6000),
)
OPTIONS = [b"", b"\1\1\x08\x0a" + bytes(range(8)), b"\1" * 40, b"\2\4\5\xb4"]
EXTENSIONS = [
    (),
    ((0, bytes((0, 1, 4, 0, 0, 0, 0))),),
    ((0, bytes((1, 1, 12)) + bytes(12)), (60, bytes((0, 1, 4, 0, 0, 0, 0)))),
    ((43, bytes((0, 253, 0, 0, 0, 0, 0))),),
]


@st.composite
def flows(draw: st.DrawFn, *, plain: bool = False) -> Flow:
    """Draw the headers of a flow; plain ones have nothing that a joined packet must not have."""
    version = draw(st.sampled_from([4, 6]))
    ends = ("10.6.7.9", "10.6.7.7") if version == 4 else ("fd06:7::9", "fd06:7::7")
    return Flow(
        *ends,
        protocol=draw(st.sampled_from([6, 17])),
        ports=(draw(numbers), draw(numbers)),
        tos=draw(st.integers(0, 255)),
        ttl=draw(st.integers(1, 255)),
        identification=draw(numbers),
        fragment=draw(st.sampled_from([0, 0x4000])),
        ip_options=b"" if plain else draw(st.sampled_from([b"", b"\1" * 4, b"\x94\4\0\0"])),
        label=draw(st.integers(0, 0xFFFFF)),
        extensions=() if plain else draw(st.sampled_from(EXTENSIONS)),
        sequence=draw(st.integers(0, 0xFFFFFFFF)),
        acknowledgement=draw(st.integers(0, 0xFFFFFFFF)),
        flags=draw(st.sampled_from([0x10, 0x50])) if plain else draw(st.integers(0, 255)),
        window=draw(numbers),
        urgent=draw(numbers),
        tcp_options=draw(st.sampled_from(OPTIONS)),
    )


@given(flow=flows(), payload=payloads, size=st.integers(1, 3000), ecn=st.booleans())
@settings(max_examples=150)
def test_a_super_packet_is_split_exactly(
    split: Split, flow: Flow, payload: bytes, size: int, *, ecn: bool
) -> None:
    """Every length, number, flag and checksum is as the network would carry it."""
    assert split(*flow.super_packet(payload, size, ecn=ecn)) == flow.segments(payload, size)


@pytest.mark.parametrize("size", [1, 8, 48, 536, 1380, 65000])
@pytest.mark.parametrize("protocol", [6, 17])
@pytest.mark.parametrize("version", [4, 6])
def test_the_largest(split: Split, version: int, protocol: int, size: int) -> None:
    """A super-packet of 65,535 bytes comes apart, however small its segments are."""
    ends = ("10.6.7.9", "10.6.7.7") if version == 4 else ("fd06:7::9", "fd06:7::7")
    flow = Flow(*ends, protocol=protocol, flags=0x99, identification=0xFFF0)
    payload = bytes(number * 7 & 0xFF for number in range(MOST - flow.header))
    if size < 8 and protocol == 17:
        payload = payload[:2000]
    packets = split(*flow.super_packet(payload, size))
    assert packets[0] == flow.segments(payload[: size + 1], size)[0]
    assert packets == flow.segments(payload, size)


def test_flags_stand_where_they_belong(split: Split) -> None:
    """FIN and PSH are on the last segment, CWR on the first, and all others on each."""
    flow = Flow(flags=0xD9)
    found = [packet[33] for packet in split(*flow.super_packet(bytes(300), 100, ecn=True))]
    assert found == [0xD0, 0x50, 0x59]


@given(flow=flows(), payload=payloads)
def test_a_checksum_is_completed(split: Split, flow: Flow, payload: bytes) -> None:
    """A packet that only lacks its checksum gets it."""
    header, packet = flow.super_packet(payload, 1)
    plain = VNET.pack(1, 0, 0, 0, *VNET.unpack(header)[4:])
    assert split(plain, packet) == [flow.packet(payload)]


@given(st.binary(max_size=200))
def test_a_complete_packet_stays(split: Split, packet: bytes) -> None:
    """Without a word about it nothing is changed, whatever it is."""
    assert split(segments.PLAIN, packet) == [packet]


def broken() -> list[tuple[bytes, bytes]]:
    """Headers that make no sense for the packet behind them."""
    flow, six = Flow(), Flow("fd06:7::9", "fd06:7::7")
    _, packet = flow.super_packet(bytes(300), 100)
    _, long = six.super_packet(bytes(300), 100)
    fragment = replace(flow, fragment=0x2000).super_packet(bytes(300), 100)[1]
    short = packet[:32] + b"\x40" + packet[33:]
    return [
        (VNET.pack(1, 1, 40, 0, 20, 16), packet),  # segments without a size
        (VNET.pack(0, 1, 40, 100, 20, 16), packet),  # without a checksum
        (VNET.pack(1, 2, 40, 100, 20, 16), packet),  # an unknown kind
        (VNET.pack(1, 3, 40, 100, 20, 6), packet),  # UDP fragments, which are not asked for
        (VNET.pack(1, 4, 40, 100, 20, 16), packet),  # the other version
        (VNET.pack(1, 1, 60, 100, 40, 16), long),
        (VNET.pack(1, 5, 40, 100, 20, 6), packet),  # the other protocol
        (VNET.pack(1, 1, 40, 100, 24, 16), packet),  # TCP does not begin there
        (VNET.pack(1, 1, 40, 100, 20, 6), packet),  # nor is its checksum there
        (VNET.pack(1, 1, 40, 100, 20, 16), packet[:39]),
        (VNET.pack(1, 1, 40, 100, 20, 16), packet[:19]),
        (VNET.pack(1, 1, 40, 100, 20, 16), short),
        (VNET.pack(1, 1, 40, 100, 20, 16), fragment),
        (VNET.pack(1, 1, 40, 100, 20, 16), b""),
        (VNET.pack(1, 0, 0, 0, 0xFFFF, 0xFFFF), packet),
        (VNET.pack(1, 0, 0, 0, len(packet) - 1, 0), packet),
        (VNET.pack(1, 4, 60, 100, 48, 16), long),
    ]


@pytest.mark.parametrize("number", range(len(broken())))
def test_what_makes_no_sense_is_left_out(split: Split, number: int) -> None:
    """A header that does not fit its packet gives nothing."""
    assert split(*broken()[number]) == []


@given(
    st.tuples(*[st.integers(0, 255)] * 2, *[st.one_of(st.integers(0, 90), numbers)] * 4),
    st.sampled_from([0x45, 0x4F, 0x60, 0x00]),
    st.sampled_from([6, 17, 0, 43, 44, 60]),
    st.binary(max_size=150),
)
@settings(max_examples=300)
def test_both_do_the_same_with_anything(
    fields: tuple[int, ...], first: int, protocol: int, rest: bytes
) -> None:
    """Whatever header and packet are, C and Python give the same, and nothing breaks."""
    packet = bytes([first, 0, 0, 0, 0, 0, protocol, 0, 0, protocol]) + rest
    header = VNET.pack(*fields)
    assert extension().split_segments(header, packet) == segments.split(header, packet)


@pytest.mark.parametrize("sizes", [(9, 40), (11, 40), (10, 65536)])
def test_a_wrong_length_is_an_error(split: Split, sizes: tuple[int, int]) -> None:
    """A header of another size, or more than any IP packet has, is a mistake of the caller."""
    with pytest.raises(ValueError, match="wrong length"):
        split(bytes(sizes[0]), bytes(sizes[1]))


@given(flow=flows(plain=True), count=st.integers(2, 20), size=st.integers(1, 1500), data=st.data())
@settings(max_examples=150)
def test_joined_and_split_again_is_the_same(
    join: Join, flow: Flow, count: int, size: int, data: st.DataObject
) -> None:
    """What is written as one comes out as it was."""
    payload = bytes(range(256)) * (count * size // 256 + 1)
    payload = payload[: count * size - data.draw(st.integers(0, size - 1))]
    packets = flow.segments(payload, size)
    (taken, content), *rest = joined(join, packets)
    assert (taken, rest) == (len(packets), [])
    assert segments.split(content[:10], content[10:]) == packets
    assert content == b"".join(flow.super_packet(payload, size))


@pytest.mark.parametrize("flags", [0x11, 0x18, 0x19])
def test_the_last_one_ends_it(join: Join, flags: int) -> None:
    """A segment with PSH or FIN is the last of its super-packet, which has the flag."""
    flow = replace(Flow(), flags=flags)
    packets = flow.segments(bytes(400), 100)
    behind = replace(flow, flags=0x10, sequence=400, identification=4).segments(bytes(300), 100)
    writes = joined(join, packets + behind)
    assert [count for count, _ in writes] == [4, 3]
    assert segments.split(writes[0][1][:10], writes[0][1][10:]) == packets


CHANGES: dict[str, dict[str, object]] = {
    "source": {"source": "10.6.7.8"},
    "port": {"ports": (5001, 80)},
    "protocol": {"protocol": 17},
    "TOS": {"tos": 1},
    "TTL": {"ttl": 63},
    "DF": {"fragment": 0},
    "a fragment": {"fragment": 0x2000},
    "IP options": {"ip_options": b"\1\1\1\1"},
    "identification": {"identification": 2},
    "sequence": {"sequence": 101},
    "an acknowledgement": {"acknowledgement": 8},
    "window": {"window": 501},
    "urgent pointer": {"urgent": 1},
    "SYN": {"flags": 0x12},
    "RST": {"flags": 0x14},
    "URG": {"flags": 0x30},
    "ECE": {"flags": 0x50},
    "CWR": {"flags": 0x90},
    "options": {"tcp_options": b"\1\1\x08\x0a" + bytes(8)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_differs_is_not_joined(join: Join, name: str) -> None:
    """Two packets that differ in any other field are written by themselves, as they are."""
    one = Flow()
    two = replace(one, **{"identification": 1, "sequence": 100, **CHANGES[name]})  # type: ignore[arg-type]
    packets = [one.packet(bytes(100)), two.packet(bytes(100))]
    assert joined(join, packets) == [(1, segments.PLAIN + packet) for packet in packets]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("protocol", [6, 17])
def test_a_wrong_checksum_arrives_wrong(join: Join, version: int, protocol: int) -> None:
    """A packet whose checksum is wrong is not joined, so that nothing makes it right."""
    ends = ("10.6.7.9", "10.6.7.7") if version == 4 else ("fd06:7::9", "fd06:7::7")
    packets = Flow(*ends, protocol=protocol).segments(bytes(range(250)) * 2, 100)
    for at in range(5):
        damaged = list(packets)
        damaged[at] = damaged[at][:-1] + bytes((damaged[at][-1] ^ 1,))
        writes = joined(join, damaged)
        assert (1, segments.PLAIN + damaged[at]) in writes
        assert sum(count for count, _ in writes) == 5
    wrong_header = [packet[:8] + b"\x20" + packet[9:] for packet in packets]
    if version == 4:
        assert counts(join, wrong_header) == [1] * 5


def test_udp_without_a_checksum_stays_without(join: Join) -> None:
    """A datagram that has no checksum is not given one."""
    packets = [
        packet[:26] + bytes(2) + packet[28:]
        for packet in Flow(protocol=17).segments(bytes(300), 100)
    ]
    assert counts(join, packets) == [1, 1, 1]


def test_fixed_identifications(join: Join) -> None:
    """Packets that must not be fragmented may all have one identification, others must not."""
    for fragment, wanted in ((0x4000, [3]), (0, [1, 1, 1])):
        flow = Flow(fragment=fragment)
        packets = [replace(flow, sequence=number * 100).packet(bytes(100)) for number in range(3)]
        assert counts(join, packets) == wanted


def test_a_larger_one_is_not_joined(join: Join) -> None:
    """Only the last segment may be smaller, and none is larger."""
    flow = Flow()
    sizes = [100, 100, 60, 100, 101, 101]
    packets, sequence = [], 0
    for number, size in enumerate(sizes):
        here = replace(flow, sequence=sequence, identification=number)
        packets.append(here.packet(bytes(size)))
        sequence += size
    assert counts(join, packets) == [3, 1, 2]


def test_limits_of_a_write(join: Join) -> None:
    """At most 64 packets and 65,535 bytes become one."""
    assert counts(join, Flow().segments(bytes(130 * 10), 10)) == [64, 64, 2]
    assert counts(join, Flow().segments(bytes(90 * 1380), 1380)) == [47, 43]


def test_flows_that_alternate_keep_their_order(join: Join) -> None:
    """Packets of two flows in turn are written in turn."""
    one, two = Flow().segments(bytes(300), 100), Flow(ports=(1, 2)).segments(bytes(300), 100)
    packets = [packet for pair in zip(one, two, strict=True) for packet in pair]
    assert joined(join, packets) == [(1, segments.PLAIN + packet) for packet in packets]


def test_kinds_are_asked_for(join: Join) -> None:
    """Only kinds that the kernel takes are made."""
    for version, bit in ((4, 1 << 1), (6, 1 << 4)):
        ends = ("10.6.7.9", "10.6.7.7") if version == 4 else ("fd06:7::9", "fd06:7::7")
        packets = Flow(*ends).segments(bytes(300), 100)
        assert counts(join, packets, bit) == [3]
        assert counts(join, packets, ALL & ~bit) == [1, 1, 1]
    packets = Flow(protocol=17).segments(bytes(300), 100)
    assert counts(join, packets, 1 << 5) == [3]
    assert counts(join, packets, 0b010010) == [1, 1, 1]


def test_an_acknowledgement_is_never_joined(join: Join) -> None:
    """Packets without data are written by themselves."""
    assert counts(join, [Flow().packet(b"")] * 3) == [1, 1, 1]


def test_lengths_beyond_the_memory(join: Join) -> None:
    """Nothing is read beyond the memory."""
    with pytest.raises(ValueError, match="more than the memory"):
        join(bytes(100), 60, array("H", [20, 21]), ALL)


@given(st.lists(st.binary(max_size=70), max_size=8), st.sampled_from([0x45, 0x60]))
def test_both_join_the_same_of_anything(parts: list[bytes], first: int) -> None:
    """Whatever the packets are, C and Python write the same."""
    packets = [bytes([first]) + part for part in parts] * 2
    memory, lengths = b"".join(packets), array("H", map(len, packets))
    assert extension().join_segments(memory, 0, lengths, ALL) == segments.join(
        memory, 0, lengths, ALL
    )


@given(
    flow=flows(plain=True),
    at=st.integers(0, 60),
    bit=st.integers(0, 7),
    which=st.integers(0, 3),
)
@settings(max_examples=300)
def test_both_join_the_same_of_damaged_flows(flow: Flow, at: int, bit: int, which: int) -> None:
    """A bit that flips anywhere in a header has the same effect in both, and is not mended."""
    packets = flow.segments(bytes(range(200)), 50)
    damaged = bytearray(packets[which])
    damaged[at] ^= 1 << bit
    packets[which] = bytes(damaged)
    memory, lengths = b"".join(packets), array("H", map(len, packets))
    writes = segments.join(memory, 0, lengths, ALL)
    assert extension().join_segments(memory, 0, lengths, ALL) == writes
    again = [packet for _, one in writes for packet in segments.split(one[:10], one[10:])]
    assert again == packets


def test_an_echo_is_written_alone(join: Join) -> None:
    """Other protocols are passed on."""
    echo = build.icmp_echo("10.6.7.9", "10.6.7.7", identifier=1, sequence=1)
    assert joined(join, [echo, echo]) == [(1, segments.PLAIN + echo)] * 2
