"""WebSocket clients that stand behind an adapter, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.running import RunningService
from wintun_api.packet import build
from wintun_api.wire import BATCH, Batch, pack, unpack


def answer_raw(socket: ClientConnection) -> None:
    """Answer every echo request, a packet a message."""
    for packet in socket:
        assert isinstance(packet, bytes)
        reply = build.echo_reply(packet)
        if reply is not None:
            socket.send(reply)


def answer_batch(socket: ClientConnection) -> None:
    """Answer every echo request, a batch at a time."""
    for message in socket:
        if isinstance(message, bytes):
            packets = [packet for batch in unpack(message) for packet in batch.packets]
            replies = [reply for packet in packets if (reply := build.echo_reply(packet))]
            if replies:
                socket.send(pack(Batch(replies)))


@contextmanager
def responder(service: RunningService, session: str, protocol: str) -> Iterator[None]:
    """Answer pings behind an adapter for a while."""
    answer = answer_batch if protocol == BATCH else answer_raw
    with service.connect(f"/v1/sessions/{session}/packets", protocol) as socket:
        thread = threading.Thread(target=_until_closed, args=(answer, socket))
        thread.start()
        yield
        socket.close()
        thread.join()


@contextmanager
def bridge(service: RunningService, one: str, other: str, query: str = "") -> Iterator[None]:
    """Join two sessions: what one host sends, the other one receives.

    A batch is a batch in both directions, so it is passed on as it came.
    """
    with ExitStack() as stack:
        ends = [
            stack.enter_context(service.connect(f"/v1/sessions/{session}/packets{query}", BATCH))
            for session in (one, other)
        ]
        with joined(*ends):
            yield


@contextmanager
def joined(one: ClientConnection, other: ClientConnection) -> Iterator[None]:
    """Pass on what comes at either end to the other one, for a while."""
    threads = [
        threading.Thread(target=_until_closed, args=(_forward, *pair))
        for pair in ((one, other), (other, one))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for end in (one, other):
            end.close()
        for thread in threads:
            thread.join()


def _forward(source: ClientConnection, destination: ClientConnection) -> None:
    for message in source:
        if isinstance(message, bytes):
            destination.send(message)


def _until_closed(work: Callable[..., None], *arguments: object) -> None:
    with suppress(ConnectionClosed):
        work(*arguments)
