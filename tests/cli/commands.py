"""The command line as a process of its own, and in this one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from tests.waiting import within
from wintun_api.cli import app

PATIENCE = 30.0
COMMAND = [sys.executable, "-m", "wintun_api"]


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """This process's environment without anybody's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WINTUN_API_")}
    unset = ("DISPLAY", "WAYLAND_DISPLAY", "FORCE_COLOR")
    kept = {key: value for key, value in kept.items() if key not in unset}
    return {**kept, "WINTUN_API_DATA_DIR": str(data_dir), "COLUMNS": "200", **more}


def invoke(*arguments: str, **env: str) -> Result:
    """Run a command in this process."""
    values = {key: None for key in os.environ if key.startswith("WINTUN_API_")}
    return CliRunner().invoke(app, list(arguments), env={**values, "COLUMNS": "200", **env})


def run(tmp_path: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(tmp_path / "data", **env),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Program:
    """A command that runs until a signal ends it; what it writes goes to files.

    `within` is a program that runs it, such as unshare, and inherits what is inheritable.
    """

    def __init__(
        self, tmp_path: Path, *arguments: str, within: Sequence[str] = (), **env: str
    ) -> None:
        tmp_path.mkdir(exist_ok=True)
        self.data = tmp_path / "data"
        self._out, self._err = tmp_path / "stdout", tmp_path / "stderr"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*within, *COMMAND, *arguments],
                env=environment(tmp_path / "data", **env),
                cwd=tmp_path,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                close_fds=not within,
            )

    @property
    def stdout(self) -> str:
        """What it wrote to standard output so far."""
        return self._out.read_text("utf-8")

    @property
    def stderr(self) -> str:
        """What it wrote to standard error so far."""
        return self._err.read_text("utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has written a whole line with this."""
        line = re.compile(f"(?:{pattern}).*\n")

        def has_written() -> bool:
            return line.search(self.stdout + self.stderr) is not None

        came = within(PATIENCE, lambda: self.process.poll() is not None or has_written(), 0.02)
        found = line.search(self.stdout + self.stderr)
        assert found, f"{came=}, ended: {self.process.poll()}: {self.stdout}\n{self.stderr}"
        return found

    def wait_for_url(self) -> str:
        """Wait until it answers; return its address."""
        return self.wait_for(r"(http://127\.0\.0\.1:\d+)")[1]

    def end(self, number: int = signal.SIGINT) -> tuple[int, float]:
        """End it by a signal; return its exit code and the seconds that took."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        return code, time.monotonic() - started

    def close(self) -> None:
        """Make sure that nothing is left of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


EMULATED = ("serve", "--driver", "emulated", "--port", "0")


def token_of(program: Program) -> str:
    """Read the token that the service made."""
    path = program.wait_for(r"\(token file: (.+)\)")[1]
    return Path(path).read_text().strip()


FREE = ("--port", "0")


def doctor(tmp_path: Path, *arguments: str, **env: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Its exit code, and its checks by name."""
    given = {"WINTUN_API_DRIVER": "emulated", "WINTUN_API_DATA_DIR": str(tmp_path), **env}
    result = invoke("doctor", "--json", *arguments, **given)
    report = json.loads(result.stdout)
    assert report["ok"] == (result.exit_code == 0)
    return result.exit_code, {check["name"]: check for check in report["checks"]}
