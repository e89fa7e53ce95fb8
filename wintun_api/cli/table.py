"""Tables that fit the terminal without breaking a word, such as a GUID, over two lines.

A pipe has no width: there a row is one line, however long. On a terminal that is too narrow, lists
are written over several lines first; then the columns that matter least are left out, which a line
on standard error says; at last every row becomes a block with one line per value.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import typer

from wintun_api.cli.output import cell, flatten, printable

GAP = "  "

_Row: TypeAlias = Sequence[str]


def show_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], least: Sequence[str] = ()
) -> None:
    """Write an aligned table to standard output.

    Args:
        columns: The headings.
        rows: The values of each row, in the order of the columns.
        least: Columns that may be left out on a narrow terminal, the first one first.
    """
    texts = [[cell(value) for value in row] for row in rows]
    width = _width()
    for count in range(len(least) + 1):
        left_out = least[:count]
        kept = [at for at, name in enumerate(columns) if name not in left_out]
        shown = [[row[at] for at in kept] for row in (columns, *texts)]
        widths = _fitted(shown, width)
        if widths is not None:
            break
    else:
        typer.echo("\n".join(_blocks(columns, texts, width or 0)))
        return
    for row in shown:
        typer.echo("\n".join(_lines(row, widths)))
    if left_out:
        names = ", ".join(left_out)
        typer.echo(f"The terminal is too narrow for these columns: {names}.", err=True)


def show_record(record: Mapping[str, Any]) -> None:
    """Write one thing as names and values; what is nested is named by its path."""
    width = _width()
    rows = [(name, cell(value)) for name, value in flatten(record)]
    widths = _fitted(rows, width)
    if widths is not None:
        for row in rows:
            typer.echo("\n".join(_lines(row, widths)))
    else:
        names, values = zip(*rows, strict=True)
        typer.echo("\n".join(_blocks(names, [values], width or 0)))


def show_text(text: str, indent: int = 0) -> None:
    """Write a text to standard output; on a terminal over as many lines as it needs.

    Args:
        text: The text.
        indent: How many blanks are before each line.
    """
    width = _width()
    said = printable(text)
    for line in [said] if width is None else _wrapped(said, max(width - indent, 1)):
        typer.echo(" " * indent + line)


def text_width(text: str) -> int:
    """Return how many columns of a terminal a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _width() -> int | None:
    """Return the columns of the terminal; None where standard output is not one."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def _fitted(rows: Sequence[_Row], width: int | None) -> list[int] | None:
    """Return the width of each column, so that the whole fits; None where it cannot."""
    widths = [max(map(text_width, column)) for column in zip(*rows, strict=True)]
    if width is None:
        return widths
    narrowest = [
        max(text_width(part) for value in column for part in _parts(value))
        for column in zip(*rows, strict=True)
    ]
    room = width - len(GAP) * (len(widths) - 1)
    while sum(widths) > room:
        shrinkable = [at for at, least in enumerate(narrowest) if widths[at] > least]
        if not shrinkable:
            return None
        widest = max(shrinkable, key=lambda at: widths[at] - narrowest[at])
        widths[widest] -= 1
    return widths


def _parts(value: str) -> list[str]:
    """Return what must not be broken: the words of a list or of a sentence."""
    return value.split(" ")


def _lines(row: _Row, widths: Sequence[int]) -> Iterable[str]:
    wrapped = [_wrapped(value, width) for value, width in zip(row, widths, strict=True)]
    for at in range(max(map(len, wrapped))):
        cells = [lines[at] if at < len(lines) else "" for lines in wrapped]
        padded = [
            text + " " * (width - text_width(text))
            for text, width in zip(cells, widths, strict=True)
        ]
        yield GAP.join(padded).rstrip()


def _wrapped(value: str, width: int) -> list[str]:
    if text_width(value) <= width:
        return [value]
    lines: list[str] = []
    for part in _parts(value):
        if lines and text_width(f"{lines[-1]} {part}") <= width:
            lines[-1] = f"{lines[-1]} {part}"
        else:
            lines.append(part)
    return lines


def _blocks(columns: _Row, rows: Sequence[_Row], width: int) -> Iterable[str]:
    label = max(map(text_width, columns))
    for at, row in enumerate(rows):
        if at:
            yield ""
        for name, value in zip(columns, row, strict=True):
            if label + len(GAP) + text_width(value) <= width:
                yield name.ljust(label) + GAP + value
            else:
                yield name
                yield from (GAP + line for line in _wrapped(value, width - len(GAP)))
