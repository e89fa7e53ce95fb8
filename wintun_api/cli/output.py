"""Tables, JSON and the last words of a failing command."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import typer

PIPE_WIDTH = 10_000  # a pipe has no width: no line is broken, so that other programs can read it
# Control characters, surrogates, ends of lines; then embeddings, overrides and isolates (UAX 9).
STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})
TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})


def fail(*lines: str, code: int = 1) -> NoReturn:
    """Write lines to standard error and exit."""
    for line in lines:
        typer.echo(printable(line), err=True)
    raise typer.Exit(code)


def show_json(value: Any) -> None:
    """Write JSON; ASCII only, so that no code page can spoil it."""
    typer.echo(json.dumps(value, indent=2))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write an aligned table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    console.print(table)


def show_record(record: Mapping[str, Any]) -> None:
    """Write one thing as names and values; what is nested is named by its path."""
    show_table(("Name", "Value"), list(flatten(record)))


def flatten(record: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, object]]:
    """Return names and values of a nested object, in order."""
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


def printable(text: str) -> str:
    """Return the text with "?" for what could steer a terminal or turn the text around it."""
    return "".join(
        "?"
        if unicodedata.category(character) in STEERING
        or unicodedata.bidirectional(character) in TURNING
        else character
        for character in text
    )


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
            typer.echo(f"\r\x1b[K{text()}", err=True, nl=False)

    def end(self, text: str) -> None:
        """Show the last text, on a terminal or not."""
        typer.echo(f"\r\x1b[K{text}" if self._shown else text, err=True)
