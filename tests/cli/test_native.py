"""Whether packets are handled in C: what doctor, serve and GET /v1/system say about it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.commands import COMMAND, EMULATED, Program, doctor, environment, token_of
from tests.cli.conftest import Start
from tests.extension import extension
from wintun_api import native

PACKAGE = Path(native.__file__).parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package without its extension; programs that start in this folder use it."""
    ignored = shutil.ignore_patterns("__pycache__", "guide", "*.so", "*.pyd")
    shutil.copytree(PACKAGE, tmp_path / "copy" / "wintun_api", ignore=ignored)
    (tmp_path / "copy" / "wintun_api" / "guide").mkdir()
    shutil.copy(PACKAGE / "guide" / "__init__.py", tmp_path / "copy" / "wintun_api" / "guide")
    return tmp_path / "copy"


def not_built(package: Path) -> None:
    """Leave it as it is."""


def broken(package: Path) -> None:
    """Put something else in the place of the extension."""
    (package / f"speedups{EXTENSION_SUFFIXES[-1]}").write_bytes(b"not a library")


def of_another_source(package: Path) -> None:
    """Take this installation's extension along, and change the source beside it."""
    bring(package)
    source = package / "speedups.c"
    source.write_bytes(source.read_bytes() + b"\n")


def with_other_functions(package: Path) -> None:
    """Take this installation's extension along, and expect other functions of it."""
    bring(package)
    code = package / "native.py"
    text = code.read_text("utf-8")
    changed = re.sub(r"(?m)^(INTERFACE: Final =) \d+", r"\1 -1", text)
    assert changed != text
    code.write_text(changed, "utf-8")


def bring(package: Path) -> None:
    """Copy this installation's extension."""
    module: Any = extension()
    shutil.copy(module.__file__, package)


Spoil = Callable[[Path], None]
ABSENCES: dict[Spoil, tuple[str, str]] = {
    not_built: ("It was not built", "install a C compiler and the headers of Python"),
    broken: ("It cannot be loaded: ", "pip install --force-reinstall --no-deps ."),
    of_another_source: ("another version of its source", "uv sync --reinstall-package wintun-api"),
    with_other_functions: ("another version of its source", "pip install --force-reinstall"),
}


def ask_doctor(folder: Path, **env: str) -> dict[str, str]:
    """Return what doctor says of the extension, of the package in a folder."""
    done = subprocess.run(
        [*COMMAND, "doctor", "--json", "--port", "0", "--driver", "emulated"],
        env=environment(folder / "data", **env),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done
    checks = json.loads(done.stdout)["checks"]
    (found,) = (check for check in checks if check["name"] == "extension")
    return dict(found)


@pytest.mark.parametrize("spoil", ABSENCES)
def test_doctor_says_why_not(copy: Path, spoil: Spoil) -> None:
    """It is a warning with the reason and what to do; packets are handled in Python."""
    spoil(copy / "wintun_api")
    check = ask_doctor(copy)
    reason, hint = ABSENCES[spoil]
    assert check["outcome"] == "warn"
    assert check["detail"].startswith("not in use; packets are handled in Python. ")
    assert reason in check["detail"]
    assert hint in check["hint"]


def test_doctor_finds_it(copy: Path) -> None:
    """An extension that fits is in use."""
    bring(copy / "wintun_api")
    check = ask_doctor(copy)
    assert (check["outcome"], check["hint"]) == ("ok", "")
    assert check["detail"] == "in use; packets are handled in C"


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_doctor_says_that_it_is_off(tmp_path: Path, way: str) -> None:
    """Switched off, it is no warning, whether there is one or not."""
    if way == "flag":
        code, checks = doctor(tmp_path, "--native", "off", "--port", "0")
        assert code == 0
        check = checks["extension"]
    else:
        check = ask_doctor(tmp_path, WINTUN_API_NATIVE="off")
    assert (check["outcome"], check["detail"]) == ("ok", "off; packets are handled in Python")


@pytest.mark.parametrize("spoil", [not_built, broken])
def test_serve_says_what_is_wrong(copy: Path, spoil: Spoil) -> None:
    """A service with an extension that cannot be used says so when it starts, and works."""
    spoil(copy / "wintun_api")
    with closing(Program(copy, *EMULATED)) as program:
        assert system_of(program)["native"] is False
        warned = [line for line in program.stderr.splitlines() if "Warning: " in line]
    if spoil is not_built:
        assert warned == []
    else:
        (line,) = warned
        assert "The C extension is not used. It cannot be loaded: " in line
        assert "pip install" in line


def system_of(program: Program) -> dict[str, Any]:
    """Ask a service about itself."""
    headers = {"Authorization": f"Bearer {token_of(program)}"}
    url = program.wait_for_url()
    return dict(httpx.get(f"{url}/v1/system", headers=headers, trust_env=False).json())


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_system_without_it(start: Start, way: str) -> None:
    """The service says that it runs without the extension where it was switched off."""
    if way == "flag":
        program = start(*EMULATED, "--native", "off")
    else:
        program = start(*EMULATED, WINTUN_API_NATIVE="off")
    assert system_of(program)["native"] is False


def test_system_with_it(start: Start) -> None:
    """The service says that it runs with the extension."""
    extension()
    assert system_of(start(*EMULATED))["native"] is True
