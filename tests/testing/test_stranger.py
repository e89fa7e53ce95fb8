"""A project of a stranger: an environment with the wheel, pytest and mypy, far from this one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.guide.blocks import only
from tests.needs import need
from tests.release.building import uv

pytestmark = pytest.mark.heavy

# The names for annotations, without pytest.
ALONE = """
import sys
import wintun_api.testing as testing
assert "pytest" not in sys.modules
for name in testing.__all__:
    getattr(testing, name)
assert "pytest" not in sys.modules
print(len(testing.__all__))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a project whose environment has the wheel alone."""
    need("uv")
    folder = tmp_path_factory.mktemp("stranger")
    uv("build", "--quiet", "--wheel", "--out-dir", folder / "dist")
    (wheel,) = (folder / "dist").glob("*.whl")
    uv("venv", "--quiet", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", python, wheel, cwd=folder)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_link.py").write_text(only("testing", "fixtures"))
    return folder


def run(project: Path, *arguments: str) -> str:
    """Run Python in the project."""
    done = subprocess.run(
        [project / "venv" / "bin" / "python", *arguments],
        cwd=project / "tests",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_project_of_a_stranger(project: Path) -> None:
    """The wheel works without pytest; with it the fixtures are found, typed, and run in workers."""
    assert int(run(project, "-c", ALONE)) > 10
    run(project, "-m", "wintun_api", "--help")
    python = project / "venv" / "bin" / "python"
    uv(
        "pip",
        "install",
        "--quiet",
        "--python",
        python,
        "pytest",
        "pytest-xdist",
        "mypy",
        cwd=project,
    )
    assert "2 passed" in run(project, "-m", "pytest", "-n", "2", "-W", "error")
    assert "2 passed" in run(project, "-m", "pytest", "-W", "error", "--import-mode=importlib")
    assert "no issues" in run(project, "-m", "mypy", "--strict", "test_link.py")
