"""Make a set of things so by the difference, all or none.

    difference   compare what is there with what is wanted, by the place that each thing takes
    apply        make changes in order; if one fails, revert those that were made before it
    apply_each   the same for a system that makes one change per call
    tell         say in an error what could not be reverted

Addresses and routes of both systems are set in this way: what is right already is not touched.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wintun_api.errors import DriverError

Place = TypeVar("Place", bound=Hashable)
There = TypeVar("There")
Wanted = TypeVar("Wanted")
Step = TypeVar("Step")
Made = TypeVar("Made")

TOLD = 3  # of the things that could not be reverted; an error says how many more there are


@dataclass(frozen=True, slots=True)
class Difference(Generic[There, Wanted]):
    """Hold what to change, each in the order in which it was given.

    Attributes:
        kept: Present things that are as they are wanted.
        displaced: Present things that are not as they are wanted, so they must change or go.
        missing: Wanted things that are not there; some take the place of a displaced one.
        surplus: Present things whose place nothing wanted takes.
    """

    kept: tuple[There, ...]
    displaced: tuple[There, ...]
    missing: tuple[Wanted, ...]
    surplus: tuple[There, ...]


def difference(
    present: Iterable[There],
    wanted: Mapping[Place, Wanted],
    place: Callable[[There], Place],
    right: Callable[[There, Wanted], bool],
) -> Difference[There, Wanted]:
    """Return the difference between what is there and what is wanted.

    Args:
        present: What is there.
        wanted: What is wanted, by its place: of two things with one place, only one can exist.
        place: Returns the place of a present thing.
        right: Returns whether a present thing is as the wanted one in its place.
    """
    kept: dict[Place, There] = {}
    displaced: list[There] = []
    surplus: list[There] = []
    for thing in present:
        where = place(thing)
        if where not in wanted:
            surplus.append(thing)
        elif where not in kept and right(thing, wanted[where]):
            kept[where] = thing
        else:
            displaced.append(thing)
    missing = (thing for where, thing in wanted.items() if where not in kept)
    return Difference(tuple(kept.values()), tuple(displaced), tuple(missing), tuple(surplus))


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Made]):
    """Say what became of the first of some steps.

    Attributes:
        tried: How many steps were tried, at least one.
        made: What is needed to revert those that changed something, in the order of the steps.
        failure: Why the steps after these must not be tried; None if they may.
    """

    tried: int
    made: Sequence[Made] = ()
    failure: Exception | None = None


class Reverted(Exception):
    """Report that a step failed, and that the steps before it were reverted.

    Attributes:
        cause: Why the step failed.
        left: What could not be reverted, one sentence each.
    """

    def __init__(self, cause: Exception, left: Sequence[str]) -> None:
        super().__init__(str(cause), *left)
        self.cause = cause
        self.left = tuple(left)


def apply(
    steps: Sequence[Step],
    make: Callable[[Sequence[Step]], Outcome[Made]],
    revert: Callable[[Sequence[Made]], Sequence[str]],
) -> None:
    """Make the steps in order, all or none.

    Args:
        steps: The steps.
        make: Tries one or more of the steps from the first on, as many as the system takes at once.
        revert: Reverts changes in the order given, the last one first, and tries each of them
            whatever becomes of the others. Returns a sentence for each that stays.

    Raises:
        Reverted: A step failed.
    """
    made: list[Made] = []
    tried = 0
    while tried < len(steps):
        outcome = make(steps[tried:])
        tried += outcome.tried
        made += outcome.made
        if outcome.failure is not None:
            raise Reverted(outcome.failure, revert(made[::-1]))


@dataclass(frozen=True, slots=True)
class Undo:
    """Hold the call that reverts a change, and what the change was about."""

    subject: object
    call: Callable[[], object]


def apply_each(steps: Sequence[Callable[[], Undo | None]]) -> None:
    """Make changes one by one, all or none.

    Args:
        steps: Each makes one change and returns how it is reverted, or None if it did nothing.

    Raises:
        DriverError: A step raised it. The steps before it are reverted, or it says what stays.
    """
    try:
        apply(steps, _make_one, _revert_each)
    except Reverted as reverted:
        if isinstance(reverted.cause, DriverError):
            tell(reverted.cause, reverted.left)
        raise reverted.cause from None


def tell(error: DriverError, left: Sequence[str]) -> None:
    """Say in the error what could not be reverted, if there is anything."""
    if left:
        more = f", and {len(left) - TOLD} more" if len(left) > TOLD else ""
        before = error.detail or f"{error.sentence.removesuffix('.')}."
        named = "; ".join(one.removesuffix(".") for one in left[:TOLD])
        error.detail = f"{before} The former settings could not be restored: {named}{more}."


def _make_one(steps: Sequence[Callable[[], Undo | None]]) -> Outcome[Undo]:
    try:
        undo = steps[0]()
    except DriverError as error:
        return Outcome(1, failure=error)
    return Outcome(1, () if undo is None else (undo,))


def _revert_each(made: Sequence[Undo]) -> list[str]:
    left: list[str] = []
    for undo in made:
        try:
            undo.call()
        except DriverError as error:
            left.append(f"{undo.subject}: {error}")
    return left
