"""The floors hold: lower ones never import higher ones, and each tool has its place."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import wintun_api
from tests.floors import FLOORS

ROOT = Path(wintun_api.__file__).parent

# Module prefix -> the parts that may import it, with the reason.
PLACES = {
    "fastapi": ({"api"}, "the web framework ends at the API"),
    "starlette": ({"api"}, "the web framework ends at the API"),
    "uvicorn": ({"api", "cli"}, "the server ends at the API; the command line starts it"),
    "websockets": (
        {"api", "client", "cli", "chunks"},
        "sockets are the API's; its mask is the codec's",
    ),
    "markdown_it": ({"api", "cli"}, "the guide is rendered where it is shown"),
    "pydantic": (
        {"api", "schemas", "configuration", "client", "fleet"},
        "dataclasses are inside; models are what travels and what is read",
    ),
    "ctypes": ({"drivers"}, "foreign functions are the drivers'"),
    "pyroute2": ({"drivers"}, "netlink is the Linux driver's"),
    "asyncio": (
        {"hub", "api", "client", "testing", "cli", "fleet"},
        "drivers and codecs are synchronous",
    ),
    "threading": (
        {"hub", "drivers", "client", "testing", "cli", "extcap", "fleet"},
        "threads are the hub's; drivers only lock; the others wait in one for what has no event",
    ),
}


def modules() -> list[Path]:
    """Every Python file of the package."""
    return sorted(ROOT.rglob("*.py"))


def part(path: Path) -> str:
    """The first name below the package that a file belongs to."""
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


@cache
def imports(path: Path) -> list[str]:
    """The full names of what a file imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_import_goes_up(path: Path) -> None:
    """A module imports its own floor or a lower one."""
    if path == ROOT / "__init__.py":
        assert imports(path) == []
        return
    own = FLOORS[part(path)]
    for name in imports(path):
        if name.startswith("wintun_api."):
            other = name.split(".")[1]
            assert FLOORS.get(other, 0) <= own, f"{name} is above"


# The client is a program like any other: it knows the service by its API alone.
STRANGERS = {
    "client": {"api", "hub", "drivers", "cli"},
    "testing": {"api", "hub", "drivers", "cli"},
    "extcap": {"api", "hub", "drivers", "cli"},
    "api": {"client", "testing", "extcap"},
}


@pytest.mark.parametrize("place", STRANGERS)
def test_strangers_do_not_meet(place: str) -> None:
    """The client and the service import nothing of each other."""
    for path in (ROOT / place).rglob("*.py"):
        for name in imports(path):
            other = name.split(".")[1] if name.startswith("wintun_api.") else ""
            assert other not in STRANGERS[place], f"{path}: {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_tool_in_its_place(path: Path) -> None:
    """A library is imported only where it belongs."""
    for name in imports(path):
        allowed, reason = PLACES.get(name.split(".")[0], (None, ""))
        assert allowed is None or part(path) in allowed, f"{name}: {reason}"


def test_no_driver_is_known_by_its_name() -> None:
    """Above the drivers nothing depends on the name of one: its abilities say what differs."""
    for path in (path for place in ("hub", "api", "cli") for path in (ROOT / place).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare | ast.Subscript):
                text = ast.unparse(node)
                assert not re.search(r"\bdriver\.name\b", text), f"{path}: {text}"
            if isinstance(node, ast.Compare) and "sys.platform" not in ast.unparse(node):
                named = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant)}
                assert not named & {"wintun", "linux", "emulated"}, f"{path}: {ast.unparse(node)}"


def test_drivers_know_no_settings() -> None:
    """A driver takes keywords; `open_driver` alone makes them of the service's settings."""
    for path in (ROOT / "drivers").glob("*/**/*.py"):
        for name in imports(path):
            known = name.split(".")[:2]
            assert known not in (["wintun_api", "settings"], ["wintun_api", "configuration"]), path


def test_drivers_import_each_other_in_one_direction() -> None:
    """No module of the drivers imports itself over others, not even for its types."""
    names = {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts): path
        for path in (ROOT / "drivers").rglob("*.py")
        if path.name != "__init__.py"
    }
    graph = {
        name: {one for one in names for got in imports(path) if f"{got}.".startswith(f"{one}.")}
        for name, path in names.items()
    }
    assert list(TopologicalSorter(graph).static_order())


def test_drivers_start_no_threads() -> None:
    """Drivers use locks and conditions, never a thread of their own."""
    for path in (ROOT / "drivers").rglob("*.py"):
        started = {"threading.Thread", "threading.Timer", "concurrent.futures.ThreadPoolExecutor"}
        assert not started & set(imports(path)), path
        assert "threading.Thread(" not in path.read_text("utf-8"), path


def test_the_hub_knows_no_concrete_driver() -> None:
    """The hub depends on the seam alone."""
    for path in (ROOT / "hub").rglob("*.py"):
        for name in imports(path):
            if name.startswith("wintun_api.drivers"):
                assert name.split(".")[2] in ("base", "limits", "timer"), f"{path}: {name}"


# What a client installs is pydantic; the rest of the package must not come with the models.
OF_A_CLIENT = ("choices", "errors", "limits", "paste", "schemas", "visible")


def test_models_know_only_what_a_client_has() -> None:
    """The models import one another, the enums and numbers that clients share, and no more."""
    for path in (ROOT / "schemas").rglob("*.py"):
        for name in imports(path):
            if name.startswith("wintun_api."):
                assert name.split(".")[1] in OF_A_CLIENT, f"{path}: {name}"


BLOCKED = ("fastapi", "starlette", "uvicorn", "asyncio", "ctypes", "pydantic_settings")
IMPORT_ALL = """
import importlib, pkgutil, sys
package, *blocked = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked))  # importing a module that is None fails
found = importlib.import_module(package)
for one in pkgutil.iter_modules(getattr(found, "__path__", ()), package + "."):
    importlib.import_module(one.name)
print(*(name for name, one in sys.modules.items() if one and name.startswith("wintun_api.")))
"""


def imported_alone(package: str, *blocked: str) -> set[str]:
    """Import a package and all its modules in a fresh interpreter; return our parts it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, package, *blocked],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {name.split(".")[1] for name in done.stdout.split()}


def test_models_can_be_imported_alone() -> None:
    """A client gets every model without the web framework, the hub, the API and the drivers."""
    parts = {part(path) for path in modules() if path != ROOT / "__init__.py"}
    ours = [f"wintun_api.{name}" for name in sorted(parts - set(OF_A_CLIENT))]
    assert imported_alone("wintun_api.schemas", *BLOCKED, *ours) == set(OF_A_CLIENT)


def test_choices_need_the_standard_library_alone() -> None:
    """The enums come without pydantic, so that the command line can use them."""
    assert imported_alone("wintun_api.choices", "pydantic", "typer", *BLOCKED) == {"choices"}


def test_drivers_do_not_know_each_other() -> None:
    """Wintun's stands on Windows', the emulated driver on both, and nothing else on another."""
    allowed = {("wintun", "windows"), ("emulated", "wintun"), ("emulated", "windows")}
    for path in (ROOT / "drivers").glob("*/*.py"):
        own = path.parent.name
        for name in imports(path):
            parts = name.split(".")
            if parts[:2] == ["wintun_api", "drivers"] and parts[2] in (
                "wintun",
                "windows",
                "linux",
                "emulated",
            ):
                assert parts[2] == own or (own, parts[2]) in allowed, f"{path}: {name}"


def test_every_module_says_what_it_is() -> None:
    """Every module starts with a docstring."""
    for path in modules():
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path
