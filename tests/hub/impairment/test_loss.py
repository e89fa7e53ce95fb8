"""hub.impairment.loss: the channel of Gilbert and Elliott, held to its mathematics."""

from __future__ import annotations

import pytest

from tests.hub.impairment.bounds import PACKETS, bursts, near_correlation, near_counts, near_share
from wintun_api.hub.impairment.chance import BLOCK
from wintun_api.hub.impairment.loss import Channel
from wintun_api.hub.impairment.parameters import GilbertElliott


def losses(model: GilbertElliott, count: int = PACKETS) -> list[bool]:
    """Return which packets a channel loses."""
    channel = Channel("channel", 0)
    channel.change(model)
    lost: list[bool] = []
    for number in range(count):
        if not number % BLOCK:
            channel.seek(number)
        lost.append(channel.happens())
    return lost


@pytest.mark.parametrize(
    "model",
    [
        GilbertElliott(p=0.01, r=0.3),
        GilbertElliott(p=0.05, r=0.2, h=0.5),
        GilbertElliott(p=0.02, r=0.4, h=0.3, k=0.99),
        GilbertElliott(p=0.9, r=0.8, h=0.1, k=0.95),
    ],
)
def test_the_share_of_losses_and_their_correlation(model: GilbertElliott) -> None:
    """Both are those of the chain's stationary state."""
    lost = losses(model)
    bad = model.p / (model.p + model.r)
    share = bad * (1 - model.h) + (1 - bad) * (1 - model.k)
    kept = 1 - model.p - model.r  # the correlation of neighbouring states
    near_share(sum(lost), PACKETS, share, max(kept, 0))
    between = (model.k - model.h) ** 2 * bad * (1 - bad)
    near_correlation(lost, between * kept / (share * (1 - share)))


@pytest.mark.parametrize("r", [0.1, 0.3, 0.7])
def test_bursts_of_losses_are_geometric(r: float) -> None:
    """A channel that loses everything in the bad state loses k in a row with (1-r)^(k-1) r."""
    lengths = bursts(losses(GilbertElliott(p=0.02, r=r)))
    most = 1
    while len(lengths) * (1 - r) ** most * r > 20:
        most += 1
    expected = [len(lengths) * (1 - r) ** (length - 1) * r for length in range(1, most)]
    expected.append(len(lengths) * (1 - r) ** (most - 1))
    counts = [lengths.count(length) for length in range(1, most)]
    counts.append(sum(length >= most for length in lengths))
    near_counts(counts, expected)


def test_a_packet_is_judged_by_the_state_that_it_finds() -> None:
    """As in sch_netem, the channel begins good, and changes after a packet was judged."""
    assert losses(GilbertElliott(p=1, r=1), 6) == [False, True, False, True, False, True]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (GilbertElliott(p=0, r=0), {False}),
        (GilbertElliott(p=0, r=1), {False}),
        (GilbertElliott(p=1, r=0), {True}),
        (GilbertElliott(p=1, r=0, h=1), {False}),
        (GilbertElliott(p=0, r=0, k=0), {True}),
    ],
)
def test_states_that_are_never_left(model: GilbertElliott, expected: set[bool]) -> None:
    """A channel stays in a state that it cannot leave, from the second packet on."""
    assert set(losses(model, 1000)[1:]) == expected


def test_a_change_keeps_the_state() -> None:
    """A channel that is bad stays bad, whatever its probabilities become."""
    channel = Channel("changed", 0)
    channel.change(GilbertElliott(p=1, r=0))
    assert not channel.happens()
    channel.change(GilbertElliott(p=0, r=0))
    assert all(channel.happens() for _ in range(100))
