"""`wintun-api native`: the native part is built, looked at, and missed with a sentence."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from wintun_api.drivers.linux import native

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the native part is for Linux"),
    pytest.mark.skipif(not any(map(shutil.which, native.COMPILERS)), reason="not installed: gcc"),
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this installation keeps its native part: not there yet."""
    library = tmp_path / "burst.so"
    monkeypatch.setattr(native, "LIBRARY", library)
    return library


def test_build(library: Path) -> None:
    """Build makes it, and status says so."""
    assert json.loads(invoke("native", "status", "--json").stdout)["usable"] is False
    built = invoke("native", "build")
    assert built.exit_code == 0, built.output
    assert str(library) in built.stdout
    assert json.loads(invoke("native", "status", "--json").stdout) == {
        "library": str(library),
        "there": True,
        "usable": True,
    }


@pytest.mark.parametrize(
    ("content", "says"), [(None, "native build"), (b"old", "another version")], ids=["no", "old"]
)
def test_status_in_words(library: Path, content: bytes | None, says: str) -> None:
    """What is missing or old is said with what to do."""
    if content is not None:
        library.write_bytes(content)
    assert says in invoke("native", "status").stdout


def test_no_compiler(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a compiler it fails with what to install."""
    monkeypatch.setattr(native, "COMPILERS", ())
    result = invoke("native", "build", CC="")
    assert result.exit_code == 1
    assert "Install gcc" in result.stderr
    assert not library.exists()


def test_a_compiler_that_is_none(library: Path) -> None:
    """A compiler that does not work is an error in words, and leaves nothing behind."""
    result = invoke("native", "build", "--compiler", "false")
    assert result.exit_code == 1
    assert "was not built" in result.stderr
    assert list(library.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("wanted", "says"), [("off", "off"), ("auto", "not built")], ids=["off", "auto"]
)
def test_doctor(library: Path, wanted: str, says: str) -> None:
    """Doctor tells how packets are read."""
    del library
    result = invoke(
        "doctor", "--json", "--port", "0", WINTUN_API_DRIVER="linux", WINTUN_API_NATIVE=wanted
    )
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    assert says in checks["native part"]["detail"]
