"""The Wintun path by itself: what ctypes costs per packet, beside the same loop in C.

No wintun.dll runs here. The session is the service's own, over two libraries: a stand-in in C
(`c/libring.c`), which costs about what the DLL's user-mode half costs, and the emulated library,
whose functions are Python. What the kernel driver costs is in neither.
"""

from __future__ import annotations

import ctypes
from _ctypes import FUNCFLAG_USE_ERRNO
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any, cast

from tests.bench.bench import Bench
from tests.bench.rounds import ratio, spread
from tests.bench.tables import Table
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.windows.binding import bind
from wintun_api.drivers.windows.foreign import EventHandle
from wintun_api.drivers.wintun.abi import Generation, SessionHandle, prototypes_of
from wintun_api.drivers.wintun.library import WintunLibrary
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.limits import DEFAULT_RING_CAPACITY

SIZES = (92, 1420)
BURST = 512
C_LOOP, STANDIN, EMULATED = "C loop", "ctypes, stand-in in C", "ctypes, emulated library"


class StandIn:
    """As much of the lower seam as a session uses, over the stand-in."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path, use_errno=True)
        self.ring: Any = ctypes.PyDLL(path)
        self.ring.RingOpen.restype = ctypes.c_void_p
        self.ring.RingFill.argtypes = ctypes.c_void_p, ctypes.c_uint32
        self.ring.RingEmpty.argtypes = (ctypes.c_void_p,)
        rows = [row for row in prototypes_of(Generation.TUNNEL_TYPE) if hasattr(library, row.name)]
        self.functions = bind(
            rows, lambda row: (row.name, library), ctypes.get_errno, FUNCFLAG_USE_ERRNO
        )

    def last_error(self) -> int:
        """Return what ctypes saved after the last call."""
        return ctypes.get_errno()

    def clear_last_error(self) -> None:
        """Clear it."""
        ctypes.set_errno(0)

    def create_event(self, *, manual_reset: bool) -> EventHandle:
        """Return a handle; nobody waits for it."""
        return EventHandle(1 + manual_reset)

    def set_event(self, event: EventHandle) -> None:
        """Do nothing."""

    def close_handle(self, event: EventHandle) -> None:
        """Do nothing."""


# A session, what fills its receive ring with packets, and what empties its send ring.
Rig = tuple[WintunSession, Callable[[bytes], None], Callable[[], None]]


@contextmanager
def standin(bench: Bench) -> Iterator[Rig]:
    """A session over the stand-in."""
    library = StandIn(str(bench.programs.path("libring.so")))
    handle = library.ring.RingOpen(DEFAULT_RING_CAPACITY)
    session = WintunSession(
        cast(WintunLibrary, library), SessionHandle(handle), DEFAULT_RING_CAPACITY
    )
    yield (
        session,
        lambda packet: library.ring.RingFill(handle, len(packet)),
        lambda: library.ring.RingEmpty(handle),
    )
    session.end()


@contextmanager
def emulated(bench: Bench) -> Iterator[Rig]:
    """A session over the emulated library; the host behind it takes nothing."""
    del bench
    library = EmulatedLibrary(Generation.TUNNEL_TYPE)
    adapter = emulated_driver(library).create_adapter("Bench", "Bench")
    session = adapter.start_session(DEFAULT_RING_CAPACITY)
    library.hold_consumer("Bench")
    link = library.machine.device("Bench").link
    assert link is not None
    assert isinstance(session, WintunSession)

    def fill(packet: bytes) -> None:
        while link.received.put(packet):
            pass

    def empty() -> None:
        while link.sent.take() is not None:
            pass

    yield session, fill, empty
    session.end()
    adapter.close()


def measure(rig: Rig, size: int, seconds: float) -> dict[str, float]:
    """Return seconds per packet of receiving and of sending, in the service's bursts."""
    session, fill, empty = rig
    packet = b"\x45" + bytes(size - 1)
    received, spent = 0, 0.0
    while spent < seconds:
        fill(packet)
        start = perf_counter()
        while packets := session.receive_packets(BURST):
            received += len(packets)
        spent += perf_counter() - start
    result = {"receive": spent / received}
    burst, sent, spent = [packet] * BURST, 0, 0.0
    while spent < seconds:
        empty()
        start = perf_counter()
        while taken := session.send_packets(burst):
            sent += taken
        spent += perf_counter() - start
    return result | {"send": spent / sent}


def run(bench: Bench) -> list[Table]:
    """Measure both directions in three ways."""
    table = Table(
        "wintun: receive and send alone, per packet, bursts of 512, a ring of 4 MiB",
        ["bytes", "direction", "way", "ns/packet", "/ C loop"],
        ["C loop and stand-in use one library, c/libring.c, built here: no wintun.dll, no kernel."],
    )
    for size in SIZES:
        results: dict[tuple[str, str], list[float]] = {}
        with standin(bench) as native, emulated(bench) as checked:
            for turn in range(bench.rounds):
                loop = bench.programs.start(
                    "ring", bench.programs.path("libring.so"), DEFAULT_RING_CAPACITY, size,
                    bench.seconds / 2, ready="running",
                ).result()  # fmt: skip
                for way, costs in (
                    (C_LOOP, loop),
                    (STANDIN, measure(native, size, bench.seconds / 2)),
                    (EMULATED, measure(checked, size, bench.seconds / 2)),
                ):
                    for direction, cost in costs.items():
                        results.setdefault((direction, way), []).append(cost)
                bench.say(f"wintun {size} {turn + 1}/{bench.rounds}")
        for (direction, way), taken in sorted(results.items(), key=lambda item: item[0][0]):
            against = ratio(taken, results[direction, C_LOOP])
            table.add(
                [
                    str(size),
                    direction,
                    way,
                    spread(taken).text(".0f", 1e9),
                    against.text(".1f") if way != C_LOOP else "",
                ],
                {
                    "bytes": size,
                    "direction": direction,
                    "way": way,
                    "seconds_per_packet": spread(taken).as_json(),
                    "ratios": {C_LOOP: against.as_json()},
                },
            )
    return [table]
