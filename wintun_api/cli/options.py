"""Further options that several commands share, and checks of what they were given."""

from __future__ import annotations

import math
from typing import Annotated, TypeAlias

import typer

JSON_HELP = "Write JSON for scripts, errors too."
Json: TypeAlias = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write only ids, one per line.")
]


def finite(number: float | None) -> float | None:
    """Return the number of an option, unless it is infinite or not a number at all."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("Give a number such as 2.5.")
    return number


def check_output(*, as_json: bool, quiet: bool) -> None:
    """Refuse --json together with --quiet."""
    if as_json and quiet:
        raise typer.BadParameter("--json and --quiet cannot be used together.")
