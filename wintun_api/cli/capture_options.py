"""The options of `wintun-api captures start`: which packets, and when files begin and end."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from wintun_api.choices import EventType, TriggerKind
from wintun_api.cli import bundle
from wintun_api.cli.amounts import bytes_in, seconds_in
from wintun_api.cli.options import flag_of
from wintun_api.cli.packet_options import expression_in
from wintun_api.limits import (
    MAX_CAPTURE_FILES,
    MAX_CAPTURE_SECONDS,
    MAX_COUNT,
    MAX_RECORDER_SECONDS,
    MIN_CAPTURE_BYTES,
    MIN_ROTATE_SECONDS,
)
from wintun_api.quantities import size_text

ENDS: Final = "When it ends"
FILES: Final = "Its files"
WAITS: Final = "What it waits for"

# The option, what it sets in the document of the API, its unit and limits, its panel and its help.
_PACKETS, _SIZE, _TIME, _COUNT = "PACKETS", "SIZE", "TIME", "COUNT"
_SIZES: Final = (MIN_CAPTURE_BYTES, MAX_COUNT)
_TIMES: Final = (0, MAX_CAPTURE_SECONDS)
_LEAST: Final = f"{size_text(MIN_CAPTURE_BYTES)} or more"
_MOST: Final = f"up to {MAX_CAPTURE_SECONDS:,} s"
_ROWS: Final = (
    (
        "stop_packets",
        ("stop", "packets"),
        (_PACKETS, 1, MAX_COUNT),
        ENDS,
        "End after this many packets.",
    ),
    (
        "stop_bytes",
        ("stop", "bytes"),
        (_SIZE, *_SIZES),
        ENDS,
        f"End before all files together are larger, such as 1gb; {_LEAST}.",
    ),
    (
        "stop_after",
        ("stop", "seconds"),
        (_TIME, *_TIMES),
        ENDS,
        f"End after this time, such as 90s or 1h; {_MOST}.",
    ),
    (
        "rotate_bytes",
        ("rotate", "bytes"),
        (_SIZE, *_SIZES),
        FILES,
        f"Begin another file before one is larger, such as 100mb; {_LEAST}.",
    ),
    (
        "rotate_every",
        ("rotate", "seconds"),
        (_TIME, MIN_ROTATE_SECONDS, MAX_CAPTURE_SECONDS),
        FILES,
        (
            f"Begin another file after this time, such as 10m; from {MIN_ROTATE_SECONDS} s to "
            f"{MAX_CAPTURE_SECONDS:,} s."
        ),
    ),
    (
        "keep_files",
        ("keep", "files"),
        (_COUNT, 1, MAX_CAPTURE_FILES),
        FILES,
        (
            "Keep this many files; the oldest is deleted when another one begins. Up to "
            f"{MAX_CAPTURE_FILES}."
        ),
    ),
    (
        "keep_bytes",
        ("keep", "bytes"),
        (_SIZE, *_SIZES),
        FILES,
        f"Keep this much in all files together; the oldest is deleted for what comes; {_LEAST}.",
    ),
    (
        "before",
        ("trigger", "before"),
        (_TIME, 0, MAX_RECORDER_SECONDS),
        WAITS,
        (
            "With --on: what came in this time before it, such as 30s; up to "
            f"{MAX_RECORDER_SECONDS:,} s."
        ),
    ),
    (
        "after",
        ("trigger", "after"),
        (_TIME, *_TIMES),
        WAITS,
        f"With --on: end after this time, {_MOST}. Without it the capture goes on.",
    ),
)
_WHOLE: Final = frozenset((_PACKETS, _COUNT))
_MEMBER: Final = re.compile(r"\b(stop|rotate|keep|trigger)\.(\w+)\b")


def takes_limits() -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `limits` has members of a capture."""
    trigger = typer.Option(
        "--on",
        metavar="loss|call|event:TYPE|filter:EXPRESSION",
        help="Begin with a loss, with wintun-api captures trigger, with an event such as "
        "event:session.started, or with a packet that passes a filter. Without it the capture "
        "begins at once.",
        rich_help_panel=WAITS,
        autocompletion=_triggers,
    )
    options = [_option(*row) for row in _ROWS]
    at = next(at for at, row in enumerate(_ROWS) if row[3] == WAITS)
    options.insert(at, bundle.option("on", Annotated[str | None, trigger], None))
    return bundle.takes("limits", options, _limits)


def in_options(detail: str) -> str:
    """Return what the service says with the options for the members of a capture."""
    return _MEMBER.sub(_flag_of_member, detail)


def _option(
    name: str, _path: tuple[str, str], values: tuple[str, int, int], panel: str, text: str
) -> bundle.Option:
    unit, least, most = values
    whole = unit in _WHOLE
    shown = typer.Option(
        flag_of(name),
        metavar=unit,
        help=text,
        rich_help_panel=panel,
        min=least if whole else None,
        max=most if whole else None,
    )
    kind = Annotated[int | None, shown] if whole else Annotated[str | None, shown]
    return bundle.option(name, kind, None)


def _limits(on: str | None, **given: Any) -> dict[str, dict[str, Any]]:
    """Return members of a capture; there is none that was not given.

    Raises:
        typer.BadParameter: A value is wrong, or two contradict each other.
    """
    body: dict[str, dict[str, Any]] = {}
    if on is not None:
        body["trigger"] = _trigger(on)
    for name, (part, member), (unit, least, most), _panel, _text in _ROWS:
        value = given[name]
        if value is None:
            continue
        if part == "trigger" and on is None:
            raise typer.BadParameter(f"{flag_of(name)} needs --on.")
        body.setdefault(part, {})[member] = _read(unit, value, flag_of(name), least, most)
    if "keep" in body and "files" in body["keep"] and "rotate" not in body:
        raise typer.BadParameter(
            "--keep-files needs --rotate-bytes or --rotate-every: without them there is one file."
        )
    return body


def _trigger(text: str) -> dict[str, Any]:
    kind, colon, rest = text.partition(":")
    kind, rest = kind.strip().lower(), rest.strip()
    match kind:
        case TriggerKind.LOSS | TriggerKind.CALL if not colon:
            return {"on": kind}
        case TriggerKind.FILTER if rest:
            return {"on": kind, "filter": expression_in(rest)}
        case TriggerKind.EVENT if rest in set(EventType):
            return {"on": kind, "event": rest}
        case TriggerKind.EVENT:
            raise typer.BadParameter(
                f"{rest!r} is not a type of event. Write it as event:session.started; the types "
                "are in: wintun-api guide events.",
                param_hint="--on",
            )
    raise typer.BadParameter(
        f"{text!r} is not loss, call, event:TYPE or filter:EXPRESSION.", param_hint="--on"
    )


def _triggers(incomplete: str) -> list[str]:
    words = ["loss", "call", *(f"event:{kind}" for kind in EventType), "filter:"]
    return [word for word in words if word.startswith(incomplete)]


def _read(unit: str, value: Any, flag: str, least: int, most: int) -> Any:
    if unit == _SIZE:
        return bytes_in(value, flag, least=least, most=most)
    if unit == _TIME:
        return seconds_in(value, flag, least=least, most=most)
    return value


def _flag_of_member(found: re.Match[str]) -> str:
    path = (found[1], found[2])
    otherwise = "--on" if found[1] == "trigger" else found[0]
    return next((flag_of(name) for name, of, *_ in _ROWS if of == path), otherwise)
