"""The extension in a wheel: there where it can be compiled, and missed without harm elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.needs import leave_out, need
from tests.posix import user
from tests.release.building import PROJECT, program, project_files, uv

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(sys.platform != "linux", reason="compiles for Linux"),
]

EXTENSION = "wintun_api/speedups.abi3.so"
WITHOUT = "wintun-api is built without its C extension and works in Python alone: "
VARIABLE = "WINTUN_API_BUILD_NATIVE"
ASK = "from wintun_api import native; print(native.speedups() is not None)"


@pytest.fixture(scope="module", params=["plain", "a folder with ünïcödé 名"])
def clone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the project as a clone has them, in places with easy and with odd names."""
    need("uv", "gcc")
    place = tmp_path_factory.mktemp("clone") / str(request.param)
    for name in project_files():
        if name.startswith(("wintun_api/", ".build", "pyproject", "README", "LICENSE", ".git")):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, place / name)
    return place


def files(place: Path) -> dict[str, bytes]:
    """Return what is in a folder, without the modules that Python keeps compiled."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def build(clone: Path, made: Path, **variables: str) -> tuple[Path, str]:
    """Build a wheel; return it and what was said, after the package in it was imported."""
    said = uv(
        "build",
        "--wheel",
        "--python",
        sys.executable,
        "--out-dir",
        made,
        clone,
        variables=variables,
    )
    assert "Traceback" not in said
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(made)
        expected = EXTENSION in archive.namelist()
    found = subprocess.run(
        [sys.executable, "-c", ASK], cwd=made, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(expected), found
    return wheel, said


def test_with_a_compiler(clone: Path, tmp_path: Path) -> None:
    """The wheel has the extension for each Python from 3.11 on, and the source is as it was."""
    before = files(clone)
    wheel, said = build(clone, tmp_path)
    assert (tmp_path / EXTENSION).exists(), said
    assert "-cp311-abi3-linux_" in wheel.name
    assert WITHOUT not in said
    assert files(clone) == before


FAILURES = {
    "a compiler that fails": ({"CC": "false"}, "false returned non-zero exit status 1."),
    "no compiler": ({"PATH": "/nowhere"}, "No such file or directory: 'gcc'"),
    "a missing header": ({"CC": "gcc -nostdinc"}, "No such file or directory"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_without_a_compiler(clone: Path, tmp_path: Path, failure: str) -> None:
    """The wheel is for every system, and one line says why."""
    variables, reason = FAILURES[failure]
    wheel, said = build(clone, tmp_path, **variables)
    assert wheel.name.endswith("-py3-none-any.whl")
    (line,) = (line for line in said.splitlines() if WITHOUT in line)
    assert line.startswith(WITHOUT)
    assert line.endswith(reason)


def test_without_it_on_purpose(clone: Path, tmp_path: Path) -> None:
    """A variable leaves it out, and nothing is said about it."""
    wheel, said = build(clone, tmp_path, **{VARIABLE: "off"})
    assert wheel.name.endswith("-py3-none-any.whl")
    assert WITHOUT not in said


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({VARIABLE: "on", "CC": "false"}, "could not be built: false returned non-zero"),
        ({VARIABLE: "maybe"}, f"{VARIABLE} must be auto, off or on, not 'maybe'."),
    ],
    ids=["on", "maybe"],
)
def test_not_without_it(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    """Where it is asked for, a failure ends the build with a sentence; so does a wrong word."""
    need("uv")
    done = subprocess.run(
        [program(), "build", "--wheel", "--out-dir", tmp_path, PROJECT],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def hidden(path: Path | str, clone: Path, made: Path) -> str:
    """Build with an empty folder in place of another one, and the source read-only."""
    script = (
        'mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && '
        '{ [ -z "$2" ] || mount -t tmpfs none "$2"; } && shift 2 && exec "$@"'
    )
    build = [program(), "build", "--wheel", "--python", sys.executable, "--out-dir", made, clone]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", clone, str(path), *map(str, build)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


@pytest.fixture
def root() -> None:
    """The rights to mount."""
    need("unshare")
    if user() != 0:
        leave_out("needs root")


@pytest.mark.usefixtures("root")
def test_from_a_source_that_cannot_be_written(clone: Path, tmp_path: Path) -> None:
    """A read-only source is compiled as any other."""
    assert WITHOUT not in hidden("", clone, tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert "abi3" in wheel.name


@pytest.mark.usefixtures("root")
def test_without_the_headers_of_python(clone: Path, tmp_path: Path) -> None:
    """Where Python.h is missing, the line names it."""
    said = hidden(sysconfig.get_path("include"), clone, tmp_path)
    assert WITHOUT in said
    assert "Python.h: No such file or directory" in said


class TestEditable:
    """An installation that uses the clone itself, as `uv run` and `pip install -e` make it."""

    @pytest.fixture
    def venv(self, clone: Path, tmp_path: Path) -> Path:
        """An environment without the project."""
        for path in clone.glob("wintun_api/speedups.*.so"):
            path.unlink()
        uv("venv", "-q", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
        return tmp_path / "venv"

    def install(self, venv: Path, clone: Path, **variables: str) -> None:
        """Install the clone in it, without what it depends on."""
        words = ("pip", "install", "-q", "--no-deps", "--reinstall", "--refresh", "--python")
        uv(*words, venv / "bin" / "python", "-e", clone, cwd=venv, variables=variables)

    def ask(self, venv: Path) -> str:
        """Return whether the extension is used, and why not."""
        code = "from wintun_api import native as n; print(n.speedups() is not None, n.absence())"
        command = [str(venv / "bin" / "python"), "-c", code]
        done = subprocess.run(command, cwd=venv, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def test_it_lies_beside_its_source(self, venv: Path, clone: Path) -> None:
        """The extension is built into the package, and nothing else is."""
        before = files(clone)
        self.install(venv, clone)
        assert set(files(clone)) - set(before) == {EXTENSION}
        assert self.ask(venv) == "True None"

    def test_a_stale_one_is_not_used(self, venv: Path, clone: Path) -> None:
        """After a change of the source the old one is not used, and the next build mends it."""
        source = clone / "wintun_api" / "speedups.c"
        self.install(venv, clone)
        source.write_bytes(source.read_bytes() + b"\n")
        assert "another version" in self.ask(venv)
        self.install(venv, clone)
        assert self.ask(venv) == "True None"

    def test_a_good_one_is_kept(self, venv: Path, clone: Path) -> None:
        """Another Python's installation without a compiler leaves what was built of this source."""
        self.install(venv, clone)
        self.install(venv, clone, CC="false")
        assert self.ask(venv) == "True None"

    def test_none_is_left_on_purpose(self, venv: Path, clone: Path) -> None:
        """Where none is wanted, the one of an earlier build is removed."""
        self.install(venv, clone)
        self.install(venv, clone, **{VARIABLE: "off"})
        assert "not built" in self.ask(venv)
        assert not (clone / EXTENSION).exists()
