"""What hosts really get: the packets that their services have given to them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from wintun_api.client import Burst
from wintun_api.testing.link import RECORDED, Delivery, Side

if TYPE_CHECKING:
    from wintun_api.client import PacketStream


class Arrivals:
    """Record the packets that both hosts of a pair get. Any thread.

    Attributes:
        lost: How many packets a host got that were not recorded, because the test read too slowly.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._changed = threading.Condition()
        self._found: deque[Delivery] = deque(maxlen=RECORDED)
        self._count = 0  # grows with everything that is recorded
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []

    @property
    def found(self) -> Sequence[Delivery]:
        """The last 10,000 packets, the oldest first."""
        with self._changed:
            return tuple(self._found)

    def clear(self) -> None:
        """Forget the packets that are recorded."""
        with self._changed:
            self._found.clear()

    def begin(self, streams: Iterable[tuple[Side, PacketStream]]) -> None:
        """Start to record what each stream says that the host of its side gets."""
        for side, stream in streams:
            run = partial(self._read, side, stream)
            thread = threading.Thread(target=run, name=f"arrivals {side}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def join(self) -> None:
        """Wait until the streams have ended, as they do with their sessions."""
        for thread in self._threads:
            thread.join()

    def wait(self, wanted: Callable[[Delivery], object], timeout: float) -> Delivery | None:
        """Return the first packet for which a function is true, or wait for one.

        None is returned if none came in time.
        """
        end = time.monotonic() + timeout
        seen = -1
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                if seen != self._count:
                    seen = self._count
                    for one in self._found:
                        if wanted(one):
                            return one
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def _read(self, side: Side, stream: PacketStream) -> None:
        try:
            for item in stream:
                with self._changed:
                    if isinstance(item, Burst):
                        self._found.extend(
                            Delivery(packet, side, item.time_ns) for packet in item.packets
                        )
                    else:
                        self.lost += item.count or 0
                    self._count += 1
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - the test gets it
            with self._changed:
                self._failure = error
                self._changed.notify_all()
