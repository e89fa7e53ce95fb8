"""Further options that several commands share, and checks of what they were given."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from wintun_api.cli.durations import seconds_of
from wintun_api.errors import InvalidArgument
from wintun_api.moments import HOW, moment

JSON_HELP = "Write JSON for scripts, errors too."
Json: TypeAlias = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Quiet: TypeAlias = Annotated[
    bool, typer.Option("--quiet", "-q", help="Write only ids, one per line.")
]


def flag_of(word: str) -> str:
    """Return the option for a word of Python or of the API."""
    return f"--{word.replace('_', '-')}"


def finite(number: float | None) -> float | None:
    """Return the number of an option, unless it is infinite or not a number at all."""
    if number is not None and not math.isfinite(number):
        raise typer.BadParameter("Give a number such as 2.5.")
    return number


def as_path(text: str) -> Path:
    """Return the path of an option; an empty one, which would mean this folder, is a mistake."""
    if not text:
        raise typer.BadParameter("It is empty. Give the path of a file.")
    return Path(text)


def as_folder(text: str) -> Path:
    """Return the path of an option for a folder; an empty one is a mistake here too."""
    if not text:
        raise typer.BadParameter("It is empty. Give the path of a folder.")
    return Path(text)


def as_moment(text: str | None) -> str | None:
    """Return the moment of an option as the API takes it: `60s`, like `-60s`, is before now."""
    if text is None:
        return None
    said = text.strip()
    seconds = seconds_of(said.removeprefix("-"))
    said = said if seconds is None else f"-{seconds:.3f}s"
    try:
        moment(said, "", time.time_ns())
    except InvalidArgument:
        raise typer.BadParameter(f"{text!r} is not {HOW}.") from None
    return said


def check_output(*, as_json: bool, quiet: bool) -> None:
    """Refuse --json together with --quiet."""
    if as_json and quiet:
        raise typer.BadParameter("--json and --quiet cannot be used together.")
