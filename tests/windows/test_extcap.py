"""Wireshark's launcher on Windows: a batch file, and a named pipe for the packets."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import wintun_api
from tests.running import TOKEN, RunningService, running
from wintun_api.extcap import launcher
from wintun_api.extcap.trial import listed_by

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="batch files are of Windows")
PIPE = r"\\.\pipe\wireshark_extcap_wintun-api:OfficeNet_1"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rig's Python find this package, which is not installed there."""
    monkeypatch.setenv("PYTHONPATH", str(Path(wintun_api.__file__).parents[1]))


def installed(service: RunningService, tmp_path: Path) -> Path:
    """Return a launcher for a service, in a folder whose name a shell could misread."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    arguments = ["--url", service.url, "--token-file", str(token)]
    return launcher.install(tmp_path / "100% ext cap", arguments).path


def release(shell: subprocess.Popen[bytes]) -> None:
    """Open the pipe in the place of a program that has failed, so that the test does not wait."""
    shell.wait()
    with suppress(OSError), Path(PIPE).open("wb"):
        pass


def test_the_list(service: RunningService, tmp_path: Path) -> None:
    """The batch file starts this Python with its own arguments and Wireshark's."""
    service.adapter(name="OfficeNet")
    found = listed_by(installed(service, tmp_path))
    assert found.problem == ""
    assert found.interfaces == ("wintun-api:all", "wintun-api:OfficeNet")


def test_a_capture(tmp_path: Path) -> None:
    """Packets come through the named pipe, and the end of the shell is the end of the capture."""
    windows: Any = importlib.import_module("_winapi")
    duplex = 3
    with running(tmp_path, traffic=200.0) as service:
        service.session(service.adapter(name="OfficeNet"))
        words = ["--capture", "--extcap-interface", "wintun-api:OfficeNet", "--fifo", PIPE]
        pipe = windows.CreateNamedPipe(PIPE, duplex, 0, 1, 65536, 65536, 300, 0)
        with subprocess.Popen(
            [str(installed(service, tmp_path)), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as shell:
            threading.Thread(target=release, args=(shell,), daemon=True).start()
            windows.ConnectNamedPipe(pipe)
            file = b""
            while len(file) < 2000:
                file += windows.ReadFile(pipe, 65536)[0]
            shell.kill()  # as Wireshark does
            with pytest.raises(BrokenPipeError):
                while True:
                    windows.ReadFile(pipe, 65536)
            assert shell.communicate() == (b"", b"")
        windows.CloseHandle(pipe)
    assert file.startswith(bytes.fromhex("0a0d0d0a"))
