"""Refuse a request whose members contradict one another, by the name of each that does.

A schema says what each member may be. What members say together is looked at once, when a whole
request has been read: an answer is never refused for it, so that a client can read the answers of a
later version, which may allow more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Place: TypeAlias = tuple[str | int, ...]


class Fault(NamedTuple):
    """Hold where a contradiction is, from the model that finds it, and what to do about it."""

    place: Place
    text: str


class Consistent(Protocol):
    """A model that knows what in it contradicts itself."""

    def faults(self) -> Iterator[Fault]:
        """Give each contradiction."""


def refused(place: Place | str, text: str) -> Fault:
    """Return a fault of a member."""
    return Fault((place,) if isinstance(place, str) else place, text)


def without(member: str, other: str) -> Fault:
    """Return the fault of a member that does nothing without another one."""
    return refused(member, f"does nothing without `{other}`; give `{other}` too, or leave this out")


def below(place: Place, model: Consistent | None) -> Iterator[Fault]:
    """Give the faults of a model that is at this place of another one."""
    if model is not None:
        for fault in model.faults():
            yield Fault((*place, *fault.place), fault.text)


def raise_for(model: str, faults: Iterable[Fault]) -> None:
    """Raise an error that names the place of every fault, if there are any.

    Raises:
        ValidationError: There are.
    """
    found = [
        InitErrorDetails(
            # A template; the text may have braces, so it is a value of it.
            type=PydanticCustomError("contradiction", "{text}", {"text": fault.text}),
            loc=fault.place,
            input=None,
        )
        for fault in faults
    ]
    if found:
        raise ValidationError.from_exception_data(model, found)
