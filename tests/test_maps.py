"""The maps are true: what a package's docstring lists is what its folder has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import wintun_api
from tests.floors import FLOORS

ROOT = Path(wintun_api.__file__).parent
PACKAGES = sorted(path.parent for path in ROOT.rglob("__init__.py"))

# A row names modules, packages (with a slash) or files, separated by commas; two spaces end them.
# The map of the whole package begins its rows with the number of their floor.
ROW = re.compile(r"^ {4}(?:[0-9] {2}| {3})?(\w[\w./-]*(?:, \w[\w./-]*)*)(?: {2,}(\S.*))?$")


def rows(lines: list[str]) -> list[str]:
    """Return the names in the rows of a map: the first indented lines, up to the next sentence.

    An indented line among them that cannot be read as a row is an error.
    """
    names: list[str] = []
    for line in lines:
        if line.startswith(" "):
            row = ROW.match(line)
            assert row, f"not a row of a map: {line!r}"
            names += row[1].split(", ")
        elif line and names:
            break
    return names


def floors(lines: list[str], indentation: str) -> dict[str, int]:
    """Return the floor of each name in a map of the whole package."""
    found: dict[str, int] = {}
    floor = -1
    for line in lines:
        row = re.match(rf"{indentation}(?:([0-9])| ) {{2}}(\w[\w./-]*(?:, \w[\w./-]*)*)", line)
        if row:
            floor = int(row[1]) if row[1] else floor
            found |= dict.fromkeys((name.removesuffix("/") for name in row[2].split(", ")), floor)
    return found


def listed(package: Path) -> list[str]:
    """Return what the docstring of a package lists."""
    source = (package / "__init__.py").read_text("utf-8")
    # The lines as they are written: some versions of Python take the indentation off.
    docstring = ast.parse(source).body[0]
    return rows(source.splitlines()[docstring.lineno : docstring.end_lineno])


def present(package: Path) -> set[str]:
    """Return the modules of a package, and the packages in it with a slash."""
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    return modules | {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_the_map_of_a_package_is_its_folder(package: Path) -> None:
    """A package's docstring lists every module and package in it once, and nothing else."""
    names = listed(package)
    assert len(names) == len(set(names)), "listed twice"
    code = {name for name in names if "." not in name}
    assert code == present(package)
    for name in set(names) - code:
        assert (package / name).is_file(), name


def test_the_floors_of_the_maps_are_those_that_hold() -> None:
    """The package's docstring and the guide put every part on the floor that the tests hold."""
    docstring = (ROOT / "__init__.py").read_text("utf-8").partition("Directions")[0]
    assert floors(docstring.splitlines(), "    ") == FLOORS
    page = (ROOT / "guide" / "architecture.md").read_text("utf-8")
    block = page.partition("```text\n")[2].partition("```")[0]
    assert floors(block.splitlines(), "") == FLOORS


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md"])
def test_the_way_for_strangers_leads_somewhere(page: str) -> None:
    """The files that a page names are there, and each name "in" a file is defined in it."""
    text = " ".join((ROOT.parent / ".github" / page).read_text("utf-8").split())
    for name in re.findall(r"`((?:wintun_api|tests|web)/[\w./-]*)`", text):
        assert (ROOT.parent / name).exists(), name
    for name, path in re.findall(r"`(\w+)` in `([\w./-]+\.py)`", text):
        source = (ROOT.parent / path).read_text("utf-8")
        assert re.search(rf"^(?:class |def )?{name}\b", source, re.M), f"{name} in {path}"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("    events    numbered events", ["events"]),
        ("    calls, names  what adapters use", ["calls", "names"]),
        ("    windows/  what is Windows' own", ["windows/"]),
        ("    page.css", ["page.css"]),
        ("    2  drivers/  the seam", ["drivers/"]),
        ("       guide/   the user's guide", ["guide/"]),
    ],
)
def test_rows_are_read(line: str, names: list[str]) -> None:
    """A row gives every name before its text."""
    assert rows(["", line, "", "More.", "", "    and, a, list"]) == names


@pytest.mark.parametrize(
    "line", ["  events  two spaces", "    events numbered", "    a, b c  text"]
)
def test_other_indented_lines_are_no_rows(line: str) -> None:
    """What the test cannot read is not passed over in silence."""
    with pytest.raises(AssertionError, match="not a row"):
        rows([line])
