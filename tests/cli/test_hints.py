"""What the command line says to do about each problem of the API."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService
from wintun_api import errors
from wintun_api.api.data_directory import DataDirectoryInUse
from wintun_api.api.kinds import Kind
from wintun_api.api.problems import Refusal
from wintun_api.cli.hints import HINTS, URN, detail_of, hint_for, hint_of
from wintun_api.files import UntrustedFile

ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) /|/v1/")


def slugs() -> set[str]:
    """Every problem type of the API."""
    return {kind.slug for kind in Kind}


def test_every_problem_type_has_a_hint() -> None:
    """The table has every problem type, and no other."""
    assert {"adapter-not-found", "missing-scope", "full", "unknown-subprotocol"} <= slugs()
    assert set(HINTS) == slugs()


@pytest.mark.parametrize("slug", sorted(HINTS))
def test_no_hint_names_a_route(slug: str) -> None:
    """A hint speaks of commands and options, in whole sentences, never of routes or numbers."""
    said = hint_of({"type": URN + slug, "hint": "Try it with GET /v1/adapters."})
    assert not ROUTE.search(said)
    assert not re.search(r"errno|win32|0x", said, re.IGNORECASE)
    if HINTS[slug] is not None:
        assert said[0].isupper() or said.startswith("wintun-api ")


@pytest.mark.thorough
def test_commands_of_the_hints_exist() -> None:
    """Commands that a hint names exist, and so do their options."""
    for hint in filter(None, HINTS.values()):
        for command in re.findall(r"wintun-api ((?:[a-z]+ ?)+)", hint):
            words = command.split()
            tries = [invoke(*words[:count], "--help").exit_code for count in (2, 1)]
            assert 0 in tries, command
    flags = {
        flag for hint in filter(None, HINTS.values()) for flag in re.findall(r"--[a-z-]+", hint)
    }
    known = "".join(
        invoke(*words.split(), "--help").stdout
        for words in (
            "sessions start",
            "adapters create",
            "adapters list",
            "inject",
            "serve",
            "events",
            "recorder",
        )
    )
    assert all(flag in known for flag in flags - {"--help"}), flags


def tree(cls: type[errors.WintunApiError] = errors.WintunApiError) -> Iterator[Any]:
    """Every class of the tree of errors."""
    for child in cls.__subclasses__():
        if child.__module__.startswith("wintun_api."):
            yield child
            yield from tree(child)


def test_every_error_has_a_hint_in_the_words_of_the_command_line() -> None:
    """An error that ends a command of this process says what to do, and names no route."""
    found = set(tree()) - {errors.AdapterError, Refusal}
    assert {errors.InvalidSettings, UntrustedFile, DataDirectoryInUse} <= found
    for cls in found:
        said = hint_for(cls.__new__(cls))
        assert said, cls
        assert not ROUTE.search(said), cls
        assert "request" not in said, cls


def test_an_own_hint_comes_first() -> None:
    """What the place that raises an error knows is more than what the table says."""
    assert hint_for(errors.AccessDenied(hint="Do this.")) == "Do this."
    assert hint_for(errors.InvalidSettings("x")) != ""


@pytest.mark.parametrize("slug", sorted(slug for slug, hint in HINTS.items() if hint is None))
def test_hints_of_both_surfaces_speak_of_the_machine(slug: str) -> None:
    """Where the command line has no words of its own, those of the API fit a terminal too."""
    (kind,) = (kind for kind in Kind if kind.slug == slug)
    assert not re.search(r"GET|POST|DELETE|/v1|header .*:|JSON", kind.hint)


def test_a_hint_of_a_later_version_is_kept() -> None:
    """A problem type that this version does not know keeps its own hint, unless it is a route."""
    assert hint_of({"type": URN + "later", "hint": "Turn it off."}) == "Turn it off."
    assert hint_of({"type": URN + "later", "hint": "Ask GET /v1/x."}) == ""


def test_a_route_that_is_missing_is_a_sentence() -> None:
    """An older service's answer to a newer command names no route either."""
    problem = {"type": URN + "not-found", "detail": "Not Found: POST /v1/adapters/x/restore"}
    assert detail_of(problem) == "The service does not know this request."
    known = {"type": URN + "not-found", "detail": "No token has the id 'x'."}
    assert detail_of(known) == known["detail"]


@pytest.mark.parametrize(
    "command",
    [
        ("adapters", "show", "deadbabe-cafe-beef-0123-456789abcdef"),
        ("adapters", "open", "Nowhere"),
        ("adapters", "create", "OfficeNet"),
        ("sessions", "start", "OfficeNet"),
        ("tokens", "revoke", "nothing"),
        ("adapters", "create", "X", "--mtu", "1"),
        ("inject", "OfficeNet", "--hex", "4500"),
        ("captures", "show", "nothing"),
    ],
    ids=" ".join,
)
def test_failures_name_no_route(service: RunningService, command: tuple[str, ...]) -> None:
    """What a real failure prints is a sentence and what to do next, without a route."""
    service.session(service.adapter(name="OfficeNet"))
    result = invoke(*command, WINTUN_API_URL=service.url, WINTUN_API_TOKEN=TOKEN)
    detail, hint = result.stderr.splitlines()[:2]
    assert result.exit_code != 0
    assert not ROUTE.search(result.stderr)
    assert detail[0].isalnum()
    assert hint
