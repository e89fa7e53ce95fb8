"""Filters and times per packet on the packet socket, over the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.host import closed_code
from tests.libpcap import need_libpcap
from tests.raw_websocket import RawPackets, open_websocket, raw_packets
from tests.running import RunningService
from tests.waiting import until
from wintun_api.client import operations
from wintun_api.packet import build
from wintun_api.schemas.control import FilterChanged, Hello
from wintun_api.wire import BATCH, RAW, Batch, pack

need_libpcap(module=True)

SOURCE, TARGET = "10.6.7.8", "10.6.7.7"
Row = tuple[int, bytes]


def packet(number: int, size: int = 0) -> bytes:
    """Make a packet that carries its number; every third one is TCP, the others UDP."""
    payload = number.to_bytes(4, "big") * (1 + number % 7) + bytes(size)
    if number % 3:
        return build.udp(SOURCE, TARGET, 1000 + number % 5, 9, payload)
    return build.tcp(SOURCE, TARGET, 1000 + number % 5, 9, payload=payload)


def watching(**query: object) -> str:
    """The query of a client that watches what others inject."""
    told = {"direction": "injected", **query}
    return "?" + "&".join(f"{name}={quote(str(value))}" for name, value in told.items())


def rows(batches: list[Batch]) -> Iterator[Row]:
    """The number and the bytes of each packet."""
    for batch in batches:
        number = batch.sequence
        deltas = batch.sequence_deltas or [0] + [1] * (len(batch.packets) - 1)
        for delta, one in zip(deltas, batch.packets, strict=True):
            number += delta
            yield number, one


def inject(client: RawPackets, numbers: range, size: int = 0) -> None:
    """Inject these packets in messages of several, and wait until all were taken."""
    accepted = 0
    for start in range(numbers.start, numbers.stop, 16):
        some = [packet(one, size) for one in range(start, min(start + 16, numbers.stop))]
        client.socket.send(pack(Batch(some)))
    while accepted < len(numbers):
        accepted += client.text("ack")["accepted"]


def gathered(client: RawPackets, last: int) -> list[Row]:
    """Return what a client gets up to the packet of this number."""
    found = list(rows(client.batches))
    while not found or found[-1][0] < last:
        client.read()
        found = list(rows(client.batches))
    return found


@pytest.mark.parametrize("snaplen", [0, 40])
@pytest.mark.parametrize("expression", ["tcp", "udp", "src port 1002", "less 33"])
def test_a_filter_and_its_opposite(
    service: RunningService, session: str, expression: str, snaplen: int
) -> None:
    """Together two clients get exactly what an unfiltered one gets, with the same numbers."""
    with ExitStack() as stack:
        whole, chosen, others, sender = (
            stack.enter_context(raw_packets(service, session, query))
            for query in (
                watching(snaplen=snaplen),
                watching(snaplen=snaplen, filter=expression),
                watching(snaplen=snaplen, filter=f"not ({expression})"),
                "?direction=none",
            )
        )
        assert chosen.hello["filter"] == expression
        inject(sender, range(500))
        everything = gathered(whole, 499)
        assert len(everything) == 500
        last = max(number for number, _ in everything)
        end = {True: 0, False: 0}
        for number in range(last + 1):
            end[matches(expression, packet(number))] = number
        one, other = gathered(chosen, end[True]), gathered(others, end[False])
        assert sorted(one + other) == everything
        assert [number for number, _ in one] == [
            number for number in range(500) if matches(expression, packet(number))
        ]
        assert all(batch.sequence_deltas is None for batch in whole.batches)


def matches(expression: str, content: bytes) -> bool:
    """Say what an expression of the test above means, without libpcap."""
    return {
        "tcp": content[9] == 6,
        "udp": content[9] == 17,
        "src port 1002": int.from_bytes(content[20:22], "big") == 1002,
        "less 33": len(content) <= 33,
    }[expression]


def test_losses_of_a_filtered_client(service: RunningService, session: str) -> None:
    """What matched and was dropped is told with its numbers, and all that matched is accounted."""
    path = f"/v1/sessions/{session}/packets{watching(filter='tcp', queue_packets=8)}"
    with (
        open_websocket(service, path, BATCH, max_queue=1) as slow,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        client = RawPackets(slow)
        managed = service.service.context.registry.sessions.by_id(session)
        (subscriber,) = managed.fanout.subscribers
        inject(sender, range(3000), size=14_000)  # more than all buffers take
        found = gathered(client, 2997)
        assert all(number % 3 == 0 for number, _ in found)
        lost = 0
        while len(found) + lost < 1000:
            loss = client.text("lost")
            assert loss["first"] % 3 == loss["last"] % 3 == 0
            lost += loss["count"]
        assert lost > 0
        assert len(found) + lost == 1000
        assert subscriber.offered_packets == 1000


def test_a_live_change_is_exact(service: RunningService, session: str) -> None:
    """`next_sequence` is the first packet under the new filter; no packet is missed or extra."""
    with (
        raw_packets(service, session, watching(filter="tcp")) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        borders = []
        for turn, expression in enumerate(("udp", "src port 1001", "")):
            inject(sender, range(300 * turn, 300 * turn + 300))
            client.socket.send(json.dumps({"type": "filter", "filter": expression}))
            said = client.text("filter")
            answer = FilterChanged.model_validate(said)
            assert (answer.filter, answer.valid, answer.error) == (expression, True, None)
            assert answer.next_sequence is not None
            borders.append(answer.next_sequence.injected)
        inject(sender, range(900, 1200))
        found = gathered(client, 1199)
        assert borders == [300, 600, 900]
        expected = [
            number
            for number in range(1200)
            if (
                number % 3 == 0
                if number < 300
                else number % 3
                if number < 600
                else number % 5 == 1
                if number < 900
                else True
            )
        ]
        assert [number for number, _ in found] == expected


def test_a_filter_that_is_not_valid_changes_nothing(service: RunningService, session: str) -> None:
    """The answer says where it is wrong, and the filter before goes on."""
    with (
        raw_packets(service, session, watching(filter="tcp")) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        client.socket.send(json.dumps({"type": "filter", "filter": "tcp prot 80"}))
        answer = FilterChanged.model_validate(client.text("filter"))
        assert not answer.valid
        assert answer.error is not None
        assert answer.error.offset == 4
        inject(sender, range(6))
        assert [number for number, _ in gathered(client, 3)] == [0, 3]


@pytest.mark.parametrize(
    ("members", "reason", "offset"),
    [
        ({"filter": "a" * 5000}, "it is longer than 4,096 characters", 4096),
        ({"filter": None}, "filter: Input should be a valid string", 0),
        ({"filter": ["tcp"]}, "filter: Input should be a valid string", 0),
        ({}, "filter: Field required", 0),
        ({"filter": "tcp", "snaplen": 9}, "snaplen: Extra inputs are not permitted", 0),
        ({"filter": "tcp \ud800"}, "Invalid JSON", 0),
    ],
    ids=["long", "null", "list", "missing", "unknown member", "half a character"],
)
def test_a_message_about_a_filter_that_is_wrong(
    service: RunningService, session: str, members: dict[str, Any], reason: str, offset: int
) -> None:
    """It is answered like a filter that is not valid, and the stream goes on as before."""
    with (
        raw_packets(service, session, watching(filter="tcp")) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        client.socket.send(json.dumps({"type": "filter", **members}))
        answer = FilterChanged.model_validate(client.text("filter"))
        assert not answer.valid
        assert answer.error is not None
        assert reason in answer.error.message
        assert answer.error.offset == offset
        inject(sender, range(6))
        assert [number for number, _ in gathered(client, 3)] == [0, 3]


def test_raw_has_filters_too(service: RunningService, session: str) -> None:
    """v1.raw carries what matches and nothing else; a wrong filter closes it, saying why."""
    path = f"/v1/sessions/{session}/packets{watching(filter='tcp')}"
    with (
        open_websocket(service, path, RAW) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        inject(sender, range(7))
        assert [client.recv(30) for _ in range(3)] == [packet(0), packet(3), packet(6)]
        client.send(json.dumps({"type": "filter", "filter": "udp prot"}))
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(30)
        assert closed_code(closed) == 4010
        assert closed.value.rcvd is not None
        assert "The filter was not taken" in closed.value.rcvd.reason


def test_raw_changes_its_filter(service: RunningService, session: str) -> None:
    """A valid filter holds without an answer, which v1.raw does not have."""
    path = f"/v1/sessions/{session}/packets{watching(filter='tcp')}"
    with (
        open_websocket(service, path, RAW) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        fanout = service.service.context.registry.sessions.by_id(session).fanout
        client.send(json.dumps({"type": "filter", "filter": "udp"}))
        until(
            lambda: [one.filter and one.filter.expression for one in fanout.subscribers] == ["udp"]
        )
        inject(sender, range(3))
        assert [client.recv(30) for _ in range(2)] == [packet(1), packet(2)]


@pytest.mark.parametrize(
    "path", ["/v1/sessions/{session}/packets", "/v1/adapters/{adapter}/packets"]
)
@pytest.mark.parametrize("protocol", [BATCH, RAW])
def test_a_bad_filter_in_the_handshake(
    service: RunningService, session: str, path: str, protocol: str
) -> None:
    """It is refused before the socket opens, as other values that cannot be used."""
    adapter = service.ask(operations.get_session(session))["adapter"]
    target = path.format(session=session, adapter=adapter) + "?filter=tcp%20prot%2080"
    with pytest.raises(InvalidStatus) as refused:
        open_websocket(service, target, protocol)
    assert refused.value.response.status_code == 422
    problem: dict[str, Any] = json.loads(refused.value.response.body or b"")
    assert problem["type"].endswith("invalid-filter")


def test_times_of_packets(service: RunningService, session: str) -> None:
    """A client that asks has a time for each packet, and one that does not meets no flag 8."""
    before = time.time_ns()
    with (
        raw_packets(service, session, "?direction=both&times=packet") as timed,
        raw_packets(service, session, "?direction=both") as plain,
    ):
        assert Hello.model_validate(timed.hello).times == "packet"
        assert Hello.model_validate(plain.hello).times == "burst"
        requests = [
            build.icmp_echo(SOURCE, TARGET, identifier=1, sequence=number) for number in range(20)
        ]
        timed.socket.send(pack(Batch(requests)))
        while sum(len(one.packets) for one in timed.batches) < 40:
            timed.read()
        while sum(len(one.packets) for one in plain.batches) < 40:
            plain.read()
        after = time.time_ns()
        for direction in (True, False):
            found = [one for one in timed.batches if one.injected is direction]
            times = [one.time_ns + later for one in found for later in one.times or ()]
            assert len(times) == 20
            assert times == sorted(times)
            assert before <= times[0] <= times[-1] <= after
        received = [one for one in timed.batches if not one.injected]
        assert any(later for one in received for later in one.times or ())
        assert all(one.times is None for one in plain.batches)


def test_times_with_a_filter_and_a_cut(service: RunningService, session: str) -> None:
    """All columns come together: original lengths, numbers and times."""
    query = watching(filter="tcp", snaplen=24, times="packet")
    with (
        raw_packets(service, session, query) as client,
        raw_packets(service, session, "?direction=none") as sender,
    ):
        inject(sender, range(9))
        assert [number for number, _ in gathered(client, 6)] == [0, 3, 6]
        lengths = [length for one in client.batches for length in one.original_lengths or ()]
        assert lengths == [len(packet(number)) for number in (0, 3, 6)]
        assert all(len(one.times or ()) == len(one.packets) for one in client.batches)
