"""What commands write: JSON, words that are safe on a terminal, and the last words of a failure."""

from __future__ import annotations

import json
import os
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import redirect_stderr
from io import FileIO, StringIO
from typing import Any, NoReturn, TypeVar

import typer

from wintun_api.cli.exit_codes import ExitCode

# Control characters, surrogates, ends of lines; then embeddings, overrides and isolates (UAX 9).
STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})

URN = "urn:wintun-api:command:"  # problems that the command line met by itself
TITLES = {
    ExitCode.USAGE: "Wrong usage",
    ExitCode.NOT_REACHABLE: "Service not reachable",
    ExitCode.REFUSED: "Refused",
    ExitCode.NOT_FOUND: "Not found",
    ExitCode.CONFLICT: "Conflict",
    ExitCode.INTERRUPTED: "Interrupted",
    ExitCode.TERMINATED: "Terminated",
}
_COLUMNS = 80  # of a terminal that does not say how wide it is

Result = TypeVar("Result")

_errors_as_json = False


def write_errors_as_json(wanted: bool) -> None:
    """Choose how `fail` writes: as a problem document, or as sentences. Holds for the process."""
    global _errors_as_json  # noqa: PLW0603 - an error may come before the options are known
    _errors_as_json = wanted


def errors_are_json() -> bool:
    """Return whether the command was given --json, so that errors are problem documents."""
    return _errors_as_json


def fail(
    detail: str,
    *hints: str,
    code: int = ExitCode.FAILED,
    problem: Mapping[str, Any] | None = None,
) -> NoReturn:
    """Write to standard error what is wrong and what to do next, and exit.

    Args:
        detail: What is wrong, as a sentence.
        hints: What to do next, a line each.
        code: The exit code.
        problem: The problem document of the service, where the error is the service's. With
            --json it is written with the command's own detail and hint.
    """
    if _errors_as_json:
        typer.echo(json.dumps(_problem(detail, hints, code, problem or {})), err=True)
    else:
        for line in (detail, *hints):
            typer.echo(printable(line), err=True)
    raise typer.Exit(code)


def _problem(
    detail: str, hints: Sequence[str], code: int, problem: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a problem document (RFC 9457) of one line; `exit_code` is a member of our own."""
    kind = ExitCode(code).name.lower().replace("_", "-")
    document: dict[str, Any] = {
        "type": URN + kind,
        "title": TITLES.get(ExitCode(code), "Failed"),
        **problem,
        "detail": detail,
    }
    document.pop("hint", None)
    if hints:
        document["hint"] = " ".join(hints)
    return {**document, "exit_code": int(code)}


def tried(work: Callable[[], Result]) -> tuple[Result | None, str]:
    """Do something that may end in `fail`; return its result, or None and the sentence."""
    with redirect_stderr(StringIO()) as written:
        try:
            return work(), ""
        except typer.Exit:
            said = written.getvalue()
    if _errors_as_json:
        return None, str(json.loads(said)["detail"])
    return None, said.partition("\n")[0]


def standard_output(instead: str) -> FileIO:
    """Return standard output for bytes; `instead` is the option with which a file is given."""
    if sys.stdout is None:
        fail("Standard output is closed.", f"Give a file with {instead} instead.")
    return FileIO(sys.stdout.fileno(), "wb", closefd=False)


def show_json(value: Any) -> None:
    """Write JSON; ASCII only, so that no code page can spoil it."""
    typer.echo(json.dumps(value, indent=2))


def show_ids(ids: Iterable[object]) -> None:
    """Write one id per line, for the next command or `xargs`."""
    for one in ids:
        typer.echo(printable(str(one)))


def flatten(record: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, object]]:
    """Return names and values of a nested object, in order; nested names are joined by dots."""
    for key, value in record.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            yield from flatten(value, name)
        else:
            yield name, value


def cell(value: object) -> str:
    """Return a value as people read it."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple() | dict():
            return ", ".join(map(cell, value)) or "-"
        case _:
            return printable(str(value))


def counted(count: int, thing: str) -> str:
    """Return how many there are of a thing, such as `1 packet` or `2 packets`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def marked(state: str, impairment: str | None) -> str:
    """Return the state of an adapter or a session, with a mark if its packets are impaired."""
    return f"{state}, impaired" if impairment else state


def printable(text: str) -> str:
    """Return the text with "?" for what could steer a terminal or turn the text around it."""
    return "".join(
        "?"
        if unicodedata.category(character) in STEERING
        or unicodedata.bidirectional(character) in TURNING
        else character
        for character in text
    )


def _columns() -> int:
    """Return how wide the terminal is; a line that is wider could not be written over."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


class Progress:
    """A line on standard error that is written over; on a terminal only."""

    INTERVAL = 0.2

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._next = 0.0

    def show(self, text: Callable[[], str]) -> None:
        """Show the text, when some time has passed since the last one."""
        if self._shown and (now := time.monotonic()) >= self._next:
            self._next = now + self.INTERVAL
            typer.echo(f"\r\x1b[K{text()[: _columns() - 1]}", err=True, nl=False)

    def clear(self) -> None:
        """Remove the line, so that something else can be written."""
        if self._shown and self._next:
            typer.echo("\r\x1b[K", err=True, nl=False)

    def end(self, text: str) -> None:
        """Show the last text, on a terminal or not."""
        typer.echo(f"\r\x1b[K{text}" if self._shown else text, err=True)
