"""hub.impairment.fate: decisions that follow from the seed and the number of a packet alone."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hub.impairment.bounds import PACKETS, near_share
from tests.hub.impairment.golden import EVERYTHING, FEATURES, GOLDEN, KEY, fates, golden
from tests.hub.impairment.networks import MS, PARAMETERS
from wintun_api.hub.impairment.chance import BLOCK
from wintun_api.hub.impairment.fate import AT_ONCE, Fate, Fates
from wintun_api.hub.impairment.parameters import GilbertElliott, Parameters


def test_fates_are_those_of_every_system_and_version() -> None:
    """Fates and tables are, to the last bit, those that were written down once.

    Changing them breaks what users have recorded: a seed must give the same fates in each release.
    """
    assert golden() == json.loads(GOLDEN.read_text("utf-8"))


@given(PARAMETERS)
def test_a_seed_repeats(parameters: Parameters) -> None:
    """The same key decides the same twice."""
    assert fates(parameters, 50) == fates(parameters, 50)


@pytest.mark.parametrize("other", ["8/0/received", "7/1/received", "7/0/injected"])
def test_seed_rule_and_direction_matter(other: str) -> None:
    """Each has fates of its own."""
    assert fates(EVERYTHING, 100) != fates(EVERYTHING, 100, other)


def joined(one: Parameters, two: Parameters) -> Parameters:
    """Return parameters with everything that one of two has on."""
    default = Parameters()
    changed = {
        name: getattr(two, name)
        for name in Parameters.__slots__
        if getattr(two, name) != getattr(default, name)
    }
    return replace(one, **changed)


@pytest.mark.parametrize("second", FEATURES)
@pytest.mark.parametrize("first", FEATURES)
def test_features_do_not_depend_on_each_other(first: str, second: str) -> None:
    """What is turned on beside a feature changes none of its decisions."""
    (alone, entries), (beside, others) = FEATURES[first], FEATURES[second]
    if entries & others:
        return
    expected = fates(alone, 2 * BLOCK)
    found = fates(joined(alone, beside), 2 * BLOCK)
    for entry in entries:
        assert [one[entry] for one in found] == [one[entry] for one in expected]


def test_copies_draw_chance_of_their_own() -> None:
    """A copy is neither delayed nor corrupted like its original, and does not change it."""
    single = replace(EVERYTHING, duplicate=0)
    originals, pairs = fates(single, 1000), fates(EVERYTHING, 1000)
    assert [one[2:4] for one in pairs] == [one[2:4] for one in originals]
    assert [one[4:6] for one in pairs] != [one[2:4] for one in pairs]
    more = fates(replace(EVERYTHING, duplicate=0.5), 1000)
    assert [one[4:6] for one in more] == [one[4:6] for one in pairs]


@pytest.mark.parametrize("feature", [name for name in FEATURES if name != "gilbert_elliott"])
def test_what_is_turned_on_late_decides_as_if_it_had_been_on(feature: str) -> None:
    """Without correlation, the n-th decision is the same whenever the feature was turned on."""
    parameters, entries = FEATURES[feature]
    parameters = replace(
        parameters,
        loss_correlation=0,
        duplicate_correlation=0,
        corrupt_correlation=0,
        delay_correlation=0,
        reorder_correlation=0,
        reorder_gap=1,
    )
    count = 2 * BLOCK
    always = fates(parameters, count)
    for since in (5, BLOCK - 1, BLOCK, BLOCK + 100):
        late = Fates(Parameters(), KEY)
        for _ in range(since):
            late.decide()
        late.change(parameters)
        decided = [late.decide() for _ in range(count - since)]
        for entry in entries:
            assert [one[entry] for one in decided] == [one[entry] for one in always[since:]]


@given(st.lists(st.integers(0, 2 * BLOCK), max_size=10), st.sampled_from(sorted(FEATURES)))
def test_a_change_of_other_features_keeps_the_streams(changes: list[int], feature: str) -> None:
    """What is turned on and off around a feature, between any packets, does not disturb it."""
    alone, entries = FEATURES[feature]
    crowd = alone
    for other, others in FEATURES.values():
        if not entries & others:
            crowd = joined(crowd, other)
    expected = fates(alone, 2 * BLOCK)
    deciding = Fates(alone, KEY)
    crowded = False
    found: list[Fate] = []
    for number in range(2 * BLOCK):
        if number in changes:
            crowded = not crowded
            deciding.change(crowd if crowded else alone)
        found.append(deciding.decide())
    for entry in entries:
        assert [one[entry] for one in found] == [one[entry] for one in expected]


def test_losses_and_channels_replace_each_other() -> None:
    """A channel that is turned on again begins good; `loss` finds its place in its stream."""
    channel = Parameters(gilbert_elliott=GilbertElliott(p=1, r=0))
    chance = Parameters(loss=0.5)
    expected = [one[0] for one in fates(chance, 400)]
    deciding = Fates(chance, KEY)
    assert [deciding.decide()[0] for _ in range(100)] == expected[:100]
    deciding.change(channel)
    assert [deciding.decide()[0] for _ in range(100)] == [False] + [True] * 99
    deciding.change(chance)
    assert [deciding.decide()[0] for _ in range(100)] == expected[200:300]
    deciding.change(channel)
    assert [deciding.decide()[0] for _ in range(50)] == [False] + [True] * 49
    deciding.change(Parameters())
    assert not any(deciding.decide()[0] for _ in range(50))


@pytest.mark.parametrize("correlation", [0, 0.5])
@pytest.mark.parametrize(("probability", "gap"), [(0.25, 1), (0.5, 5), (0.25, 5), (0.02, 10)])
def test_the_share_of_reordered_packets(probability: float, gap: int, correlation: float) -> None:
    """As in sch_netem: after a gap, each packet can be reordered, and the one that is ends it."""
    parameters = Parameters(
        delay_ms=10, reorder=probability, reorder_gap=gap, reorder_correlation=correlation
    )
    tries: list[bool] = []  # what happened to those that could be reordered
    delayed = 0
    for one in fates(parameters, PACKETS):
        at_once = one[3] == AT_ONCE
        if delayed < gap - 1:
            assert not at_once
        else:
            tries.append(at_once)
        delayed = 0 if at_once else delayed + 1
    near_share(sum(tries), len(tries), probability, correlation)
    after = [now for before, now in itertools.pairwise(tries) if before]
    near_share(sum(after), len(after), probability + correlation * (1 - probability))


def test_a_gap_is_exact() -> None:
    """With a probability of 1, every fifth packet is reordered, as tc-netem(8) has it."""
    decided = fates(Parameters(delay_ms=10, reorder=1, reorder_gap=5), 1000)
    assert [one[3] == AT_ONCE for one in decided] == [False, False, False, False, True] * 200


def test_a_delay_without_jitter_is_certain() -> None:
    """Where nothing is left to chance, every packet has one fate."""
    assert set(fates(Parameters(delay_ms=60.25), 100)) == {
        (False, False, -1.0, 60 * MS + MS // 4, -1.0, 60 * MS + MS // 4)
    }
