"""Find the capture, session, token or client that a person means by a name or by an id."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TypeAlias
from uuid import UUID

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail
from wintun_api.paste import trimmed

Row: TypeAlias = dict[str, Any]

SHORTEST: Final = 4  # characters of the beginning of an id; fewer are too easily a mistake
SHOWN: Final = 8  # candidates in a message


@dataclass(frozen=True, slots=True)
class Kind:
    """Say how the things of one kind are called.

    Attributes:
        several: Several of them.
        none: What is said where a word means none of them; {} is the word.
        command: The command that lists them.
        names: Returns the names of one, by which it is found.
        shown: Returns what tells one from others, beside its id.
    """

    several: str
    none: str
    command: str
    names: Callable[[Row], Collection[str]]
    shown: Callable[[Row], str]


CAPTURE: Final = Kind(
    "captures",
    "No capture has the id or the name {}.",
    "wintun-api captures list",
    lambda one: [str(one["name"])],
    lambda one: f"{one['name']}, {one['state']}",
)
TOKEN: Final = Kind(
    "tokens",
    "No token has the id or the label {}.",
    "wintun-api tokens list",
    lambda one: [str(one["label"])] if one["label"] else [],
    lambda one: str(one["label"]) or "without a label",
)
CLIENT: Final = Kind(
    "clients",
    "No client that is connected has the id {}.",
    "wintun-api clients list",
    lambda _: [],
    lambda one: f"{one['kind']}, token {one['token_label'] or one['token']}",
)


def capture_id(captures: Sequence[Row], word: str, preferred: Collection[str] = ()) -> str:
    """Return the id of the capture that is meant; of several with a name, one in such a state."""
    return str(_one(CAPTURE, word, matching(CAPTURE, word, captures), captures, preferred)["id"])


def token_id(tokens: Sequence[Row], word: str) -> str:
    """Return the id of the token that is meant by its id or its label."""
    return str(_one(TOKEN, word, matching(TOKEN, word, tokens), tokens)["id"])


def client_id(clients: Sequence[Row], word: str) -> str:
    """Return the id of the client that is meant by its id."""
    return str(_one(CLIENT, word, matching(CLIENT, word, clients), clients)["id"])


def session_of(sessions: Sequence[Row], adapters: Sequence[Row], word: str) -> Row:
    """Return the session that is meant by its id, or by the name or GUID of its adapter.

    A name means the session that runs. If none does, it means the one that has ended, also where
    its adapter is gone.
    """
    names = {one["guid"]: str(one["name"]) for one in adapters}

    def called(one: Row) -> str:
        return names.get(one["adapter"]) or str(one.get("name") or "")

    kind = Kind(
        "sessions",
        "No session has the id {}, and no adapter of this name or GUID has a session.",
        "wintun-api sessions list",
        lambda one: [one["adapter"], *filter(None, [called(one)])],
        lambda one: ", ".join(filter(None, [called(one), _state(one)])),
    )
    wanted = word
    with suppress(ValueError):
        wanted = str(UUID(word))
    found = matching(kind, wanted, sessions)
    if not found:
        _without_session(word, wanted, adapters)
    return _one(kind, word, found, sessions, ("running", "starting"))


def matching(kind: Kind, word: str, rows: Sequence[Row]) -> list[Row]:
    """Return those that a word can mean.

    A whole id comes before a name, a name before the same in other letters, and that before the
    beginning of an id.
    """
    folded = trimmed(word).casefold()
    if not folded:
        return []
    return (
        [one for one in rows if one["id"] == word]
        or [one for one in rows if word in kind.names(one)]
        or [one for one in rows if folded in map(_folded, kind.names(one))]
        or [one for one in rows if len(folded) >= SHORTEST and _begins(one, folded)]
    )


def _one(
    kind: Kind,
    word: str,
    found: Sequence[Row],
    rows: Sequence[Row],
    preferred: Collection[str] = (),
) -> Row:
    """Return the only one that was found; else end the command, and name those it can be."""
    if not found:
        _none(kind, word, rows)
    if len(found) > 1:
        found = [one for one in found if one.get("state") in preferred] or found
    if len(found) > 1:
        fail(
            f"{word!r} stands for several {kind.several}.",
            f"Give the id of one instead: {_candidates(kind, found)}.",
            code=ExitCode.CONFLICT,
        )
    return found[0]


def _none(kind: Kind, word: str, rows: Sequence[Row]) -> NoReturn:
    folded = _folded(word)
    begun = [one for one in rows if folded and _begins(one, folded)]
    if begun:
        fail(
            f"{word!r} is too short: the beginning of an id has at least {SHORTEST} characters.",
            f"These ids of {kind.several} begin so: {_candidates(kind, begun)}.",
            code=ExitCode.NOT_FOUND,
        )
    fail(
        kind.none.format(repr(word)),
        f"See {kind.command}.",
        code=ExitCode.NOT_FOUND,
    )


def _without_session(word: str, wanted: str, adapters: Sequence[Row]) -> None:
    """End the command if an adapter is meant that has no session."""
    named = [
        one for one in adapters if wanted == one["guid"] or _folded(one["name"]) == _folded(word)
    ]
    if named:
        fail(
            f"The adapter {named[0]['name']!r} has no session.",
            f"Start one with: wintun-api sessions start {shlex.quote(word)}",
            code=ExitCode.NOT_FOUND,
        )


def _begins(row: Row, folded: str) -> bool:
    return str(row["id"]).startswith(folded)


def _folded(name: str) -> str:
    return trimmed(name).casefold()


def _state(session: Row) -> str:
    ended = session.get("ended_at")
    return f"{session['state']} at {ended}" if ended else str(session["state"])


def _candidates(kind: Kind, rows: Sequence[Row]) -> str:
    shown = [f"{one['id']} ({kind.shown(one)})" for one in rows[:SHOWN]]
    rest = len(rows) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
