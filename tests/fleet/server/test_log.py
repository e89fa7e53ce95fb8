"""What nats-server says, as its user reads it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from wintun_api.fleet.server import log
from wintun_api.fleet.server.log import ServerLog


def read(*chunks: bytes) -> ServerLog:
    """Let a log read these, to the end."""

    async def reading() -> ServerLog:
        stream = asyncio.StreamReader()
        made = ServerLog(stream)
        for chunk in chunks:
            stream.feed_data(chunk)
        stream.feed_eof()
        await made.ended()
        return made

    return asyncio.run(reading())


def test_warnings_and_errors_are_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    """Lines of its normal work are not, and the last error is kept."""
    made = read(b"[7] [INF] Starting\n[7] [WRN] low dis", b"k\n[7] [ERR] refused\n[7] [INF] x\n")
    assert [(one.levelno, one.getMessage()) for one in caplog.records] == [
        (logging.WARNING, "nats-server: low disk"),
        (logging.WARNING, "nats-server: refused"),
    ]
    assert made.last == "refused"
    assert not made.ready.is_set()


def test_it_is_ready_when_it_says_so() -> None:
    """Not before, and whatever comes in the same bytes."""
    assert read(b"[7] [INF] Listening\n[7] [INF] Server is ready\n[7] [INF] more\n").ready.is_set()


def test_what_is_no_line_of_its_log_is_its_last_word(caplog: pytest.LogCaptureFixture) -> None:
    """A wrong configuration is told without the form of a log line."""
    made = read(b"nats-server: /x/nats-server.conf:1:2: unknown field")
    assert made.last == "nats-server: /x/nats-server.conf:1:2: unknown field"
    assert caplog.records[0].levelno == logging.ERROR


def test_the_rate_of_lines_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """A client that is refused a million times writes a few lines, and the others are counted."""
    read(b"[7] [ERR] refused\n" * 1000)
    assert len(caplog.records) == log.LIMIT + 1
    assert caplog.records[-1].getMessage() == (
        f"nats-server: {1000 - log.LIMIT} more lines are left out."
    )


def test_a_line_without_an_end_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Neither memory nor the log take what a client can make arbitrarily long."""
    made = read(b"[7] [ERR] ", *[b"x" * log.READ_AT_ONCE] * 20)
    assert len(made.last) == log.MAX_LINE
    assert len(caplog.records) == 1
