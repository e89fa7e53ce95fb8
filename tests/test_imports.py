"""Modules import each other in one direction, and the program needs all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import wintun_api

ROOT = Path(wintun_api.__file__).parent
# What programs other than the service start with: the models are for clients too.
# What programs start from, and what they may import.
BEGINNINGS = (
    "wintun_api.__main__",
    "wintun_api.client",
    "wintun_api.extcap.__main__",
    "wintun_api.schemas",
    "wintun_api.testing",
)


def name_of(path: Path, root: Path = ROOT) -> str:
    """Return the dotted name of a module's file."""
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Return what each module imports of the package, anywhere in it and for type checking too."""
    files = {name_of(path, root): path for path in sorted(root.rglob("*.py"))}
    return {name: set(_imported(path, files)) - {name} for name, path in files.items()}


def _imported(path: Path, files: Mapping[str, Path]) -> Iterator[str]:
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in files else str(node.module) for name in inner]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # A module that is named to be imported later, as the drivers are.
            names = re.findall(r"^(wintun_api(?:\.\w+)+):\w+$", node.value)
        else:
            continue
        yield from (name for name in names if name in files)


def circle(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the modules of one circle of imports, if there is one."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reached(imports: Mapping[str, Iterable[str]], beginnings: Iterable[str]) -> set[str]:
    """Return what the modules at the beginning import, with all that those import."""
    found: set[str] = set()
    left = list(beginnings)
    while left:
        name = left.pop()
        if name in imports and name not in found:
            found.add(name)
            left += [*imports[name], name.rpartition(".")[0]]
    return found


def test_no_circle_of_imports() -> None:
    """No module needs, over whatever others, a module that needs it."""
    assert circle(graph()) == []


def test_every_module_is_part_of_the_program() -> None:
    """What only tests and tools import is beside them, and no wheel has it."""
    imports = graph()
    beginnings = [name for name in imports if name.startswith(BEGINNINGS)]
    files_only = {"wintun_api.webui"}
    assert set(imports) - reached(imports, beginnings) == files_only


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("from package import first\n", True),
        ("def late() -> None:\n    import package.first\n", True),
        ("if TYPE_CHECKING:\n    from package.first import Name\n", True),
        ("import package\n", False),
    ],
)
def test_circles_are_found(second: str, expected: bool, tmp_path: Path) -> None:
    """Imports in functions and for type checking count."""
    root = tmp_path / "package"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "first.py").write_text("from package.second import late\n")
    (root / "second.py").write_text(second)
    assert bool(circle(graph(root))) is expected
