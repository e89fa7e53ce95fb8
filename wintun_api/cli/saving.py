"""Save what the service sends as a file that is whole, or not there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import Progress, fail, printable, standard_output


class Target:
    """A file that is written beside its name and gets it when it is whole, or standard output.

    A device or a FIFO is written as it is.

    Args:
        path: The file; - is standard output.

    Attributes:
        shown: What people call it.
        written: How many bytes it has.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.shown = "standard output" if str(path) == "-" else str(path)
        self.written = 0

    @contextmanager
    def opened(self) -> Iterator[Target]:
        """Open it; it is there when this is left without an error and it has a byte.

        What the system refuses ends the command with a sentence.

        Raises:
            BrokenPipeError: The program that reads it has enough.
        """
        try:
            file: AbstractContextManager[FileIO]
            if str(self._path) == "-":
                file = standard_output("--output")
            elif _is_special(self._path):
                file = FileIO(self._path, "wb")
            else:
                file = self._beside(Path(os.path.realpath(self._path)))
            with file as self._file:
                yield self
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"Cannot write {self.shown}: {error.strerror or error}.")

    def take(self, chunks: Iterator[bytes], tell: Callable[[], str]) -> None:
        """Write what comes; on a terminal, a line shows how far it is."""
        progress = Progress()
        try:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[self._file.write(rest) or 0 :]
                self.written += len(chunk)
                progress.show(tell)
        finally:
            progress.clear()

    @contextmanager
    def _beside(self, path: Path) -> Iterator[FileIO]:
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with FileIO(part, "wb") as file:
                yield file
            if self.written:
                part.replace(path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse to replace files that are there already."""
    for path in paths:
        if path.exists() and not _is_special(path):
            fail(
                f"The file {path} exists already.",
                "Choose another place with --output, or replace it with --force.",
                code=ExitCode.CONFLICT,
            )


def _is_special(path: Path) -> bool:
    """Return whether something is there that is written as it is: a device, a FIFO, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def safe_name(file: dict[str, Any], otherwise: str) -> str:
    """Return the name of a file of the service, unless it leads out of a folder."""
    name = str(file.get("name", ""))
    plain = name not in ("", ".", "..") and not set(name) & set('/\\:*?"<>|')
    return name if plain and name == printable(name) and len(name) <= 255 else otherwise
