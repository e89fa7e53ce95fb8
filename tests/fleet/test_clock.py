"""The server's time on this host."""

from __future__ import annotations

from tests.client.streams import run
from tests.fleet.running import A, prepared
from wintun_api.fleet.clock import Clock

SECOND = 1_000_000_000


def test_the_offset_is_measured_within_its_error() -> None:
    """The offset is what the server's clock is before this one, but for half of a round trip."""

    async def work() -> None:
        server = prepared()
        server.offset_ns = 5 * SECOND
        reading = await Clock(server.connect(A)).measure()
        assert abs(reading.offset_ns - 5 * SECOND) <= reading.error_ns + SECOND // 100
        assert reading.error_ns < SECOND

    run(work())


def test_a_clock_that_is_set_does_not_move_the_servers_time() -> None:
    """Between two measurements the server's time follows the steady clock."""

    async def work() -> None:
        server = prepared()
        wall = [server.now_ns()]
        clock = Clock(server.connect(A), wall=lambda: wall[0])
        await clock.measure()
        wall[0] += 3600 * SECOND
        assert abs(clock.server_ns() - server.now_ns()) < SECOND

    run(work())
