"""The public Python API: what it is, and that all of it is described."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from functools import cache

import griffe
import pytest

from tests.client import listing
from tests.client.listing import Definition, members, public, source

# Classes that describe their fields. Those of models describe themselves, and those of a socket of
# Scapy are Scapy's.
BY_CLASS = ("wintun_api.client.", "wintun_api.testing.Tun", "wintun_api.testing.Async")
# Scapy's class has this attribute, and says its type.
OF_OTHERS = frozenset({"wintun_api.testing.scapy.WintunSocket.iface"})


@cache
def names() -> dict[str, Definition]:
    """Return every public name, members of classes included."""
    found: dict[str, Definition] = {}
    for name, item in public(source()):
        found[name] = item
        if isinstance(item, griffe.Class):
            found |= {f"{name}.{key}": member for key, member in members(item)}
    return found


def functions() -> Iterator[tuple[str, griffe.Function]]:
    """Yield every public function and method."""
    for name, item in names().items():
        if isinstance(item, griffe.Function):
            yield name, item


def described(name: str, item: Definition) -> bool:
    """Return whether a name needs a docstring of its own."""
    if name.rpartition(".")[2] in listing.SPECIAL:
        return False
    if isinstance(item, griffe.Attribute):
        return "property" in item.labels
    return True


def lacks_type(item: griffe.Attribute) -> bool:
    """Return whether the attribute of an object has no type; a constant has that of its value."""
    constant = item.labels & {"class-attribute", "module-attribute"}
    return listing.type_of(item) is None and not constant


def is_enum(item: griffe.Class) -> bool:
    """Return whether a class is a set of values, which its docstring describes as a whole."""
    return any(str(base).endswith("Enum") for base in item.bases)


def text(item: Definition) -> str:
    """Return the docstring."""
    return "" if item.docstring is None else item.docstring.value


def test_the_committed_listing_is_current() -> None:
    """A change of the public API shows in a diff: `python -m tests.client.listing` writes it."""
    assert listing.FILE.read_text("utf-8").splitlines() == listing.lines()


def test_all_three_packages_are_in_it() -> None:
    """The listing finds what it should, and nothing private."""
    found = set(names())
    assert {
        "wintun_api.client.ClientError.hint",
        "wintun_api.client.Accounts.total",
        "wintun_api.schemas.adapters.AdapterCreate.if_exists",
        "wintun_api.schemas.problem.ProblemType.ADAPTER_EXISTS",
    } <= found
    parts = {part for name in found for part in name.split(".")}
    assert {part for part in parts if part.startswith("_")} <= listing.SPECIAL


def test_every_name_is_described() -> None:
    """A docstring begins with a sentence, on a line of its own."""
    lacking = [
        name
        for name, item in names().items()
        if described(name, item)
        and not (text(item)[:1].isupper() and text(item).partition("\n\n")[0].endswith("."))
    ]
    assert lacking == []


def test_every_field_is_described() -> None:
    """The docstring of a class names the fields that it gives its objects."""
    lacking = [
        f"{name}.{field}"
        for name, item in names().items()
        if isinstance(item, griffe.Class) and name.startswith(BY_CLASS) and not is_enum(item)
        for field, member in members(item)
        if isinstance(member, griffe.Attribute)
        and "property" not in member.labels
        and "instance-attribute" in member.labels
        and not any(f"{field}:" in text(one) for one in (item, *listing.untold_bases(item)))
    ]
    assert lacking == []


def test_every_value_has_a_type() -> None:
    """What a function takes and returns, and what a field holds, is in the listing."""
    lacking = []
    for name, item in names().items():
        if isinstance(item, griffe.Function):
            given = [one for one in item.parameters if one.name not in ("self", "cls")]
            if item.returns is None or any(one.annotation is None for one in given):
                lacking.append(name)
        elif isinstance(item, griffe.Attribute) and lacks_type(item):
            lacking.append(name)
    assert set(lacking) - OF_OTHERS == set()


@pytest.mark.parametrize("package", listing.PACKAGES)
def test_what_is_raised_is_told(package: str) -> None:
    """A function that raises has a section that says which errors, and when."""
    lacking = [
        name
        for name, item in functions()
        if name.startswith(package) and raises(item) and "Raises:" not in told(name, item)
    ]
    assert lacking == []


def told(name: str, item: griffe.Function) -> str:
    """Return what describes a function; the class describes how its objects are made."""
    if item.name == "__init__":
        return text(item) + text(names()[name.rpartition(".")[0]])
    return text(item)


def raises(item: griffe.Function) -> bool:
    """Return whether the function itself raises an error that it makes."""
    if item.name in ("__next__", "__anext__"):
        return False  # the end of an iteration is no error
    return bool(item.source) and makes_errors(item.source)  # a dataclass has no source of its own


def makes_errors(code: str) -> bool:
    """Return whether code raises an error that it makes."""
    nodes = ast.walk(ast.parse(textwrap.dedent(code)))
    return any(isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) for node in nodes)


def test_a_raise_is_found() -> None:
    """The check can fail: errors that are made count, those that are passed on do not."""
    assert makes_errors("    def one():\n        raise ValueError('x')")
    assert not makes_errors("def two(error):\n    raise error")
