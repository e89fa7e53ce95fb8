"""The wheel and the source distribution, as somebody gets them who has nothing else of us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.needs import need
from wintun_api import __version__

pytestmark = pytest.mark.heavy

PROJECT = Path(__file__).parent.parent.parent
PAGES = {
    "/": "text/html",
    "/app.js": "text/javascript",
    "/app.css": "text/css",
    "/icon.svg": "image/svg+xml",
    "/docs": "text/html",
    "/guide": "text/html",
    "/guide/packets": "text/html",
    "/guide.css": "text/css",
    "/docs/swagger-ui-bundle.js": "text/javascript",
}


def uv(*arguments: object, cwd: Path = PROJECT) -> str:
    """Run uv, of which only the environment's own settings are left."""
    program = os.environ.get("UV") or str(shutil.which("uv"))
    done = subprocess.run(
        [program, *map(str, arguments)],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both: the wheel is built from what the source distribution has."""
    need("uv")
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--out-dir", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    """The wheel."""
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel, far from the project."""
    folder = tmp_path_factory.mktemp("clean")
    uv("venv", "--quiet", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", python, wheel, cwd=folder)
    return folder


def run(installed: Path, *arguments: str) -> str:
    """Run the installed command."""
    return subprocess.run(
        [installed / "venv" / "bin" / "wintun-api", *arguments],
        cwd=installed,
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stdout


@pytest.fixture(scope="module")
def url(installed: Path) -> Iterator[str]:
    """The address of the installed command's demo, with its token."""
    with subprocess.Popen(
        [installed / "venv" / "bin" / "wintun-api", "demo", "--no-browser", "--port", "0"],
        cwd=installed,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        try:
            assert program.stdout is not None
            line = next(line for line in program.stdout if "Dashboard " in line)
            yield line.split()[1]
            program.send_signal(signal.SIGINT)
            program.stdout.read()
            assert program.wait(30) == 0
        finally:
            program.kill()


def test_the_wheel_is_the_same_without_the_sources(built: Path, wheel: Path) -> None:
    """Built from a clone, it has the files that it has when built from the source distribution."""
    uv("build", "--quiet", "--wheel", "--out-dir", built / "direct")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(built / "direct" / wheel.name) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_source_distribution(built: Path) -> None:
    """It has everything that git has but the forge's own files, and nothing that git has not."""
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(
        command, cwd=PROJECT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    ours = {name for name in listed if not name.startswith((".ci/", ".github/", "."))}
    assert ours - names == set()
    assert names - set(listed) == {"PKG-INFO"}


def test_wheel_files(wheel: Path) -> None:
    """The package is typed, and brings the dashboard and the unit for systemd."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {"py.typed", "webui/index.html", "webui/app.js", "cli/wintun-api.service"}
    assert {f"wintun_api/{name}" for name in expected} <= names
    assert {name.split("/")[0] for name in names} == {
        "wintun_api",
        f"wintun_api-{__version__}.dist-info",
    }


def test_version(wheel: Path, installed: Path) -> None:
    """One version: the package's, the wheel's, the command's."""
    assert wheel.name.split("-")[1] == __version__
    assert run(installed, "--version") == f"wintun-api {__version__}\n"
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project


@pytest.mark.parametrize(("path", "kind"), PAGES.items())
def test_page(url: str, path: str, kind: str) -> None:
    """The dashboard and the API docs are there, each with its type."""
    with httpx.Client(follow_redirects=True, timeout=30) as browser:
        assert browser.get(url).status_code == 200  # the token becomes a cookie
        answer = browser.get(httpx.URL(url).join(path))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].split(";")[0] == kind
    assert answer.content


def test_unit(installed: Path) -> None:
    """The installed command prints the unit with its own path."""
    program = installed / "venv" / "bin" / "wintun-api"
    assert f"\nExecStart={program} serve\n" in run(installed, "service", "unit")
