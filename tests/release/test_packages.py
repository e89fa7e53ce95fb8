"""The wheel and the source distribution, as somebody gets them who has nothing else of us."""

from __future__ import annotations

import signal
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.needs import need
from tests.release.building import PROJECT, project_files, uv
from wintun_api import __version__

pytestmark = pytest.mark.heavy

EXTENSION = "wintun_api/speedups.abi3.so"
PAGES = {
    "/": "text/html",
    "/app.js": "text/javascript",
    "/captures.js": "text/javascript",
    "/compose.js": "text/javascript",
    "/traffic.js": "text/javascript",
    "/impairment.js": "text/javascript",
    "/app.css": "text/css",
    "/icon.svg": "image/svg+xml",
    "/docs": "text/html",
    "/guide": "text/html",
    "/guide/packets": "text/html",
    "/guide.css": "text/css",
    "/docs/swagger-ui-bundle.js": "text/javascript",
}


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
    listed = project_files()
    ours = {name for name in listed if not name.startswith((".ci/", ".github/", "."))}
    assert ours - names == set()
    assert ".build_extension.py" in names
    assert names - set(listed) == {"PKG-INFO"}


def test_wheel_files(wheel: Path) -> None:
    """It has the files of the package that git has, the extension, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {name for name in project_files() if name.startswith("wintun_api/")}
    assert {name for name in names if name.startswith("wintun_api/")} - expected == {EXTENSION}
    assert expected <= names
    assert {name.split("/")[0] for name in names} == {
        "wintun_api",
        f"wintun_api-{__version__}.dist-info",
    }


def test_types_reach_a_checker(installed: Path) -> None:
    """Mypy finds the types of the public packages in the wheel, and a mistake against them."""
    pytest.importorskip("mypy")
    (installed / "good.py").write_text(
        "from wintun_api.client import Client, ProblemError\n"
        "from wintun_api.schemas.adapters import Adapter\n\n\n"
        "def named(client: Client, name: str) -> Adapter | None:\n"
        "    try:\n"
        "        return client.create_adapter(name)\n"
        "    except ProblemError as error:\n"
        "        print(error.kind.upper(), error.status + 1)\n"
        "        return None\n",
        "utf-8",
    )
    (installed / "bad.py").write_text(
        "from wintun_api.client import Client\n\nClient().create_adapter(5)\n", "utf-8"
    )
    python = installed / "venv" / "bin" / "python"
    check = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python)]
    results = [
        subprocess.run(
            [*check, name], cwd=installed, check=False, capture_output=True, text=True, timeout=300
        )
        for name in ("good.py", "bad.py")
    ]
    assert [one.returncode for one in results] == [0, 1], [one.stdout for one in results]
    assert "[arg-type]" in results[1].stdout


def test_version(wheel: Path, installed: Path) -> None:
    """One version: the package's, the wheel's, the command's."""
    assert wheel.name.split("-")[1] == __version__
    assert run(installed, "--version") == f"wintun-api {__version__}\n"
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "version" not in project


def test_the_extension(installed: Path) -> None:
    """The installed package has its extension, which fits the source beside it."""
    code = "from wintun_api import native; print(native.speedups() is not None, native.absence())"
    python = installed / "venv" / "bin" / "python"
    said = subprocess.run(
        [python, "-c", code], cwd=installed, capture_output=True, text=True, check=True
    )
    assert said.stdout == "True None\n", said


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
