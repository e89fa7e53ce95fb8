"""Run the rig's interpreter from Linux: programs that end, and a service that clients drive.

Wine 8 fails on standard streams that are files or /dev/null, so each of them is a pipe here.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import within
from tests.windows.rig import environment, wine

PATIENCE = 30.0


def windows_path(path: Path) -> str:
    """A path of this machine as programs in Wine write it."""
    return "Z:" + str(path.absolute()).replace("/", "\\")


class WindowsPython:
    """A program of the rig's Python, or another one; `output` collects both of its output streams.

    Its process id is one of Linux: SIGINT is Ctrl-C, SIGKILL the end without a word.
    """

    def __init__(
        self,
        rig: Path,
        *arguments: str,
        program: Path | None = None,
        cwd: Path | None = None,
        echo: bool = False,
        **env: str,
    ) -> None:
        executable = program or rig / "python" / "python.exe"
        self.process = subprocess.Popen(
            [*wine(), str(executable), *arguments],
            env={**environment(rig), **env},
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._echo = echo
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as pipe:
            while True:
                # The pipe may never end: what the program started in Wine can hold it open.
                ended = self.process.poll() is not None
                if select.select([pipe], [], [], 0.05)[0]:
                    chunk = os.read(pipe.fileno(), 65536)
                    if not chunk:
                        return
                    self._chunks.append(chunk)
                    if self._echo:
                        sys.stdout.buffer.write(chunk)
                        sys.stdout.buffer.flush()
                elif ended:
                    return

    @property
    def output(self) -> str:
        """What it has written so far."""
        return b"".join(self._chunks).decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it has written a line with this."""
        line = re.compile(f"(?:{pattern}).*\n")
        within(PATIENCE, lambda: self.process.poll() is not None or line.search(self.output), 0.02)
        found = line.search(self.output)
        assert found is not None, self.output
        return found

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for its end and return its exit code, of which Wine keeps eight bits."""
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    def close(self) -> None:
        """Make sure that it is gone."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        assert self.process.stdin is not None
        self.process.stdin.close()


@contextmanager
def windows_python(rig: Path, *arguments: str, **options: object) -> Iterator[WindowsPython]:
    """Run a program of the rig's Python that is gone afterwards."""
    program = WindowsPython(rig, *arguments, **options)  # type: ignore[arg-type]
    try:
        yield program
    finally:
        program.close()


def start_server(rig: Path) -> bool:
    """Start Wine's server before programs whose pipes its services would hold open.

    It stays for the next program, whose start then takes hundredths of a second. Returns whether
    it was not there before; then `rig.end_wine` is the caller's to call.
    """

    def quietly(*command: str) -> int:
        # Wine's services keep the streams of whoever woke them.
        nowhere = subprocess.DEVNULL
        env = environment(rig)
        return subprocess.run(
            command, env=env, stdin=nowhere, stdout=nowhere, stderr=nowhere, check=False, timeout=60
        ).returncode

    started = quietly("wineserver", "-p") == 0
    quietly(*wine(), "cmd", "/c", "exit", "0")
    return started
