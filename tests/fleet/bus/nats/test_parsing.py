"""What a server says: the same operations however its bytes are cut, and nothing that it is not."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.errors import ProtocolError

from wintun_api.fleet.bus.nats.parsing import MAX_CONTROL, Parsing

SAID = (
    b'INFO {"server_id":"x"}\r\n'
    b"PING\r\n"
    b"MSG wt.lab.ev.a 1 5\r\nhello\r\n"
    b"MSG wt.lab.api.a 22 _INBOX.x 4\r\n\r\n\r\n\r\n"
    b"HMSG wt.lab.ev.a 3 12 13\r\nNATS/1.0\r\n\r\nx\r\n"
    b"HMSG wt.lab.ev.a 3 reply 12 12\r\nNATS/1.0\r\n\r\n\r\n"
    b"MSG wt.lab.ev.\x0b\xff 1 0\r\n\r\n"
    b"-ERR 'Permissions Violation'\r\n"
    b"+OK\r\n"
    b"PONG\r\n"
)
DONE = [
    ("info", {"server_id": "x"}),
    ("ping",),
    ("msg", 1, b"wt.lab.ev.a", b"", b"hello", None),
    ("msg", 22, b"wt.lab.api.a", b"_INBOX.x", b"\r\n\r\n", None),
    ("msg", 3, b"wt.lab.ev.a", b"", b"x", b"NATS/1.0\r\n\r\n"),
    ("msg", 3, b"wt.lab.ev.a", b"reply", b"", b"NATS/1.0\r\n\r\n"),
    ("msg", 1, b"wt.lab.ev.\x0b\xff", b"", b"", None),
    ("err", "'permissions violation'"),
    ("pong",),
]


class Noting:
    """Note each operation."""

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        self.done.append(("msg", sid, subject, reply, data, headers))

    async def _process_err(self, err_msg: str) -> None:
        self.done.append(("err", err_msg))

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.done.append(("info", info))

    async def _process_ping(self) -> None:
        self.done.append(("ping",))

    async def _process_pong(self) -> None:
        self.done.append(("pong",))


def parsed(*parts: bytes) -> list[tuple[Any, ...]]:
    """Return what is done with bytes that come in these parts."""
    noting = Noting()
    parsing = Parsing(noting)

    async def work() -> None:
        for one in parts:
            await parsing.parse(one)

    asyncio.run(work())
    return noting.done


@given(st.lists(st.integers(0, len(SAID)), max_size=20))
def test_the_same_however_it_is_cut(cuts: list[int]) -> None:
    """Each operation is done once, when it is whole."""
    ends = sorted({0, len(SAID), *cuts})
    parts = [SAID[start:end] for start, end in pairwise(ends)]
    assert parsed(*parts) == DONE


def test_byte_by_byte() -> None:
    """Also where every byte comes alone."""
    assert parsed(*(SAID[at : at + 1] for at in range(len(SAID)))) == DONE


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"MSG a 1\r\n",
        b"MSG a 1 2 3 4\r\n",
        b"MSG a x 0\r\n\r\n",
        b"MSG a 1 -1\r\n\r\n",
        b"HMSG a 1 5 4\r\nabcd\r\n",
        b"HMSG a 1 5\r\n",
        b"INFO {\r\n",
        b"INFO " + b"[" * 50_000 + b"\r\n",
        b"\r\n",
        b"x" * MAX_CONTROL,
    ],
)
def test_what_is_not_the_protocol(said: bytes) -> None:
    """Anything else ends the connection."""
    with pytest.raises(ProtocolError):
        parsed(said)


@given(st.binary())
def test_any_bytes(said: bytes) -> None:
    """No bytes cause another error."""
    with suppress(ProtocolError):
        parsed(said)
