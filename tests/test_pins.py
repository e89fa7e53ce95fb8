"""Installs are reproducible: every package that may come in has one version."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
PINS = {
    canonicalize_name(line.split("==")[0])
    for line in PROJECT["tool"]["uv"]["constraint-dependencies"]
}


def test_every_requirement_is_pinned() -> None:
    """The pins cover all that the project needs here, down to the last dependency."""
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(needed for group in PROJECT["dependency-groups"].values() for needed in group),
        *PROJECT["project"]["optional-dependencies"]["speed"],
        *PROJECT["project"]["optional-dependencies"]["service"],
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
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8")
    assert not re.search(r"index-url|extra-index|https?://", text)
