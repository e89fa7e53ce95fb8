"""fleet.grouping: the same as if each packet were looked at alone."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fleet.networks import ANN, BOB, CEM
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.packets import grouping
from wintun_api.fleet.packets.accounts import GROUP, Cause
from wintun_api.fleet.packets.grouping import Grouping
from wintun_api.packet import build
from wintun_api.packet.block import Block

ROUTES = Routes(
    {
        ip_network("10.9.0.1/32"): ANN,
        ip_network("10.9.0.2/32"): BOB,
        ip_network("10.9.0.254/31"): ANN,
        ip_network("10.9.1.0/24"): CEM,
        ip_network("fd09::1/128"): ANN,
        ip_network("fd09::2/128"): BOB,
        ip_network("fd09:1::/64"): CEM,
        ip_network("127.0.0.0/8"): ANN,  # claimed by who has no right to it
        ip_network("224.0.0.0/4"): ANN,
    }
)
BROADCAST = bytes((10, 9, 0, 255))
SOURCES = {
    4: ["10.9.0.1", "10.9.0.2", "127.0.0.1", "224.0.0.1", "0.0.0.0", "10.9.0.255"],
    6: ["fd09::1", "fe80::1"],
}
DESTINATIONS = {
    4: [
        "10.9.0.1",
        "10.9.0.2",
        "10.9.1.7",
        "10.9.0.255",
        "224.0.0.251",
        "255.255.255.255",
        "1.1.1.1",
    ],
    6: ["fd09::2", "fd09:1::5", "ff02::1", "fd09::1", "fd77::1"],
}


@st.composite
def ip_packets(draw: st.DrawFn) -> bytes:
    version = draw(st.sampled_from([4, 6]))
    source = draw(st.sampled_from(SOURCES[version][:1] * 4 + SOURCES[version]))
    destination = draw(st.sampled_from(DESTINATIONS[version]))
    return build.udp(source, destination, 1, 2, bytes(draw(st.sampled_from([0, 0, 0, 20, 33]))))


broken = st.binary(max_size=45) | st.sampled_from([b"", b"\x45" + bytes(18), b"\x60" + bytes(38)])
bursts = st.one_of(
    st.lists(ip_packets(), max_size=12),
    st.lists(ip_packets() | broken, max_size=12),
    st.tuples(ip_packets(), st.integers(1, 20)).map(lambda one: [one[0]] * one[1]),
)


def block_of(packets: Sequence[bytes], before: int = 3) -> Block:
    """Return the packets in memory with other bytes around them, as a message has them."""
    block = Block.of(packets)
    memory = b"\x45" * before + block.memory + b"\x60" * 5
    return Block(memory, block.lengths, block.size, before)


def address_of(packet: bytes, *, source: bool) -> bytes | None:
    """Return an address of a packet; None if it is none of IP."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return packet[12:16] if source else packet[16:20]
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        return packet[8:24] if source else packet[24:40]
    return None


def is_of_a_link(source: bytes) -> bool:
    return ip_address(source).is_link_local or ip_address(source).is_unspecified


def may_send(host: str, source: bytes) -> bool:
    address = ip_address(source)
    special = build.is_group(address) or address.is_loopback or source == BROADCAST
    special = special or is_of_a_link(source)
    return not special and ROUTES.find(source) == host


def fate(packet: bytes) -> str:
    source, destination = address_of(packet, source=True), address_of(packet, source=False)
    if source is None or destination is None:
        return Cause.REJECTED
    if is_of_a_link(source):
        return Cause.LINK_LOCAL
    if not may_send(ANN, source):
        return Cause.BAD_SOURCE
    if destination == BROADCAST or build.is_group(ip_address(destination)):
        return GROUP
    host = ROUTES.find(destination)
    return Cause.NO_ROUTE if host in (None, ANN) else str(host)


@given(packets=bursts)
def test_leaving(packets: list[bytes]) -> None:
    """Every packet is in the group of its destination, in order, or counted with its cause."""
    result = Grouping(ROUTES, ANN, [BROADCAST]).leaving(block_of(packets))
    expected: dict[str, list[bytes]] = {}
    for packet in packets:
        expected.setdefault(fate(packet), []).append(packet)
    lost = {Cause(one): len(expected.pop(one)) for one in list(Cause) if one in expected}
    nowhere = [packet for packet in packets if fate(packet) is Cause.NO_ROUTE]
    assert result.groups == expected
    assert result.lost == lost
    assert list(result.unroutable) == nowhere[: grouping.MAX_SAMPLE]


@given(packets=bursts, sender=st.sampled_from([ANN, BOB, CEM]))
def test_arriving(packets: list[bytes], sender: str) -> None:
    """Only packets from the addresses of their sender are left; the others are counted."""
    good, lost = Grouping(ROUTES, CEM, [BROADCAST]).arriving(block_of(packets), sender)
    sources = [(packet, address_of(packet, source=True)) for packet in packets]
    assert good == [one for one, source in sources if source and may_send(sender, source)]
    rejected = sum(source is None for _, source in sources)
    assert lost.get(Cause.REJECTED, 0) == rejected
    assert lost.get(Cause.BAD_SOURCE, 0) == len(packets) - rejected - len(good)


@pytest.mark.parametrize("count", [1, 64])
@pytest.mark.parametrize("addresses", [("10.9.0.1", "10.9.0.2"), ("fd09::1", "fd09::2")])
def test_one_flow_is_not_copied(addresses: tuple[str, str], count: int) -> None:
    """The packets of one pair of addresses stay the block that they came in, unsplit."""
    block = block_of([build.udp(*addresses, 1, 2, bytes(64))] * count)
    result = Grouping(ROUTES, ANN).leaving(block)
    assert result.groups[BOB] is block
    good, _ = Grouping(ROUTES, BOB).arriving(block, ANN)
    assert good is block
    assert not block.split


def test_uneven_packets_of_one_host_are_not_copied() -> None:
    """Nor are those that differ in length or in their source port, as of a transfer's end."""
    packets = [build.udp("10.9.0.1", "10.9.0.2", 1, 2, bytes(size)) for size in (64, 64, 3)]
    block = block_of(packets)
    assert Grouping(ROUTES, ANN).leaving(block).groups[BOB] is block
    assert not block.split


def test_alike_but_for_the_version() -> None:
    """Packets of one length with the same bytes where IPv4 has its addresses may be of others."""
    packet = build.udp("10.9.0.1", "10.9.0.2", 1, 2, bytes(20))
    block = block_of([packet, b"\x60" + packet[1:], b"\x30" + packet[1:]])
    result = Grouping(ROUTES, ANN).leaving(block)
    assert result.groups == {BOB: [packet]}
    assert result.lost == {Cause.BAD_SOURCE: 1, Cause.REJECTED: 1}


def test_several_hosts_of_one_owner_stay_together() -> None:
    """Packets for different addresses of one host stay in their order, uncopied."""
    packets = [build.udp("10.9.0.1", f"10.9.1.{last}", 1, 2, b"") for last in (1, 2, 1)]
    block = block_of(packets)
    assert Grouping(ROUTES, ANN).leaving(block).groups == {CEM: packets}
    assert Grouping(ROUTES, ANN).leaving(block).groups[CEM] is block


def test_no_packet() -> None:
    """An empty burst has no groups."""
    result = Grouping(ROUTES, ANN).leaving(Block.of([]))
    assert (result.groups, result.lost) == ({}, {})
    good, lost = Grouping(ROUTES, ANN).arriving(Block.of([]), BOB)
    assert (len(good), lost) == (0, {})


def test_memory_is_bounded() -> None:
    """A sender of random addresses cannot fill the memory, and decisions stay right."""
    maker = Grouping(ROUTES, ANN)
    for number in range(2 * grouping.MAX_PAIRS + 5):
        source = number.to_bytes(4, "big")
        packet = b"\x45" + bytes(11) + bytes((10, 9, 0, 1)) + source
        maker.leaving(Block.of([packet]))
        maker.arriving(Block.of([b"\x45" + bytes(11) + source + bytes(4)]), BOB)
        assert maker.known <= grouping.MAX_PAIRS
    assert maker.leaving(Block.of([b""])).lost == {Cause.REJECTED: 1}
