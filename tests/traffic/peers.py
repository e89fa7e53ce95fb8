"""Programs that stand behind an adapter, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.running import RunningService
from wintun_api.client import ClientError, PacketStream
from wintun_api.packet import build
from wintun_api.wire import BATCH, RAW

# How the client calls the framings.
FRAMINGS = {RAW: "v1.raw", BATCH: "v1.batch"}


def answer(stream: PacketStream) -> None:
    """Answer every echo request."""
    for burst in stream:
        replies = [reply for packet in burst.packets if (reply := build.echo_reply(packet))]
        if replies:
            stream.put(replies)


@contextmanager
def responder(service: RunningService, session: str, protocol: str) -> Iterator[None]:
    """Answer pings behind an adapter for a while."""
    with service.packets(session, protocol=FRAMINGS[protocol]) as stream, working((answer, stream)):
        yield


@contextmanager
def bridge(service: RunningService, one: str, other: str, **options: object) -> Iterator[None]:
    """Join two sessions: what one host sends, the other one receives."""
    with (
        service.packets(one, **options) as first,
        service.packets(other, **options) as second,
        joined(first, second),
    ):
        yield


@contextmanager
def joined(one: PacketStream, other: PacketStream) -> Iterator[None]:
    """Pass on what comes at either end to the other one, for a while."""
    with working((_forward, one, other), (_forward, other, one)):
        yield


@contextmanager
def working(*works: tuple[Callable[..., None], PacketStream, *tuple[Any, ...]]) -> Iterator[None]:
    """Do work in threads for a while, each until the stream that it reads is closed."""
    threads = [threading.Thread(target=_until_closed, args=work) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for _, stream, *_ in works:
            stream.close()
        for thread in threads:
            thread.join()


def _forward(source: PacketStream, destination: PacketStream) -> None:
    for burst in source:
        destination.put(burst.packets)


def _until_closed(work: Callable[..., None], *arguments: object) -> None:
    with suppress(ClientError):
        work(*arguments)
