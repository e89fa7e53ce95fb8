"""How tests are built: they share nouns, look from outside, and wait for what is told."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

# Names with an underscore that Python's documentation gives to everybody.
DOCUMENTED = {"_fields_", "_flags_", "_getframe", "_pack_", "_replace", "_xoptions"}

# Files that look into a class from inside, and why there is no other way.
INSIDE = {
    "api/test_unread_streams.py": "makes the event loop of Python 3.11 out of a newer one",
}

# What does the work of a loop that has no body: it waits for others, or takes and gives.
BLOCKING = {"_line", "more", "receive", "recv", "put", "seen", "send_packets", "take"}

SLEEPS = {"asyncio.sleep", "sleep", "time.sleep"}


def files() -> list[str]:
    """Return every Python file of the tests."""
    return sorted(path.relative_to(HERE).as_posix() for path in HERE.rglob("*.py"))


@cache
def nodes_of(name: str) -> list[ast.AST]:
    """Return all of a file's syntax."""
    return list(ast.walk(ast.parse((HERE / name).read_text("utf-8"))))


def imports(name: str) -> Iterator[str]:
    """Return the full names of what a file imports, wherever in it."""
    for node in nodes_of(name):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def private(name: str) -> Iterator[ast.Attribute]:
    """Return where a file reaches into an object for what its class keeps to itself."""
    own = {
        made
        for node in nodes_of(name)
        for made in (
            [node.name]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            else [node.attr]
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and of_self(node)
            else []
        )
    }
    for node in nodes_of(name):
        if (
            isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.startswith("__")
            and node.attr not in own | DOCUMENTED
            and not of_self(node)
        ):
            yield node


def of_self(node: ast.Attribute) -> bool:
    """Say whether an attribute is one of the object whose method this is."""
    value = node.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "super"
    return isinstance(value, ast.Name) and value.id in ("self", "cls")


def calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Return the calls among these nodes."""
    return (one for one in nodes if isinstance(one, ast.Call))


def is_busy(loop: ast.While) -> bool:
    """Say whether a loop does nothing but ask again, without waiting for an answer."""
    asked = {
        one.func.attr if isinstance(one.func, ast.Attribute) else ast.unparse(one.func)
        for part in (loop.test, *loop.body)
        for one in calls(ast.walk(part))
    }
    idle = all(isinstance(part, ast.Pass | ast.Assert) for part in loop.body)
    return idle and not asked & BLOCKING


def test_no_file_imports_a_test() -> None:
    """What two test files share lies in a module beside them that is named for it."""
    found = [
        f"{name}: {one}"
        for name in files()
        for one in imports(name)
        if any(part.startswith("test_") for part in one.split("."))
    ]
    assert found == []


def test_no_mocks() -> None:
    """Fakes live below the driver's seam, where they can be as real as the contract asks."""
    found = [
        f"{name}: {one}"
        for name in files()
        for one in imports(name)
        if one.startswith(("mock", "unittest"))
    ]
    assert found == []


def test_no_private_attributes() -> None:
    """Tests use what users have; what cannot be seen from outside may change."""
    found = [
        f"{name}:{node.lineno}: {ast.unparse(node)}"
        for name in files()
        if name not in INSIDE
        for node in private(name)
    ]
    found += [
        f"{name}: {one}"
        for name in files()
        for one in imports(name)
        if one.startswith("wintun_api.") and "._" in one.replace(".__", ".")
    ]
    assert found == []


def test_the_exceptions_are_needed() -> None:
    """A file that looks inside no longer is taken off the list."""
    assert [name for name in INSIDE if not any(private(name))] == []


def test_waits_are_told() -> None:
    """Only `waiting` looks again and again or lets time pass; elsewhere nothing sleeps or spins."""
    found = [
        f"{name}:{one.lineno}: {ast.unparse(one)}"
        for name in files()
        for one in calls(nodes_of(name))
        if ast.unparse(one.func) in SLEEPS and ast.unparse(one) != "asyncio.sleep(0)"
    ]
    found += [
        f"{name}:{loop.lineno}: while {ast.unparse(loop.test)}"
        for name in files()
        for loop in nodes_of(name)
        if isinstance(loop, ast.While) and is_busy(loop)
    ]
    assert [one for one in found if not one.startswith("waiting.py:")] == []
