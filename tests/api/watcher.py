"""Clients that count what a session gives them until it ends, and the ways it can end."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.api.host import host_sends
from tests.conftest import Rig
from tests.raw_websocket import open_websocket
from tests.running import TOKEN
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.hub.session import ManagedSession
from wintun_api.wire import BATCH, PCAPNG, RAW, unpack

# More than the queue and all buffers of the system take; large packets are sooner sent.
TOTAL = 1_500
SIZE = 14_000


class Watcher:
    """A client that counts what it gets, from now on or from when it is told to."""

    def __init__(
        self, rig: Rig, session: str, protocol: str, query: str, token: str | None = TOKEN
    ) -> None:
        path = f"/v1/sessions/{session}/packets{query}"
        connection = open_websocket(rig.service, path, protocol, token=token, max_queue=1)
        self.socket = connection.__enter__()
        self.protocol = protocol
        self.packets: list[bytes] = []
        self.file = b""
        self.texts: list[dict[str, Any]] = []
        self.code: int | None = None
        self._reads = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def read(self) -> None:
        """Begin to read."""
        self._reads.set()

    def join(self) -> None:
        """Read to the end."""
        self.read()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self._reads.wait(30)
        with suppress(ConnectionClosed, TimeoutError):
            while True:
                message = self.socket.recv(30)
                if isinstance(message, str):
                    self.texts.append(json.loads(message))
                elif self.protocol == BATCH:
                    self.packets += [p for batch in unpack(message) for p in batch.packets]
                elif self.protocol == RAW:
                    self.packets.append(message)
                else:
                    self.file += message
        self.code = self.socket.close_code

    @property
    def delivered(self) -> int:
        """Packets that came."""
        if self.protocol == PCAPNG:
            return len(list(Reader([self.file])))
        return len(self.packets)

    def lost(self) -> Counter[str]:
        """Packets that it was told of, by cause."""
        counts: Counter[str] = Counter()
        for text in self.texts:
            if text["type"] == "lost":
                counts[text["cause"]] += text["count"]
        return counts


def the_session(rig: Rig, session: str) -> ManagedSession:
    """The hub's own object, which is there when the service is not any more."""
    return rig.service.service.context.registry.sessions.by_id(session)


def flood(rig: Rig, session: str, total: int = TOTAL) -> None:
    """Let the host send, and wait until all was read, or a client blocks."""
    managed = the_session(rig, session)
    for first in range(0, total, 100):
        host_sends(rig, 100, SIZE, first)
    until(lambda: managed.counters.received_packets >= total or managed.fanout.blocked)


def delete_session(rig: Rig, session: str) -> dict[str, Any]:
    """End the session; return its last counters."""
    answer = rig.service.http.delete(f"/v1/sessions/{session}")
    assert answer.status_code == 200
    return dict(answer.json()["counters"])


def stop_service(rig: Rig, session: str) -> dict[str, Any]:
    """End the service; return the session's last counters."""
    managed = the_session(rig, session)
    assert rig.service.stop() < 10
    return counts_of(managed)


def delete_adapter(rig: Rig, session: str) -> dict[str, Any]:
    """Delete the session's adapter."""
    managed = the_session(rig, session)
    guid = managed.adapter
    assert rig.service.http.delete(f"/v1/adapters/{guid}").status_code == 200
    return counts_of(managed)


def counts_of(managed: ManagedSession) -> dict[str, Any]:
    """What the API would say."""
    view = managed.view()
    counters = view.counters
    return {
        "received": {"packets": counters.received_packets},
        "lost": {
            "ring": view.ring_lost,
            "queue": counters.queue_lost,
            "ended": counters.ended,
            "unclaimed": counters.received_unclaimed,
        },
    }
