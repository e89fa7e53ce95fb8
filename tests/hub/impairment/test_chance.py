"""hub.impairment.chance: streams that follow from a key, and events that are as they were asked."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.bounds import PACKETS, bursts, near_counts, near_share
from wintun_api.hub.impairment.chance import BLOCK, Events, Stream

PLACES = st.integers(0, 3 * BLOCK)


def numbers(key: str, count: int) -> list[float]:
    """Return the first numbers of a stream, as a lane draws them."""
    stream = Stream(key, 0)
    drawn: list[float] = []
    for number in range(count):
        if not number % BLOCK:
            stream.seek(number)
        drawn.append(stream.draw())
    return drawn


def events(probability: float, correlation: float, key: str = "events") -> list[bool]:
    """Return to which of many packets something happened."""
    chain = Events(key, 0)
    chain.change(probability, correlation)
    happened: list[bool] = []
    for number in range(PACKETS):
        if not number % BLOCK:
            chain.seek(number)
        happened.append(chain.happens())
    return happened


@given(st.lists(PLACES, max_size=5))
def test_a_stream_finds_every_place(places: list[int]) -> None:
    """The n-th number is the same, whether those before it were drawn or not."""
    expected = numbers("7/0/received/loss", 3 * BLOCK + 1)
    for place in places:
        stream = Stream("7/0/received/loss", place)
        assert stream.draw() == expected[place]
        stream.seek(0)
        assert stream.draw() == expected[0]


def test_streams_differ_by_their_keys() -> None:
    """Neither two keys nor two blocks of one key share numbers."""
    drawn = numbers("7/0/received/loss", 2 * BLOCK) + numbers("7/0/injected/loss", 2 * BLOCK)
    assert len(set(drawn)) == 4 * BLOCK


def test_streams_are_even_across_blocks() -> None:
    """Numbers from many seeds are as evenly spread as those from one."""
    counts = [0] * 100
    for drawn in numbers("7/0/received/delay", PACKETS):
        counts[int(drawn * 100)] += 1
    near_counts(counts, [PACKETS / 100] * 100)


@pytest.mark.parametrize("correlation", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("probability", [0.01, 0.05, 0.3, 0.5, 0.95])
def test_events_keep_their_mean_and_their_correlation(
    probability: float, correlation: float
) -> None:
    """The share of events is the probability, and P(event | event before) that of the chain."""
    happened = events(probability, correlation)
    near_share(sum(happened), PACKETS, probability, correlation)
    after = [now for before, now in itertools.pairwise(happened) if before]
    near_share(sum(after), len(after), probability + correlation * (1 - probability))
    after = [now for before, now in itertools.pairwise(happened) if not before]
    near_share(sum(after), len(after), probability * (1 - correlation))


@pytest.mark.parametrize(("probability", "correlation"), [(0.02, 0.0), (0.1, 0.5), (0.3, 0.8)])
def test_bursts_of_events_are_geometric(probability: float, correlation: float) -> None:
    """The next event of a burst does not depend on how long the burst has been."""
    goes_on = probability + correlation * (1 - probability)
    lengths = bursts(events(probability, correlation))
    near_share(sum(length > 1 for length in lengths), len(lengths), goes_on)
    longer = [length for length in lengths if length > 1]
    near_share(sum(length > 2 for length in longer), len(longer), goes_on)


@pytest.mark.parametrize("correlation", [0, 0.5, 1])
def test_certain_events(correlation: float) -> None:
    """A probability of 0 never lets it happen and one of 1 always, with every correlation."""
    assert not any(events(0, correlation))
    assert all(events(1, correlation))


def test_certainty_holds_whatever_happened_before() -> None:
    """A chain that ends is not followed by the events that its correlation would bring."""
    chain = Events("ended", 0)
    for probability, expected in ((1.0, True), (0.0, False), (1.0, True)):
        chain.change(probability, 0.99)
        assert [chain.happens() for _ in range(100)] == [expected] * 100


def test_a_correlation_of_one_decides_once() -> None:
    """All packets fare like the first one; over many lanes, the probability is what was asked."""
    first: list[bool] = []
    for lane in range(2000):
        chain = Events(f"lane {lane}", 0)
        chain.change(0.3, 1)
        happened = {chain.happens() for _ in range(10)}
        assert len(happened) == 1
        first.append(happened.pop())
    near_share(sum(first), len(first), 0.3)


def test_a_correlation_of_one_decides_again_for_another_probability() -> None:
    """A chain that never changes by itself follows the probability that is asked for."""
    chain = Events("changed", 0)
    decided: list[bool] = []
    for step in range(2000):
        chain.change(0.5 if step % 2 else 0.50001, 1)
        decided.append(chain.happens())
        chain.change(0.5 if step % 2 else 0.50001, 1)
        assert chain.happens() == decided[-1]
    near_share(sum(decided), len(decided), 0.5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from([0.0, 0.5]))
def test_a_change_draws_nothing(probabilities: list[float], correlation: float) -> None:
    """What is changed between two packets has no effect on the stream of chance."""
    often, once = Events("changes", 0), Events("changes", 0)
    for probability in probabilities:
        often.change(probability, correlation)
    once.change(probabilities[-1], correlation)
    assert [often.happens() for _ in range(50)] == [once.happens() for _ in range(50)]
