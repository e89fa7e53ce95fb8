"""The single file for Windows, built as a release builds it and started in Wine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.running import NO_TLS
from tests.windows.rig import PROJECT
from tests.windows.wine import WindowsPython, windows_path, windows_python
from wintun_api import __version__

pytestmark = pytest.mark.heavy

SPEC = PROJECT / ".github" / "wintun-api.spec"
BUILDING = 500.0


@pytest.fixture(scope="module")
def exe(rig: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wintun-api.exe, alone in a folder."""
    folder = tmp_path_factory.mktemp("exe")
    places = {"--distpath": folder / "dist", "--workpath": folder / "work"}
    words = [word for name, path in places.items() for word in (name, windows_path(path))]
    command = ["-m", "PyInstaller", "--noconfirm", "--log-level=WARN", *words, windows_path(SPEC)]
    with windows_python(rig, *command, cwd=PROJECT) as builder:
        assert builder.wait(BUILDING) == 0, builder.output
    (made,) = (folder / "dist").iterdir()
    print(f"{made.name} has {made.stat().st_size / 1e6:.1f} MB.")
    return made


@contextmanager
def started(rig: Path, exe: Path, *arguments: str) -> Iterator[WindowsPython]:
    """Run the file, without anything of the rig's Python."""
    program = WindowsPython(rig, *arguments, program=exe, cwd=exe.parent)
    try:
        yield program
    finally:
        assert sys.platform != "win32"
        for process in processes(exe):
            psutil.Process(process).kill()
        program.close()


def processes(exe: Path) -> list[int]:
    """The processes of this file: what unpacks it, and what runs then."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            command = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
            if str(exe) in command.replace("\\", "/"):
                found.append(int(folder.name))
    return found


def test_version(rig: Path, exe: Path) -> None:
    """It starts, and knows its version."""
    assert exe.name == "wintun-api.exe"
    with started(rig, exe, "--version") as program:
        assert program.wait() == 0
        assert program.output == f"wintun-api {__version__}\n"


def test_demo(rig: Path, exe: Path) -> None:
    """Its demo serves the dashboard to a browser on Linux, and has packets; Ctrl-C ends it."""
    with started(rig, exe, "demo", "--no-browser", "--port", "0") as program:
        url = httpx.URL(program.wait_for(r"Dashboard +(http://\S+)")[1])
        with httpx.Client(follow_redirects=True, timeout=20, verify=NO_TLS) as browser:
            page = browser.get(url)
            assert page.headers["Content-Type"].startswith("text/html")
            script = browser.get(url.join("/app.js"))
            assert script.headers["Content-Type"].startswith("text/javascript")
            assert browser.get(url.join("/docs/swagger-ui-bundle.js")).is_success
            key = page.history[0].headers["Location"].partition("#key=")[2]
            driver = browser.get(url.join("/v1/driver"), headers={"X-Wintun-Api-Key": key})
            assert driver.json()["name"] == "emulated"
            system = browser.get(url.join("/v1/system"), headers={"X-Wintun-Api-Key": key})
            assert system.json()["native"] is True
        # A console's Ctrl-C reaches both of its processes.
        for process in processes(exe):
            os.kill(process, signal.SIGINT)
        assert program.wait() == 0, program.output
        assert "Traceback" not in program.output
