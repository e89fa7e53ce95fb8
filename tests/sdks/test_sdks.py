"""Generated clients compile, read well, and walk through the running service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.needs import need
from tests.running import TOKEN, RunningService
from tests.sdks.build import WALK, compile_client, walk
from tests.sdks.generate import generate
from tests.sdks.languages import LANGUAGES, Language

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All clients, made at once."""
    need("uv", "java")
    folder = tmp_path_factory.mktemp("sdks")
    generate(LANGUAGES.values(), folder)
    return folder


@pytest.fixture(params=list(LANGUAGES.values()), ids=list(LANGUAGES))
def language(request: pytest.FixtureRequest) -> Language:
    """Each language whose tools are here."""
    language: Language = request.param
    need(*language.needs)
    packages = language.here / "package.json"
    if packages.is_file() and not (language.here / "node_modules").is_dir():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"not installed: npm ci --prefix {language.here}")
    return language


def test_names_read_well(language: Language, folder: Path) -> None:
    """Operations, models, enums and nullable members are called what a reader expects."""
    for name, expected in language.names.items():
        text = (folder / language.name / name).read_text()
        for part in expected:
            assert part in text, name


def test_no_class_is_made_up(language: Language, folder: Path) -> None:
    """No `AnyOf`, `OneOf`, `InlineObject` or `..._1`, as generators call what has no name."""
    made = {path.stem.lower() for path in (folder / language.name).rglob("*") if path.is_file()}
    odd = {"anyof", "oneof", "inline", "response_", "request_"}
    assert not [stem for stem in made if any(part in stem for part in odd)]


@pytest.mark.parametrize(
    "language",
    [one for one in LANGUAGES.values() if one.run],
    ids=lambda one: one.name,
    indirect=True,
)
def test_the_walk(language: Language, folder: Path, service: RunningService) -> None:
    """Create, start, inject, end, delete, and an error as a problem document."""
    compile_client(language, folder)
    assert walk(language, folder, service.url, TOKEN) == WALK
    assert service.http.get("/v1/adapters").json() == []
