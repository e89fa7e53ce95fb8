"""Draw bad networks, and pass packets through them."""

from __future__ import annotations

from hypothesis import strategies as st

from wintun_api.choices import Distribution
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.lane import Lane
from wintun_api.hub.impairment.parameters import GilbertElliott, Parameters
from wintun_api.hub.impairment.waiting import Waiting

MS = 1_000_000  # nanoseconds
START = 10**15  # when packets begin to come: the clock of a machine that has run for days

PROBABILITIES = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)

PARAMETERS = st.builds(
    Parameters,
    delay_ms=st.sampled_from([0.0, 0.0, 5.0]) | st.floats(0, 1000),
    jitter_ms=st.sampled_from([0.0, 0.0, 5.0]) | st.floats(0, 1000),
    distribution=st.sampled_from(Distribution),
    delay_correlation=PROBABILITIES,
    loss=PROBABILITIES,
    loss_correlation=PROBABILITIES,
    gilbert_elliott=st.none()
    | st.builds(GilbertElliott, p=PROBABILITIES, r=PROBABILITIES, h=PROBABILITIES, k=PROBABILITIES),
    duplicate=PROBABILITIES,
    duplicate_correlation=PROBABILITIES,
    corrupt=PROBABILITIES,
    corrupt_correlation=PROBABILITIES,
    reorder=PROBABILITIES,
    reorder_correlation=PROBABILITIES,
    reorder_gap=st.integers(1, 5),
    rate_bps=st.none() | st.sampled_from([100, 10_000, 10_000_000, 10**12]),
    burst_bytes=st.sampled_from([0, 1000, 1 << 30]),
    overhead_bytes=st.integers(-64, 1500),
    limit_packets=st.integers(1, 20) | st.just(1_000_000),
    limit_bytes=st.integers(1, 20_000) | st.just(1 << 30),
    blackout=st.sampled_from([False, False, True]),
    max_size=st.none() | st.integers(68, 1500),
)


class Direction:
    """One lane with what waits in it, on a clock that the test moves."""

    def __init__(self, parameters: Parameters, seed: int = 7) -> None:
        self.accounts = Accounts()
        self.waiting = Waiting(self.accounts)
        self.lane = Lane(parameters, seed, 0, False, self.accounts)
        self.now = START

    def put(self, packet: bytes) -> int:
        """Offer a packet to the lane; return what it says."""
        self.accounts.offered.add(1, len(packet))
        return self.lane.put(packet, self.now, self.waiting)

    def change(self, parameters: Parameters) -> None:
        """Let the lane do something else from now on."""
        self.lane.change(parameters, self.now, self.waiting)

    def take(self) -> list[bytes]:
        """Deliver what is due."""
        taken = self.waiting.take(self.now)
        self.accounts.delivered.add(len(taken), sum(map(len, taken)))
        return taken

    def departures(self) -> list[tuple[int, bytes]]:
        """Deliver everything, each at its time; return when, from `START` on."""
        left: list[tuple[int, bytes]] = []
        while (due := self.waiting.next_due) is not None:
            self.now = max(self.now, due)
            left += [(self.now - START, packet) for packet in self.take()]
        return left


def holds(accounts: Accounts) -> bool:
    """Say whether every packet and byte that came is accounted for."""
    came = (accounts.offered, accounts.duplicated)
    left = (
        accounts.delivered,
        accounts.lost,
        accounts.limit,
        accounts.blackout,
        accounts.too_large,
        accounts.dropped,
        accounts.delayed,
    )
    return total(came) == total(left)


def total(counts: tuple[Count, ...]) -> tuple[int, int]:
    """Return the sum of counts in packets and in bytes."""
    return sum(count.packets for count in counts), sum(count.bytes for count in counts)


def numbered(number: int, size: int = 1000) -> bytes:
    """Return a packet that names its number."""
    return number.to_bytes(4).ljust(size, b"\0")
