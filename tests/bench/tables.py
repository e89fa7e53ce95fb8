"""Plain tables, and the same as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Table:
    """One table of a part.

    Attributes:
        title: What was measured.
        columns: The heads.
        notes: Lines below it.
        rows: The cells, as printed.
        records: A row's figures, unrounded, for the JSON file.
    """

    title: str
    columns: list[str]
    notes: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(self, cells: list[str], record: dict[str, Any]) -> None:
        """Append a row."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)
        self.records.append(record)

    def text(self) -> str:
        """Return it in plain text, columns aligned."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        drawn = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([self.title, "", drawn[0], rule, *drawn[1:], *self.notes])

    def as_json(self) -> dict[str, Any]:
        """Return it for the JSON file."""
        return {"title": self.title, "records": self.records, "notes": self.notes}
