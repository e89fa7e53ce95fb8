"""Say what is wrong with a value in plain words: the checks of pydantic speak to programmers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

# What pydantic says, and the rest of a sentence about the value; pydantic_core has all of them.
_RULES: Final = (
    (r"Input should be less than or equal to (\S+)", r"must be at most \1"),
    (r"Input should be greater than or equal to (\S+)", r"must be at least \1"),
    (r"Input should be greater than (\S+)", r"must be more than \1"),
    (r"Input should be less than (\S+)", r"must be less than \1"),
    (r"Input should be a finite number", "must be a number such as 2.5"),
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Unable to parse input string as an integer.*", "must be a whole number of fewer digits"),
    (r"Input should be a valid (?:number|decimal).*", "must be a number"),
    (r"Input should be a valid boolean.*", "must be true or false"),
    (r"Input should be a valid string.*", "must be a text"),
    (r"Input should be a valid list.*", "must be a list"),
    (r"Input should be a valid (?:dictionary|mapping|object).*", "must be an object"),
    (
        r"(?:Input should be a valid UUID|UUID input should be ).*",
        "must be a GUID such as deadbabe-cafe-beef-0123-456789abcdef",
    ),
    (r"Input should be (.+)", r"must be \1"),
    (
        r"String should have (at (?:least|most)) (\d+) characters?",
        r"must have \1 \2 characters",
    ),
    (
        r"\w+ should have (at (?:least|most)) (\d+) items? after validation, not (?:more|\d+)",
        r"must have \1 \2 entries",
    ),
    (r"String should match pattern .*", "is not written as it should be"),
    (r"Field required", "is missing"),
    (r"Extra inputs are not permitted", "is not known here"),
)
_SENTENCE = re.compile(r"[A-Z].*\.\Z", re.DOTALL)
_AT_FIRST: Final = "Value error, "
_PREDICATES: Final = ("must ", "has ", "contains ")  # with which our own checks begin
_ARGUMENT: Final = re.compile(r"(?P<name>[a-z_0-9.]+): (?P<said>.+)", re.DOTALL)
_SETTING: Final = re.compile(r"(?P<name>\S+): (?P<said>.+?)\.?", re.DOTALL)

# Members of the API's documents whose options have other names.
_OPTIONS: Final = {
    "addresses": "address",
    "routes": "route",
    "adapters": "adapter",
    "packets": "count",
}
_NAMES: Final = {"name": "The name", "body": ""}


def about_value(said: str) -> str:
    """Return a sentence about a value that an option or an argument was given."""
    told = _told(said)
    return said.removeprefix(_AT_FIRST) if told is None else f"It {told}."


def about_setting(sentence: str) -> str:
    """Return a sentence that begins with the name of a setting."""
    found = _SETTING.fullmatch(sentence)
    told = found and _told(found["said"])
    return f"{found['name']} {told}." if found and told else sentence


def about_members(problem: Mapping[str, Any]) -> str:
    """Return what a service says about members of a request, with options in their place.

    Members of objects keep their names. It is empty if the problem does not say it.
    """
    errors = problem.get("errors")
    found = _ARGUMENT.fullmatch(str(problem.get("detail", "")))
    if found is not None and found["said"].startswith(_PREDICATES):
        errors = [{"field": found["name"], "message": found["said"]}]
    if not isinstance(errors, list) or not all(isinstance(one, dict) for one in errors):
        return ""
    if all(_SENTENCE.match(str(one["message"])) for one in errors):
        return ""  # the service's own words, as they are in the detail
    said = "; ".join(_about_member(str(one["field"]), str(one["message"])) for one in errors)
    return f"{said.removesuffix('.')}." if said else ""


def with_plain_errors(problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem of the service with plain words in its list of errors."""
    errors = problem.get("errors")
    if not isinstance(errors, list) or not all(isinstance(one, dict) for one in errors):
        return dict(problem)
    plain = [{**one, "message": _plain(str(one.get("message", "")))} for one in errors]
    return {**problem, "errors": plain}


def _plain(said: str) -> str:
    return _told(said) or said


def _about_member(field: str, said: str) -> str:
    told, name = _told(said), _value(field)
    if told is None and said.startswith(_PREDICATES):
        told = said
    if told is not None:
        return f"{name or 'The request'} {told}"
    return f"{name} is not accepted: {said}" if name else said


def _value(field: str) -> str:
    """Return what a member is here; entries of lists are those of an option that is repeated."""
    first, *rest = field.split(".")
    if any(not one.isdigit() for one in rest):
        return f"The value of {field}"
    if first in _NAMES:
        return _NAMES[first]
    return f"The value of --{_OPTIONS.get(first, first).replace('_', '-')}"


def _told(said: str) -> str | None:
    """Return the rest of a sentence; None if this is not a message of pydantic's own."""
    for rule, told in _RULES:
        found = re.fullmatch(rule, said.removeprefix(_AT_FIRST), re.DOTALL)
        if found is not None:
            return found.expand(told)
    return None
