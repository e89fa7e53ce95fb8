"""What a shell completes: commands, and names and ids of a running service where it is quick."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # not marked as exported

from wintun_api.cli import completion_scripts
from wintun_api.cli.client_options import DEFAULT_URL
from wintun_api.cli.output import tried

Shell: TypeAlias = Literal["bash", "zsh", "fish", "powershell", "pwsh"]
QUICK = 0.5  # seconds for all requests together; a prompt that waits longer is worse than none

completion_init()  # Typer's own protocols, which the scripts use


def script(shell: str) -> str:
    """Return the shell's script, which each shell reads when it starts."""
    return completion_scripts.script(shell)


def adapter_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of adapters that begin so; GUIDs too, once one has been begun."""
    adapters = _ask(context, "/v1/adapters")["/v1/adapters"]
    names = sorted(str(one["name"]) for one in adapters)
    guids = [str(one["guid"]) for one in adapters] if incomplete else []
    return _beginning([*names, *guids], incomplete)


def session_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of sessions, and the names of their adapters, that begin so."""
    found = _ask(context, "/v1/sessions", "/v1/adapters")
    ids = [str(one["id"]) for one in found["/v1/sessions"]]
    with_one = {one["adapter"] for one in found["/v1/sessions"]}
    names = {str(one["name"]) for one in found["/v1/adapters"] if one["guid"] in with_one}
    return _beginning([*ids, *sorted(names)], incomplete)


def token_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of tokens that begin so."""
    tokens = _ask(context, "/v1/tokens")["/v1/tokens"]
    return _beginning([str(one["id"]) for one in tokens], incomplete)


def pool_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the pools of adapters that begin so."""
    adapters = _ask(context, "/v1/adapters")["/v1/adapters"]
    return _beginning(sorted({str(one["pool"]) for one in adapters}), incomplete)


def _beginning(words: list[str], incomplete: str) -> list[str]:
    # A line break would be two offers; other control characters could steer the terminal.
    return [word for word in words if word.startswith(incomplete) and word.isprintable()]


def _ask(context: typer.Context, *paths: str) -> dict[str, list[dict[str, Any]]]:
    """Return the lists at these paths; empty ones, whatever goes wrong.

    It says nothing: that would stand in the middle of the line that the user types.
    """
    nothing: dict[str, list[dict[str, Any]]] = {path: [] for path in paths}
    try:
        found, _ = tried(partial(_answers, context, paths))
    except Exception:  # noqa: BLE001 - a traceback would be in the user's line too
        return nothing
    return {**nothing, **(found or {})}


def _answers(context: typer.Context, paths: tuple[str, ...]) -> dict[str, Any]:
    from wintun_api.cli.client import find_token, open_http
    from wintun_api.cli.diagnosis import is_service, within

    given = context.params
    file = given.get("token_file")
    token, _ = find_token(given.get("token"), Path(file) if file else None)

    def ask() -> dict[str, Any]:
        with open_http(given.get("url") or DEFAULT_URL, token, timeout=QUICK) as http:
            if not is_service(http):
                return {}
            answers = {path: http.get(path) for path in paths}
        found = {path: answer.json() for path, answer in answers.items() if answer.is_success}
        return {path: content for path, content in found.items() if isinstance(content, list)}

    answers: dict[str, Any] = within(QUICK, ask)
    return answers
