"""A number or a name that several modules use is defined in one of them."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import wintun_api
from wintun_api.limits import MAX_PACKET
from wintun_api.schemas.problem import MEDIA_TYPE
from wintun_api.settings import Settings
from wintun_api.wire import BATCH_TYPE, RAW_TYPE

ROOT = Path(wintun_api.__file__).parent

# The same by chance: each may change without the others.
UNRELATED = {
    ("MAX_FILE", 1 << 20),  # of the pools' file, and of the tokens'
    # Names in the API, which its clients write for themselves.
    ("URN", "urn:wintun-api:problem:"),
    ("HEALTH", "/noauth/health"),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the package, with its name."""
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def constants(module: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield the names that a module defines as numbers, texts, or tuples of them."""
    for node in module.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            else:
                pairs = [(target, value)]
            for name, literal in pairs:
                if isinstance(name, ast.Name) and (found := number_or_text(literal)) is not None:
                    yield name.id, found


def number_or_text(node: ast.expr) -> object:
    """Return the value of an expression of literals; None if it is none, or a length of time."""
    if any(
        isinstance(one, (ast.Name, ast.Call, ast.Attribute, ast.List, ast.Set))
        for one in ast.walk(node)
    ):
        return None
    if isinstance(node, (ast.Constant, ast.Tuple, ast.BinOp)):
        value: object = eval(compile(ast.Expression(node), "constant", "eval"))
        # Each module chooses its own lengths of time, in seconds.
        return value if isinstance(value, int | str | bytes | tuple) and value is not True else None
    return None


def test_no_constant_is_defined_twice() -> None:
    """Two modules that need the same constant import it from one place."""
    places: dict[tuple[str, object], list[str]] = defaultdict(list)
    for name, module in modules():
        for constant in constants(module):
            places[constant].append(name)
    twice = {key: where for key, where in places.items() if len(where) > 1}
    assert {key: where for key, where in twice.items() if key not in UNRELATED} == {}


def test_no_sentence_is_defined_twice() -> None:
    """Two modules that say the same to people take it from one place, whatever they call it."""
    places: dict[str, set[str]] = defaultdict(set)
    for name, module in modules():
        for _, value in constants(module):
            if isinstance(value, str) and " " in value and value.endswith("."):
                places[value].add(name)
    assert {text: where for text, where in places.items() if len(where) > 1} == {}


def test_media_types_are_defined_once() -> None:
    """No other module writes a media type that has a name."""
    named = {RAW_TYPE: "wire.py", BATCH_TYPE: "wire.py", MEDIA_TYPE: "schemas/problem.py"}
    for name, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Constant) and node.value in named:
                assert name == named[str(node.value)], f"{name}:{node.lineno}"


def test_a_limit_of_a_packet_has_its_name() -> None:
    """No parameter or option is limited by a bare 65535."""
    for name, module in modules():
        if name == "settings.py":  # it lies below the packets; the next test compares
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.keyword) and node.arg in ("ge", "le", "min", "max"):
                limit = node.value
                bare = isinstance(limit, ast.Constant) and limit.value == MAX_PACKET
                assert not bare, f"{name}:{limit.lineno}"


def test_every_packet_fits_into_a_message() -> None:
    """The smallest limit of a message that the settings allow has room for the largest packet."""
    least = Settings.declared()["max_message"].at_least
    assert least is not None
    assert least >= MAX_PACKET


def test_defaults_of_settings_are_declared_alone() -> None:
    """The hub and the API are told the settings; none of them has a default of its own."""
    declared = set(Settings.declared())
    for name, module in modules():
        if not name.startswith(("hub/", "api/")):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.arguments):
                named = [*node.posonlyargs, *node.args][-len(node.defaults) or None :]
                pairs = [
                    *zip(named, node.defaults, strict=False),
                    *zip(node.kwonlyargs, node.kw_defaults, strict=True),
                ]
                own = [one.arg for one, value in pairs if value is not None and _is_number(value)]
                assert not declared & set(own), f"{name}: {own}"


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)
