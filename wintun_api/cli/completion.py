"""What a shell completes: names of adapters and ids of sessions, when the service is quick."""

from __future__ import annotations

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

import typer
from typer.completion import (  # type: ignore[attr-defined]  # not marked as exported
    completion_init,
    get_completion_script,
)

from wintun_api.cli.options import DEFAULT_URL

PROGRAM = "wintun-api"
Shell: TypeAlias = Literal["bash", "zsh", "fish", "powershell", "pwsh"]
QUICK = 0.5  # seconds; a prompt that waits longer is worse than none


completion_init()  # Typer's own shells, which speak as its scripts do


def script(shell: str) -> str:
    """Return the shell's script; each shell reads it when it starts."""
    variable = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
    return get_completion_script(prog_name=PROGRAM, complete_var=variable, shell=shell)


def adapter_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of adapters that begin so."""
    names = [str(one["name"]) for one in _ask(context, "/v1/adapters")]
    return [name for name in names if name.startswith(incomplete)]


def session_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of sessions, and the names of their adapters, that begin so."""
    sessions = _ask(context, "/v1/sessions")
    ids = [str(one["id"]) for one in sessions if one["id"].startswith(incomplete)]
    with_one = {one["adapter"] for one in sessions}
    names = {one["name"] for one in _ask(context, "/v1/adapters") if one["guid"] in with_one}
    return [*ids, *sorted(name for name in names if name.startswith(incomplete))]


def _ask(context: typer.Context, path: str) -> list[dict[str, Any]]:
    # Silent whatever happens: what is said here would stand in the middle of the user's line.
    import httpx

    from wintun_api.cli.client import find_token, open_http

    given = context.params
    try:
        with redirect_stderr(StringIO()):
            file = given.get("token_file")
            token, _ = find_token(given.get("token"), Path(file) if file else None)
            with open_http(given.get("url") or DEFAULT_URL, token, timeout=QUICK) as http:
                answer = http.get(path)
        found = answer.json() if answer.is_success else []
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, typer.Exit):
        return []
    return found if isinstance(found, list) else []
