"""Read lengths of time and sizes of options, within the limits that the service has."""

from __future__ import annotations

import typer

from wintun_api.cli.durations import seconds_of
from wintun_api.quantities import size_text, whole_bytes


def seconds_in(text: str, flag: str, *, least: float = 0, most: float) -> float:
    """Return the seconds of a length of time such as `90s` or `1h`.

    Args:
        text: What the option was given.
        flag: The option.
        least: The fewest seconds that it can be; 0 where any length of time will do.
        most: The most seconds that it can be.

    Raises:
        typer.BadParameter: It is not a length of time, or beyond these limits.
    """
    seconds = seconds_of(text)
    if seconds is None:
        raise typer.BadParameter(
            f"{text!r} is not a length of time such as 30, 90s, 5m or 1h.", param_hint=flag
        )
    if not least <= seconds <= most:
        raise typer.BadParameter(f"It must be {time_range(least, most)}.", param_hint=flag)
    return seconds


def bytes_in(text: str, flag: str, *, least: int, most: int) -> int:
    """Return the bytes of a size such as `64kb`; arguments and errors are as those of `seconds_in`.

    Raises:
        typer.BadParameter: It is not a size, or beyond these limits.
    """
    try:
        size = whole_bytes(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.", param_hint=flag) from None
    if size < least:
        raise typer.BadParameter(f"It must be at least {size_text(least)}.", param_hint=flag)
    if size > most:
        raise typer.BadParameter(f"It must be at most {size_text(most)}.", param_hint=flag)
    return size


def time_range(least: float, most: float) -> str:
    """Return a range of seconds in words."""
    return f"from {least:g} s to {most:,} s" if least else f"at most {most:,} s"
