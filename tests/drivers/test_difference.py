"""drivers.difference: a set made so by the difference, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.drivers.difference import (
    TOLD,
    Outcome,
    Reverted,
    Undo,
    apply,
    apply_each,
    difference,
    tell,
)
from wintun_api.errors import AccessDenied, DriverError

# A set of things: their places, and what is in each.
Things = dict[int, str]
THINGS = st.dictionaries(st.integers(0, 7), st.sampled_from("abc"))


class System:
    """Keeps things, one in each place; the calls with these numbers fail, counted from 0."""

    def __init__(self, things: Things, failing: frozenset[int] = frozenset()) -> None:
        self.things = dict(things)
        self.calls = 0
        self._failing = failing

    def put(self, place: int, content: str | None) -> Undo | None:
        """Put something into a place, or nothing; it does nothing if it is so already."""
        self.calls += 1
        if self.calls - 1 in self._failing:
            raise DriverError("put", 31, f"place {place} is stuck.")
        before = self.things.get(place)
        if before == content:
            return None
        if content is None:
            del self.things[place]
        else:
            self.things[place] = content
        return Undo(f"place {place}", partial(self.put, place, before))

    def make_so(self, wanted: Things) -> None:
        """Make the things these."""
        found = difference(
            self.things.items(),
            {place: (place, content) for place, content in wanted.items()},
            place=lambda thing: thing[0],
            right=lambda thing, one: thing == one,
        )
        apply_each(
            [partial(self.put, *one) for one in found.missing]
            + [partial(self.put, place, None) for place, _ in found.surplus]
        )


@given(THINGS, THINGS)
def test_what_is_wanted_comes_to_be(present: Things, wanted: Things) -> None:
    """Afterwards the set is the wanted one, and nothing that was right has been touched."""
    system = System(present)
    system.make_so(wanted)
    assert system.things == wanted
    touched = {key for key in present.keys() | wanted if present.get(key) != wanted.get(key)}
    assert system.calls == len(touched)


@given(THINGS, THINGS, st.integers(0, 15))
def test_a_failure_at_any_step_changes_nothing(present: Things, wanted: Things, at: int) -> None:
    """Whichever step fails, the set is as it was before, and the error says what failed."""
    system = System(present, frozenset({at}))
    if len({key for key in present.keys() | wanted if present.get(key) != wanted.get(key)}) <= at:
        system.make_so(wanted)
        assert system.things == wanted
        return
    with pytest.raises(DriverError, match=r"^place \d is stuck\. \(put: win32 error 31\)$"):
        system.make_so(wanted)
    assert system.calls == 2 * at + 1
    assert system.things == present


@given(THINGS, THINGS, st.sets(st.integers(0, 15), min_size=1))
def test_what_cannot_be_reverted_is_told(
    present: Things, wanted: Things, failing: set[int]
) -> None:
    """Whatever else fails on the way back, each place that is not as before is named."""
    system = System(present, frozenset(failing))
    try:
        system.make_so(wanted)
    except DriverError as error:
        different = {
            key
            for key in present.keys() | system.things
            if present.get(key) != system.things.get(key)
        }
        told = str(error).partition("could not be restored: ")[2]
        named = sum(f"place {key}:" in told for key in different)
        assert named == min(len(different), TOLD)
        assert (f"and {len(different) - TOLD} more" in told) == (len(different) > TOLD)
    else:
        assert system.things == wanted


@given(THINGS, THINGS)
def test_every_thing_is_in_one_part(present: Things, wanted: Things) -> None:
    """Each present thing is kept, displaced or surplus, and each wanted one kept or missing."""
    found = difference(
        present.items(), wanted, place=lambda thing: thing[0], right=lambda a, b: a[1] == b
    )
    parts = [*found.kept, *found.displaced, *found.surplus]
    assert sorted(parts) == sorted(present.items())
    assert len(found.missing) == len(wanted) - len(found.kept)
    assert {place for place, _ in found.surplus}.isdisjoint(wanted)
    assert {place for place, _ in found.displaced} <= wanted.keys()


def test_two_things_in_one_place() -> None:
    """Of two present things in one place at most one is kept, the other must go."""
    found = difference(["a", "a"], {0: "a"}, place=lambda _: 0, right=lambda a, b: a == b)
    assert (found.kept, found.displaced, found.missing) == (("a",), ("a",), ())


@given(st.lists(st.integers(1, 4), max_size=6), st.integers(0, 30))
def test_many_steps_at_once(sizes: list[int], refused: int) -> None:
    """A system that takes many steps at once reverts those it made, the last one first."""
    steps = list(range(sum(sizes)))
    reverted: list[int] = []
    rounds = iter(sizes)

    def make(left: Sequence[int]) -> Outcome[int]:
        some = left[: next(rounds)]
        if refused in some:
            return Outcome(len(some), [one for one in some if one != refused], ValueError("no"))
        return Outcome(len(some), some)

    def revert(made: Sequence[int]) -> list[str]:
        reverted.extend(made)
        return ["one stays"]

    if refused not in steps:
        apply(steps, make, revert)
        assert reverted == []
        return
    with pytest.raises(Reverted) as failed:
        apply(steps, make, revert)
    assert (str(failed.value.cause), failed.value.left) == ("no", ("one stays",))
    assert reverted == sorted(reverted, reverse=True)
    assert set(range(refused)) <= set(reverted)
    assert refused not in reverted


def test_the_error_keeps_its_sentence() -> None:
    """What stays is told after what failed, whether that was said in a sentence of its own."""
    own, plain, whole = (
        DriverError("call", 31, "No room."),
        AccessDenied("call", 5),
        AccessDenied("call", 5),
    )
    tell(own, ["10.6.7.7/24: Access denied."])
    tell(plain, ["10.6.7.7/24: Access denied."])
    tell(whole, [])
    left = "The former settings could not be restored: 10.6.7.7/24: Access denied."
    assert str(own).startswith(f"No room. {left}")
    assert str(plain).startswith(f"Access denied. {left}")
    assert "restored" not in str(whole)
