"""The C programs of the benchmark: built once, started, and asked for their counts."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "c"
PATIENCE = 60.0


class Running:
    """A program that says a word when it is ready, and its counts as JSON at the end."""

    def __init__(self, command: list[str], ready: str) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if line != ready:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            raise RuntimeError(f"{' '.join(command)} did not start: {line or 'see above'}")

    def result(self, patience: float = PATIENCE) -> dict[str, Any]:
        """Wait for its end and return what it counted."""
        output, _ = self._process.communicate(timeout=patience)
        if self._process.returncode != 0:
            raise RuntimeError(f"{self._process.args!r} failed")
        counts: dict[str, Any] = json.loads(output)
        return counts

    def stop(self) -> dict[str, Any]:
        """Ask it to end now, and return what it counted."""
        self._process.send_signal(signal.SIGTERM)
        return self.result()

    def end(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class Programs:
    """All programs under `c/`, built into a directory.

    Args:
        directory: Where they are built.
        prefix: What starts each of them, such as `taskset`; an attribute, too.
    """

    def __init__(self, directory: Path, prefix: list[str]) -> None:
        self._directory = directory
        self.prefix = prefix
        compilers = []
        for source in sorted(SOURCES.glob("*.c")):
            shared = source.stem.startswith("lib")
            target = directory / (f"{source.stem}.so" if shared else source.stem)
            kind = ["-shared", "-fPIC"] if shared else []
            command = ["gcc", "-O3", "-Wall", "-Wextra", "-Werror", *kind, "-o", str(target)]
            compilers.append(subprocess.Popen([*command, str(source), "-lpthread", "-ldl"]))
        codes = [compiler.wait() for compiler in compilers]
        if any(codes):
            raise RuntimeError("the C programs were not built: see above")

    def path(self, name: str) -> Path:
        """Return where a program, or a library with its suffix, was built."""
        return self._directory / name

    def start(
        self, name: str, *arguments: object, ready: str, prefix: list[str] | None = None
    ) -> Running:
        """Start a program and wait for the word that says it is ready."""
        before = self.prefix if prefix is None else prefix
        return Running([*before, str(self.path(name)), *map(str, arguments)], ready)
