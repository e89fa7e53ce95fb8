"""Installs are reproducible: every package that may come in has one version."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONSTRAINTS = PROJECT["tool"]["uv"]["constraint-dependencies"]
PINS = {canonicalize_name(line.split("==")[0]) for line in CONSTRAINTS}


def test_every_requirement_is_pinned() -> None:
    """The pins cover all that the project needs here, down to the last dependency."""
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(needed for group in PROJECT["dependency-groups"].values() for needed in group),
        *(row for extra in PROJECT["project"]["optional-dependencies"].values() for row in extra),
    ]
    seen: set[str] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        name = canonicalize_name(requirement.name)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if name in seen or not applies:
            continue
        seen.add(name)
        assert name in PINS, f"{name} has no pin"
        try:
            wanted += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # an optional extra that is not installed


def test_no_registry_is_named() -> None:
    """The project installs from whatever registry its user has."""
    files = ("pyproject.toml", "tests/pins.txt")
    text = "".join((ROOT / name).read_text("utf-8") for name in files)
    assert not re.search(r"index-url|extra-index|https?://", text)


def test_pip_installs_what_uv_installs() -> None:
    """tests/pins.txt, for pip, is the list of uv."""
    lines = (ROOT / "tests/pins.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == CONSTRAINTS


def test_the_test_extra_is_part_of_dev() -> None:
    """What README's second command installs for the tests, a developer has from uv as well."""
    extra = set(PROJECT["project"]["optional-dependencies"]["test"])
    assert extra <= set(PROJECT["dependency-groups"]["dev"])


def test_readme_installs_the_pins() -> None:
    """README's two commands install these versions."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    ends = ("-m wintun_api demo", "-m pytest")
    commands = [line for line in lines if "-m venv" in line and line.endswith(ends)]
    assert len(commands) >= 2
    assert [line for line in commands if "-c tests/pins.txt" not in line] == []
