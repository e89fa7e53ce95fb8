"""Control frames, fragments and text: bounded, and nothing counts behind a close frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from tests.api.raw_connection import Raw, frame, handshake
from tests.running import TOKEN, RunningService, running

AUTH = f"Authorization: Bearer {TOKEN}"
TEXT, BINARY, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0
PACKET = bytes.fromhex("4500001c000000004001f7d90a0607080a06070708000000ffff0000")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """One service, with a session."""
    with running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def session(service: RunningService) -> str:
    """The id of a session."""
    return str(service.session(service.adapter(name="OfficeNet"))["id"])


def opened(service: RunningService, path: str, *headers: str) -> Raw:
    """Open a WebSocket."""
    raw = Raw(service.port)
    raw.send(handshake(path, AUTH, *headers))
    assert raw.answer().status == 101
    return raw


def packets(service: RunningService, session: str) -> Raw:
    """Open a packet socket that takes packets only."""
    return opened(service, f"/v1/sessions/{session}/packets?direction=none")


Open = Callable[[str], Raw]


@pytest.fixture
def opened_at(service: RunningService, session: str) -> Open:
    """Open the events, or the packet socket of the session."""
    return lambda path: packets(service, session) if path == "packets" else opened(service, path)


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    "late",
    [frame(BINARY, PACKET) * 50, frame(BINARY, PACKET, fin=False) + frame(CONT, fin=True)],
)
def test_nothing_behind_a_close_frame(
    service: RunningService, session: str, late: bytes, apart: bool
) -> None:
    """Packets that follow a close frame are not injected, in the same chunk or not."""
    before = service.counters(session)["injected"]["packets"]
    with packets(service, session) as raw:
        raw.send(frame(BINARY, PACKET) + frame(CLOSE) + (b"" if apart else late))
        if apart:
            raw.send(late)
        assert raw.close_frame() == 1005
        raw.until_closed()
    assert service.counters(session)["injected"]["packets"] == before + 1


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("late", [frame(BINARY, PACKET) * 50, frame(TEXT, b"x") * 50])
def test_nothing_behind_a_text_message(
    service: RunningService, session: str, late: bytes, apart: bool
) -> None:
    """Packets that follow a text message are not injected; 4010 closes the connection."""
    before = service.counters(session)["injected"]["packets"]
    with packets(service, session) as raw:
        raw.send(frame(BINARY, PACKET) + frame(TEXT, b"hi") + (b"" if apart else late))
        if apart:
            raw.send(late + frame(BINARY, PACKET))
        assert raw.close_frame() == 4010
        raw.send(frame(CLOSE))
        raw.until_closed()
    assert service.counters(session)["injected"]["packets"] == before + 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(TEXT, b"\xff\xfe"), 1007, id="text that is not UTF-8"),
        pytest.param(
            frame(TEXT, b"\xe2\x82", fin=False) + frame(CONT, b"("), 1007, id="in fragments"
        ),
        pytest.param(frame(CLOSE, b"\x03\xe8\xff"), 1007, id="a reason that is not UTF-8"),
        pytest.param(frame(CLOSE, b"\x03"), 1002, id="half a code"),
        pytest.param(frame(CLOSE, b"\x00\x01"), 1002, id="a code that is none"),
        pytest.param(frame(CONT, b"x"), 1002, id="a continuation of nothing"),
        pytest.param(frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002, id="two messages"),
        pytest.param(frame(3), 1002, id="an unknown opcode"),
        pytest.param(frame(PING, bytes(126)), 1002, id="a long ping"),
        pytest.param(frame(PING, b"", fin=False), 1002, id="a ping in fragments"),
        pytest.param(b"\x81\x01x", 1002, id="no mask"),
        pytest.param(b"\xc1\x80\0\0\0\0", 1002, id="a reserved bit"),
        pytest.param(frame(BINARY, bytes(300_000)), 1009, id="a large message"),
        pytest.param(
            frame(BINARY, bytes(200_000), fin=False) + frame(CONT, bytes(200_000)),
            1009,
            id="large in fragments",
        ),
        pytest.param(
            frame(BINARY, b"", fin=False) + frame(CONT, b"", fin=False) * 100_000,
            1009,
            id="many fragments",
        ),
        pytest.param(
            frame(TEXT, b"", fin=False) + frame(CONT, b"x", fin=False) * 100_000,
            1009,
            id="many small fragments",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/v1/events", "packets"])
def test_what_breaks_the_protocol(
    opened_at: Open, path: str, data: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is answered with the code of RFC 6455, the connection ends, and no line is logged."""
    caplog.set_level(logging.WARNING)
    with opened_at(path) as raw:
        raw.send(data)
        assert raw.close_frame() == code
        raw.until_closed()
    assert caplog.records == []


def test_pings_are_answered(service: RunningService) -> None:
    """A client that reads gets a pong for each ping, in order."""
    with opened(service, "/v1/events") as raw:
        raw.frame()  # the snapshot
        raw.send(b"".join(frame(PING, b"%d" % number) for number in range(500)))
        assert [raw.frame() for _ in range(500)] == [(PONG, b"%d" % n) for n in range(500)]


@pytest.mark.thorough
@pytest.mark.parametrize("path", ["/v1/events", "packets"])
def test_pings_of_a_client_that_does_not_read(opened_at: Open, path: str) -> None:
    """It is cut off long before a million pings."""
    with opened_at(path) as raw:
        chunk = frame(PING, bytes(125)) * 1000
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(1000):
                raw.socket.sendall(chunk)


def test_chatter_to_the_events(service: RunningService) -> None:
    """Text for the events is taken and dropped, and holds no ping back for ever."""
    with opened(service, "/v1/events") as raw:
        raw.frame()
        raw.send(frame(TEXT, b"hello") * 50_000 + frame(BINARY, b"") * 1000 + frame(PING, b"end"))
        answer = raw.frame()
        while answer[0] == TEXT:  # an event of a session before this
            answer = raw.frame()
        assert answer == (PONG, b"end")
        raw.send(frame(TEXT, b"more") + frame(CLOSE, b"\x03\xe8"))
        assert raw.close_frame() == 1000


def test_messages_before_the_answer(service: RunningService, session: str) -> None:
    """Packets that a hasty client sends behind its handshake are injected once it is accepted."""
    before = service.counters(session)["injected"]["packets"]
    with Raw(service.port) as raw:
        head = handshake(f"/v1/sessions/{session}/packets?direction=none", AUTH)
        raw.send(head + frame(BINARY, PACKET) * 3 + frame(CLOSE))
        assert raw.answer().status == 101
        assert raw.close_frame() == 1005
    assert service.counters(session)["injected"]["packets"] == before + 3
