"""Which packets a rule concerns, against other decoders of the same bytes."""

from __future__ import annotations

import shutil
import struct
import subprocess
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.needs import needs
from tests.packet.agreement import vectors
from wintun_api.hub.impairment.match import matcher
from wintun_api.hub.impairment.parameters import Match
from wintun_api.packet import build
from wintun_api.packet.decode import WITH_PORTS, Summary, address_text, decode

TUNNELS = frozenset((4, 41))
LINKTYPE_RAW = 101

four = st.builds(
    lambda number, length: IPv4Network((number, length), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 32),
)
six = st.builds(
    lambda number, length: IPv6Network((number, length), strict=False),
    st.integers(0, 2**128 - 1),
    st.integers(0, 128),
)
ports = st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(
    lambda pair: (min(pair), max(pair))
)
matches = st.builds(
    Match,
    protocols=st.frozensets(st.integers(0, 255), max_size=2),
    address=st.none() | four | six,
    source=st.none() | four | six,
    destination=st.none() | four | six,
    ports=st.none() | ports,
    source_ports=st.none() | ports,
    destination_ports=st.none() | ports,
)
# Bytes that begin like IP more often than by chance.
packets = st.binary(max_size=120) | st.builds(
    lambda first, rest: bytes([first]) + rest,
    st.sampled_from((0x45, 0x40, 0x4F, 0x60, 0x46)),
    st.binary(min_size=10, max_size=120),
)


def taken(match: Match, packet: bytes) -> bool:
    """Whether the match takes the packet."""
    found = matcher(match)
    return found is None or found(packet)


def expected(match: Match, summary: Summary) -> bool:
    """Whether a match takes a packet of which a decoder says this."""
    if summary.source is None or summary.destination is None:
        return match == Match()
    source, destination = ip_address(summary.source), ip_address(summary.destination)
    sides = (summary.source_port, summary.destination_port)

    def within(network: IPv4Network | IPv6Network | None, *addresses: object) -> bool:
        return network is None or any(address in network for address in addresses)

    def among(span: tuple[int, int] | None, *found: int | None) -> bool:
        return span is None or any(one is not None and span[0] <= one <= span[1] for one in found)

    return (
        (not match.protocols or summary.protocol in match.protocols)
        and within(match.address, source, destination)
        and within(match.source, source)
        and within(match.destination, destination)
        and among(match.ports, *sides)
        and among(match.source_ports, sides[0])
        and among(match.destination_ports, sides[1])
    )


def chosen(random: Random, summary: Summary) -> Match:
    """A match that takes the packet, or nearly does."""
    fields: dict[str, object] = {}
    if summary.protocol is not None and random.random() < 0.5:
        fields["protocols"] = frozenset(
            (summary.protocol + (random.random() < 0.2)) % 256 for _ in "1"
        )
    for name in ("address", "source", "destination"):
        if summary.source is not None and summary.destination is not None and random.random() < 0.4:
            other = random.choice((summary.source, summary.destination))
            length = random.choice((0, 1, 8, 13, 24, 32))
            fields[name] = ip_network(f"{other}/{length}", strict=False)
    for name in ("ports", "source_ports", "destination_ports"):
        if random.random() < 0.3:
            port = random.choice((summary.source_port, summary.destination_port, 1000, None))
            port = random.randrange(65536) if port is None else port
            fields[name] = (max(0, port - random.choice((0, 1, 500))), port)
    return Match(**fields)  # type: ignore[arg-type]


@given(match=matches, packet=packets)
def test_no_bytes_raise(match: Match, packet: bytes) -> None:
    """A packet matches or not; what is not IP, or cut within its addresses, never does."""
    found = taken(match, packet)
    assert isinstance(found, bool)
    summary = decode(packet)
    if match != Match() and summary.source is None:
        assert not found
    elif not (TUNNELS & {summary.protocol} or "; in IP" in summary.info):
        assert found == expected(match, summary)


def test_it_agrees_with_the_decoder() -> None:
    """Every kind of packet of the corpus, whole and broken, matches as the decoder says."""
    random = Random(3)
    known = {True: 0, False: 0}
    for row in vectors():
        packet = bytes.fromhex(str(row[0]))
        summary = decode(packet)
        if "; in IP" in summary.info or summary.protocol in TUNNELS:
            continue  # the decoder tells of the inner packet
        header = packet[16:20] if summary.version == 4 else packet[24:40]
        if summary.destination and summary.destination != address_text(header):
            continue  # the decoder tells where a source route ends
        for _ in range(5):
            match = chosen(random, summary)
            assert taken(match, packet) == expected(match, summary), (match, summary)
            known[taken(match, packet)] += 1
    assert min(known.values()) > 500


@pytest.mark.parametrize("rest", [b"", b"behind"])
@pytest.mark.parametrize("outer", [("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")])
def test_the_outer_packet_of_a_tunnel_counts(outer: tuple[str, str], rest: bytes) -> None:
    """Addresses and ports inside a tunnel are data."""
    inner = build.udp("192.0.2.1", "192.0.2.2", 1000, 53, b"x")
    packet = (build.ipv4 if "." in outer[0] else build.ipv6)(*outer, 4, inner) + rest
    assert taken(Match(protocols=frozenset((4,)), source=ip_network(outer[0])), packet)
    assert not taken(Match(protocols=frozenset((17,))), packet)
    assert not taken(Match(address=ip_network("192.0.2.0/24")), packet)
    assert not taken(Match(ports=(53, 53)), packet)


def test_fragments_after_the_first_have_no_ports() -> None:
    """Data of a later fragment is never taken for ports; its protocol and addresses count."""
    whole = build.udp("10.0.0.1", "10.0.0.2", 1000, 53, bytes(64))
    for word, has_ports in ((0x2000, True), (0x2001, False), (0x0001, False), (0x4000, True)):
        packet = whole[:6] + struct.pack("!H", word) + whole[8:]
        assert taken(Match(ports=(53, 53)), packet) == has_ports
        assert taken(Match(protocols=frozenset((17,))), packet)
    six = build.udp("fd00::1", "fd00::2", 1000, 53, bytes(64))[40:]
    for word, has_ports in ((0x0001, True), (0x0008, False), (0x0009, False), (0x0000, True)):
        header = struct.pack("!BBHI", 17, 0, word, 7)
        packet = build.ipv6("fd00::1", "fd00::2", 44, header + six)
        assert taken(Match(ports=(53, 53)), packet) == has_ports
        assert taken(Match(protocols=frozenset((17,))), packet)


def test_options_and_extension_headers_are_stepped_over() -> None:
    """Ports are behind the options of IPv4 and the extension headers of IPv6."""
    datagram = build.udp("10.0.0.1", "10.0.0.2", 1000, 53, b"x")
    options = bytes([0x48]) + datagram[1:2] + struct.pack("!H", len(datagram) + 12)
    packet = options + datagram[4:20] + b"\x01" * 12 + datagram[20:]
    assert taken(Match(ports=(53, 53)), packet)
    six = build.udp("fd00::1", "fd00::2", 1000, 53, b"x")[40:]
    chain = bytes([60, 0]) + bytes(6) + bytes([17, 1]) + bytes(14) + six
    assert taken(
        Match(protocols=frozenset((17,)), destination_ports=(53, 53)),
        build.ipv6("fd00::1", "fd00::2", 0, chain),
    )


def test_without_a_condition_there_is_no_function() -> None:
    """A rule for all packets costs no call."""
    assert matcher(None) is None
    assert matcher(Match()) is None


def test_icmp_is_that_of_either_version() -> None:
    """A rule may name several protocols."""
    icmp = Match(protocols=frozenset((1, 58)))
    for pair in (("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")):
        assert taken(icmp, build.icmp_echo(*pair, identifier=1, sequence=1))
        assert not taken(icmp, build.udp(*pair, 1, 2, b""))


def generated(random: Random) -> bytes:
    """A packet with options, extension headers, fragments, or cut at some place."""
    size = random.choice((0, 1, 8, 60))
    version = random.choice((4, 6))
    pair = ("10.6.1.1", "10.9.0.2") if version == 4 else ("fd06::1", "fd09::2")
    make = random.choice((build.udp, build.tcp))
    sides = (random.randrange(1, 65536), random.randrange(1, 65536))
    packet = (
        build.udp(*pair, *sides, random.randbytes(size))
        if make is build.udp
        else build.tcp(*pair, *sides, payload=random.randbytes(size))
    )
    if version == 4:
        if random.random() < 0.4:
            count = random.randrange(1, 11)
            packet = (
                bytes([0x45 + count, 0])
                + struct.pack("!H", len(packet) + 4 * count)
                + packet[4:20]
                + b"\x01" * 4 * count
                + packet[20:]
            )
        if random.random() < 0.3:
            word = random.choice((0x2000, 0x2008, 0x0010, 0x4000))
            packet = packet[:6] + struct.pack("!H", word) + packet[8:]
    else:
        data, following = packet[40:], packet[6]
        for _ in range(random.randrange(4)):
            kind = random.choice((0, 43, 44, 60))
            if kind == 44:
                word = random.choice((0, 1, 0x0041))
                data = struct.pack("!BBHI", following, 0, word, 9) + data
            else:
                # Padding (PadN), which no dissector finds odd; a routing header without segments.
                fill = bytes([1, 4, 0, 0, 0, 0]) if kind != 43 else bytes(6)
                data = bytes([following, 0]) + fill + data
            following = kind
        packet = build.ipv6(*pair, following, data)
    return packet


@needs("tshark")
def test_it_agrees_with_wireshark(tmp_path: Path) -> None:
    """Protocol, addresses and ports of random packets are those that Wireshark finds."""
    random = Random(11)
    made = [generated(random) for _ in range(600)]
    path = tmp_path / "made.pcap"
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
        for packet in made:
            file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    fields = ("ip.src", "ipv6.src", "udp.srcport", "tcp.srcport", "udp.dstport", "tcp.dstport")
    command = [str(shutil.which("tshark")), "-n", "-r", str(path), "-T", "fields"]
    for protocol in ("ip", "ipv6"):  # a fragment alone is shown as far as it goes
        command += ["-o", f"{protocol}.defragment:FALSE"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(
        command,
        check=True,
        capture_output=True,
        text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        timeout=120,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(made)
    with_ports = 0
    for packet, line in zip(made, lines, strict=True):
        seen = dict(zip(fields, line.split("\t"), strict=True))
        source = seen["ip.src"] or seen["ipv6.src"]
        assert taken(Match(source=ip_network(source)), packet)
        first = seen["udp.srcport"] or seen["tcp.srcport"]
        last = seen["udp.dstport"] or seen["tcp.dstport"]
        if not first:
            assert not taken(Match(ports=(0, 65535)), packet), (packet.hex(), line)
            continue
        with_ports += 1
        number = 17 if seen["udp.srcport"] else 6
        left, right = int(first), int(last)
        for match, takes in (
            (Match(protocols=frozenset((number,)), source_ports=(left, left)), True),
            (Match(destination_ports=(right, right)), True),
            (Match(protocols=frozenset((23 - number,)), ports=(0, 65535)), False),
            (Match(source_ports=(0, left - 1)), False),
        ):
            assert taken(match, packet) == takes, (packet.hex(), line, match)
    assert 200 < with_ports < 600


def test_the_protocols_with_ports_are_those_of_the_models() -> None:
    """What a request may ask for is what a packet can have."""
    from wintun_api.schemas import selection

    assert frozenset(WITH_PORTS) == selection.WITH_PORTS
