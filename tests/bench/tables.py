"""Plain tables, and the same as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.bench.rounds import Target


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target and the figure that it is compared with.

    Attributes:
        what: The figure, for a reader who does not see the table.
        target: What it should be.
        value: What it is, the median of the rounds.
    """

    what: str
    target: Target
    value: float

    @property
    def is_met(self) -> bool:
        """Whether the figure is what it should be."""
        return self.target.is_met(self.value)

    def as_json(self) -> dict[str, Any]:
        """Return it for the JSON file."""
        return {
            "what": self.what,
            "target": str(self.target),
            "value": self.value,
            "met": self.is_met,
        }


@dataclass(slots=True)
class Table:
    """One table of a part.

    Attributes:
        title: What was measured.
        columns: The heads.
        notes: Lines below it.
        rows: The cells, as printed.
        records: A row's figures, unrounded, for the JSON file.
        verdicts: The targets among the cells, for the summary.
    """

    title: str
    columns: list[str]
    notes: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def add(self, cells: list[str], record: dict[str, Any]) -> None:
        """Append a row."""
        if len(cells) != len(self.columns):
            raise ValueError(f"{len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)
        self.records.append(record)

    def judge(self, what: str, target: Target | None, value: float) -> str:
        """Compare a figure with its target; return the cell, which is empty without a target."""
        if target is None:
            return ""
        self.verdicts.append(Verdict(what, target, value))
        return target.judge(value)

    def add_others(self) -> None:
        """Note how much of the machine other programs had, which every record must say."""
        taken = max(record["others"]["max"] for record in self.records)
        self.notes.append(f"Other programs had {taken * 100:.0f} % of the machine at the most.")

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


def summary(verdicts: list[Verdict]) -> Table:
    """Return the table of all targets, those that are missed first."""
    missed = sum(not one.is_met for one in verdicts)
    table = Table(
        f"targets: {len(verdicts) - missed} met, {missed} missed",
        ["figure", "median", "target", "verdict"],
    )
    for one in sorted(verdicts, key=lambda verdict: verdict.is_met):
        table.add(
            [one.what, f"{one.value:.3g}", str(one.target), "met" if one.is_met else "MISSED"],
            one.as_json(),
        )
    return table
