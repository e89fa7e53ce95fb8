"""Records and messages that lie across segments are found in the packets that tshark names."""

from __future__ import annotations

import json
import ssl
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from tests.needs import need
from tests.packet.bundle import bundled
from tests.packet.corpus import LINKTYPE_RAW
from wintun_api.packet import build

pytestmark = pytest.mark.heavy

FIND = Path(__file__).parents[2] / "web" / "test" / "filter" / "find.ts"
HOST, PEER = "10.6.7.7", "192.0.2.9"
SYN, ACK = build.TCP_SYN, build.TCP_ACK

TLS = (
    "tls.record",
    "tls.record.content_type == 20",
    "tls.record.content_type == 22",
    "tls.record.content_type == 23 or tls.record.opaque_type == 23",
    "tls.record.length > 3000",
    "tls.handshake.type == 1",
    "tls.handshake.type == 2",
    "tls.handshake.type == 11",
    'tls.handshake.extensions_server_name == "host.example"',
)
HTTP = (
    *(f'http.request.uri == "/{name}"' for name in ("one", "two", "three", "four", "five")),
    *(f"http.response.code == {code}" for code in (200, 201, 202, 204, 404)),
)


class Talk:
    """The packets of connections."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        # Of each direction, what its segments carry, with the number of the packet.
        self.streams: list[list[tuple[int, bytes]]] = []

    def say(self, port: int, service: int, size: int, *pieces: bytes) -> None:
        """Open a connection and send pieces there and back in turn, in segments of a size."""
        ends = ((HOST, PEER, port, service), (PEER, HOST, service, port))
        numbers = [101, 501]
        streams: tuple[list[tuple[int, bytes]], ...] = ([], [])
        self.streams += streams
        for way, number, seen, flags in ((0, 100, 0, SYN), (1, 500, 101, SYN | ACK)):
            self._add(ends[way], number, seen, flags)
        self._add(ends[0], 101, 501, ACK)
        for turn, piece in enumerate(pieces):
            way = turn % 2
            for at in range(0, len(piece), size):
                data = piece[at : at + size]
                self._add(ends[way], numbers[way], numbers[1 - way], ACK, data)
                numbers[way] += len(data)
                streams[way].append((len(self.packets), data))

    def _add(
        self, ends: tuple[str, str, int, int], number: int, seen: int, flags: int, data: bytes = b""
    ) -> None:
        self.packets.append(
            build.tcp(
                *ends,
                sequence=number,
                acknowledgement=seen,
                flags=flags,
                window=65000,
                payload=data,
            )
        )

    def write(self, path: Path) -> None:
        """Write a capture file."""
        head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, LINKTYPE_RAW)
        with path.open("wb") as file:
            file.write(head)
            for number, packet in enumerate(self.packets):
                size = len(packet)
                file.write(struct.pack("<IIII", 1_700_000_000, number * 1000, size, size) + packet)


def secured(folder: Path, version: ssl.TLSVersion, size: int) -> list[bytes]:
    """Return what two ends of TLS say in turn, the client first."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*make_certificate(folder / version.name))
    client = ssl.create_default_context()
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.minimum_version = client.maximum_version = version
    client.set_alpn_protocols(["x" * 200 for _ in range(5)])
    wires = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(wires[1], wires[0], server_hostname="host.example"),
        server.wrap_bio(wires[0], wires[1], server_side=True),
    )
    pieces: list[bytes] = []
    steps: list[Callable[[], object]] = [end.do_handshake for end in ends * 3]
    steps += [partial(end.write, bytes(size)) for end in ends]
    for turn, step in enumerate(steps):
        wire = wires[turn % 2]
        with suppress(ssl.SSLWantReadError):
            step()
        data = wire.read()
        pieces.append(data)
        wire.write(data)
    return pieces


def ours(record: Path, filters: tuple[str, ...]) -> list[list[int]]:
    """Return the packets that the page finds with each filter."""
    module = bundled(FIND, record.parent)
    done = subprocess.run(
        ["node", module, record, *filters], check=True, capture_output=True, text=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def theirs(record: Path, filter_: str, *options: str) -> list[int]:
    """Return the packets that tshark finds."""
    command = ["tshark", "-n", *options, "-r", str(record), "-Y", filter_, "-T", "fields"]
    home = {"HOME": str(record.parent), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, "-e", "frame.number"],
        check=True, capture_output=True, text=True, env=home, timeout=60,
    )  # fmt: skip
    return [int(line) for line in done.stdout.split()]


def begun(talk: Talk) -> set[int]:
    """Return the packets in which a record of TLS begins, with its whole header."""
    found = set()
    for stream in talk.streams:
        data = b"".join(piece for _, piece in stream)
        numbers = [number for number, piece in stream for _ in piece]
        at = 0
        while at < len(data):
            if numbers[at] == numbers[at + 4]:
                found.add(numbers[at])
            at += 5 + int.from_bytes(data[at + 3 : at + 5])
    return found


@pytest.mark.parametrize("size", [300, 1460])
def test_a_record_is_found_where_it_begins_and_ends(size: int, tmp_path: Path) -> None:
    """Filters find what tshark finds, and beside that only packets in which a record begins."""
    need("node", "tshark")
    record = tmp_path / "record.pcap"
    talk = Talk()
    for port, version in ((40001, ssl.TLSVersion.TLSv1_2), (40002, ssl.TLSVersion.TLSv1_3)):
        talk.say(port, 443, size, *secured(tmp_path, version, 40_000))
    talk.write(record)
    all_found: set[int] = set()
    for filter_, found in zip(TLS, ours(record, TLS), strict=True):
        expected = theirs(record, filter_)
        assert set(expected) <= set(found) <= set(expected) | begun(talk), filter_
        assert expected, filter_
        all_found |= set(found)
    assert all_found >= begun(talk)


@pytest.mark.parametrize("size", [40, 300])
def test_a_message_is_found_where_its_head_is(size: int, tmp_path: Path) -> None:
    """Each is found there and where its head ends, not later than where tshark has all of it."""
    need("node", "tshark")
    record = tmp_path / "record.pcap"
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n"
    chunks = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks += b"%x\r\n%s\r\n" % (90, b"GET / HTTP/1.1\r\n\r\n" * 5) + b"0\r\n\r\n"
    talk = Talk()
    talk.say(
        40001, 80, size,
        b"GET /one HTTP/1.1\r\nHost: a\r\n\r\nPOST /two HTTP/1.1\r\nContent-Length: 300\r\n\r\n"
        + b"b" * 300 + b"GET /three HTTP/1.1\r\nHost: a\r\n\r\n",
        head % (b"200 OK", 700) + b"c" * 700 + chunks + head % (b"404 Not Found", 3) + b"dee",
        b"HEAD /four HTTP/1.1\r\n\r\n", head % (b"202 Accepted", 9000),
        b"GET /five HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
    )  # fmt: skip
    talk.write(record)
    for filter_, found in zip(HTTP, ours(record, HTTP), strict=True):
        expected = theirs(record, filter_)
        assert 1 <= len(found) <= 2, (filter_, found, expected)
        assert found <= expected, filter_
