"""What the command line says to do about each problem of the API."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import wintun_api.api
from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService
from wintun_api.api import problems
from wintun_api.cli.hints import HINTS, URN, detail_of, hint_of

ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) /|/v1/")


def slugs() -> set[str]:
    """Every problem type of the API: those of its table, and those of refusals in its code."""
    found = {kind.slug for kind in problems.KINDS.values()}
    found |= {kind.slug for kind in problems.HTTP_KINDS.values()}
    found |= {problems.VALIDATION.slug, problems.INTERNAL.slug}
    for path in Path(wintun_api.api.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                second = node.args[1] if len(node.args) > 1 else None
                if isinstance(second, ast.Constant):
                    found.add(str(second.value))
    return found


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
        for words in ("sessions start", "adapters list", "inject", "serve", "events")
    )
    assert all(flag in known for flag in flags - {"--help"}), flags


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
