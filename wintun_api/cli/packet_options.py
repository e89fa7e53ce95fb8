"""Options that say which packets: the same ones of several commands."""

from __future__ import annotations

from typing import Any, Final

import typer

from wintun_api.cli.completion import pool_names
from wintun_api.limits import MAX_FILTER

MARKS_HELP: Final = (
    "Comment on packets that an impairment changed or delayed, and add those that it lost and "
    "those of clients that were rejected."
)
FILTER_HELP: Final = (
    f"Which packets, in the language of tcpdump: -f 'tcp port 443'. Up to {MAX_FILTER} characters."
)


def direction_option(panel: str) -> Any:
    """Return --direction for one direction or none, in a panel of the help."""
    return typer.Option(
        help="Only packets of this direction: received ones go from the host to the application, "
        "injected ones from the application to the host. The default is both.",
        show_default=False,
        rich_help_panel=panel,
    )


def filter_option(panel: str | None = None) -> Any:
    """Return --filter, in a panel of the help."""
    return typer.Option(
        "--filter",
        "-f",
        callback=expression_in,
        help=FILTER_HELP,
        rich_help_panel=panel,
    )


def pool_option(panel: str | None = None) -> Any:
    """Return --pool, in a panel of the help."""
    return typer.Option(
        callback=pool_in,
        help="All adapters of a pool.",
        autocompletion=pool_names,
        rich_help_panel=panel,
    )


def pool_in(text: str | None) -> str | None:
    """Return the pool of an option, unless it is empty: no adapter is in such a pool.

    Raises:
        typer.BadParameter: It is.
    """
    if text is not None and not text.strip():
        raise typer.BadParameter("It is empty. Give the name of a pool.")
    return text


def expression_in(text: str | None) -> str | None:
    """Return the filter of an option, unless it is too long.

    Raises:
        typer.BadParameter: It is.
    """
    if text is not None and len(text) > MAX_FILTER:
        raise typer.BadParameter(
            f"It has {len(text)} characters; a filter has at most {MAX_FILTER}."
        )
    return text
