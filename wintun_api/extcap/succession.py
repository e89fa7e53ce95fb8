"""Live captures that follow one another as one: each begins before the previous one is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from queue import Queue
from typing import Final, TypeAlias

from wintun_api.capture.history import whole_blocks

QUEUE: Final = 64  # chunks that wait; a capture waits when Wireshark reads slowly
ALL: Final = 0  # stands for every capture; the first is number 1

Capture: TypeAlias = AbstractContextManager[Iterator[bytes]]


class Succession:
    """Pass on the newest of several live captures, whole blocks at a time.

    A capture that is left ends with its next packet, which is not passed on. Packets that pass in
    the moment of the change can be missing.

    Args:
        capture: Called in a thread with a filter; returns a capture with it.
    """

    def __init__(self, capture: Callable[[str], Capture]) -> None:
        self._capture = capture
        self._newest = 0
        self._begun = 0  # the newest of which something has come
        self._lock = threading.Lock()
        self._chunks: Queue[tuple[int, bytes | Exception | None]] = Queue(QUEUE)

    def follow(self, filter: str) -> None:  # noqa: A002 - Wireshark's word
        """Begin a capture; it takes the place of the previous one as soon as it answers."""
        with self._lock:
            self._newest += 1
            number = self._newest
        name = f"capture:{number}"
        threading.Thread(target=self._run, args=(number, filter), name=name, daemon=True).start()

    def end(self, reason: Exception) -> None:
        """Let `chunks` raise an exception, after what has come."""
        self._chunks.put((ALL, reason))

    def chunks(self) -> Iterator[bytes]:
        """Yield whole blocks until the newest capture ends.

        Raises:
            Exception: That capture has failed, or was ended with it.
        """
        current = 0
        while True:
            number, chunk = self._chunks.get()
            if isinstance(chunk, bytes):
                if number >= current:
                    current = number
                    yield chunk
            elif number in (ALL, self._newest):
                if chunk is not None:
                    raise chunk
                return

    def _run(self, number: int, filter: str) -> None:  # noqa: A002
        try:
            with self._capture(filter) as chunks:
                for chunk in whole_blocks(chunks):
                    with self._lock:
                        if number < self._begun:
                            return
                        self._begun = number
                    self._chunks.put((number, chunk))
        except Exception as error:  # noqa: BLE001 - it is raised where the chunks are taken
            self._chunks.put((number, error))
        else:
            self._chunks.put((number, None))
