"""The Wintun path by itself: what a packet costs in C and in Python, beside the same loop in C.

No wintun.dll runs here. The session is the service's own, over two libraries: a stand-in in C
(`c/libring.c`), which costs about what the DLL's user-mode half costs, and the emulated library,
whose functions are Python. What the kernel driver costs is in neither. Over the stand-in the
session runs twice: with the extension, and with ctypes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import cast

from tests.bench.bench import Bench
from tests.bench.rounds import as_before, at_most, ratio, spread
from tests.bench.tables import Table
from tests.drivers.wintun.c_library import StandIn
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation, SessionHandle
from wintun_api.drivers.wintun.bursts import calls_of
from wintun_api.drivers.wintun.library import WintunLibrary
from wintun_api.drivers.wintun.session import WintunSession
from wintun_api.limits import DEFAULT_RING_CAPACITY
from wintun_api.native import Speedups, speedups
from wintun_api.packet.block import Block

SIZES = (92, 1420)
BURST = 512
C_LOOP, EXTENSION = "C loop", "extension, stand-in in C"
STANDIN, EMULATED = "ctypes, stand-in in C", "ctypes, emulated library"
# (way, size in bytes) -> what its ratio to the C loop should be
TARGETS = {
    (EXTENSION, 92): at_most(4),
    (EXTENSION, 1420): at_most(4),
    (STANDIN, 92): as_before(73, at_least=False),
}


# A session, what fills its receive ring with packets, and what empties its send ring.
Rig = tuple[WintunSession, Callable[[bytes], None], Callable[[], None]]


@contextmanager
def standin(bench: Bench, extension: Speedups | None = None) -> Iterator[Rig]:
    """A session over the stand-in: with the extension, or with ctypes."""
    library = StandIn(str(bench.programs.path("libring.so")))
    handle = library.ring.RingOpen(DEFAULT_RING_CAPACITY)
    seam, started = cast(WintunLibrary, library), SessionHandle(handle)
    calls = calls_of(seam, started, extension)
    session = WintunSession(seam, started, DEFAULT_RING_CAPACITY, calls)
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
    """Return seconds per packet of receiving and of sending, in bursts of `BURST`.

    What is sent lies in one piece, as the packets of a client's message do.
    """
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
    burst, sent, spent = Block.of([packet] * BURST), 0, 0.0
    assert burst.packets  # split beforehand for ctypes: that is not the driver's cost
    while spent < seconds:
        empty()
        start = perf_counter()
        while taken := session.send_packets(burst):
            sent += taken
        spent += perf_counter() - start
    return result | {"send": spent / sent}


def run(bench: Bench) -> list[Table]:
    """Measure both directions in every way."""
    table = Table(
        "wintun: receive and send alone, per packet, bursts of 512, a ring of 4 MiB",
        ["bytes", "direction", "way", "ns/packet", "/ C loop", "target"],
        ["C loop and stand-in use one library, c/libring.c, built here: no wintun.dll, no kernel."],
    )
    extension = speedups()
    for size in SIZES:
        results: dict[tuple[str, str], list[float]] = {}
        with ExitStack() as stack:
            rigs = {
                STANDIN: stack.enter_context(standin(bench)),
                EMULATED: stack.enter_context(emulated(bench)),
            }
            if extension is not None:
                rigs = {EXTENSION: stack.enter_context(standin(bench, extension)), **rigs}
            for turn in range(bench.rounds):
                loop = bench.programs.start(
                    "ring", bench.programs.path("libring.so"), DEFAULT_RING_CAPACITY, size,
                    bench.seconds / 2, ready="running",
                ).result()  # fmt: skip
                costs: dict[str, dict[str, float]] = {C_LOOP: loop}
                for way, rig in rigs.items():
                    costs[way] = measure(rig, size, bench.seconds / 2)
                for way, both in costs.items():
                    for direction, cost in both.items():
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
                    table.judge(
                        f"wintun {direction}, {size} bytes, {way} / {C_LOOP}",
                        TARGETS.get((way, size)),
                        against.median,
                    ),
                ],
                {
                    "bytes": size,
                    "direction": direction,
                    "way": way,
                    "seconds_per_packet": spread(taken).as_json(),
                    "ratios": {
                        C_LOOP: against.as_json() | {"target": str(TARGETS.get((way, size), ""))}
                    },
                },
            )
    return [table]
