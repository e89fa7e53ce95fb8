"""What a shell completes: commands, and names and ids of a running service where it is quick."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any, Literal, TypeAlias

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # not marked as exported

from wintun_api.cli import completion_scripts
from wintun_api.cli.output import tried

Shell: TypeAlias = Literal["bash", "zsh", "fish", "powershell", "pwsh"]
QUICK = 0.5  # seconds for all requests together; a prompt that waits longer is worse than none

completion_init()  # Typer's own protocols, which the scripts use


def script(shell: str) -> str:
    """Return the shell's script, which each shell reads when it starts."""
    return completion_scripts.script(shell)


def adapter_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of adapters that begin so; GUIDs too, once one has been begun."""
    adapters = _ask(context, "list_adapters")["list_adapters"]
    names = sorted(str(one["name"]) for one in adapters)
    guids = [str(one["guid"]) for one in adapters] if incomplete else []
    return _beginning([*names, *guids], incomplete)


def session_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of sessions, and the names of their adapters, that begin so."""
    found = _ask(context, "list_sessions", "list_adapters")
    ids = [str(one["id"]) for one in found["list_sessions"]]
    with_one = {one["adapter"] for one in found["list_sessions"]}
    names = {str(one["name"]) for one in found["list_adapters"] if one["guid"] in with_one}
    return _beginning([*ids, *sorted(names)], incomplete)


def capture_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of captures, and their names, that begin so."""
    captures = _ask(context, "list_captures")["list_captures"]
    ids = [str(one["id"]) for one in captures]
    return _beginning([*ids, *sorted({str(one["name"]) for one in captures})], incomplete)


def token_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of tokens that begin so."""
    tokens = _ask(context, "list_tokens")["list_tokens"]
    return _beginning([str(one["id"]) for one in tokens], incomplete)


def client_words(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of clients that begin so."""
    clients = _ask(context, "list_clients")["list_clients"]
    return _beginning([str(one["id"]) for one in clients], incomplete)


def preset_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of presets of impairments that begin so."""
    presets = _ask(context, "list_impairment_presets")["list_impairment_presets"]
    return _beginning([str(one["name"]) for one in presets], incomplete)


def pool_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the pools of adapters that begin so."""
    adapters = _ask(context, "list_adapters")["list_adapters"]
    return _beginning(sorted({str(one["pool"]) for one in adapters}), incomplete)


def network_names(_context: typer.Context, incomplete: str) -> list[str]:
    """Return the networks for which this user has a key here, or a bus, that begin so."""
    found: set[str] = set()
    with suppress(Exception):
        from wintun_api.fleet.keys.folder import default_directory, readable_networks

        found.update(one.name for one in readable_networks(default_directory()))
    with suppress(Exception):
        from wintun_api.cli.bus import laboratory_in

        found.update(one.network.name for one in laboratory_in(None).plan().networks)
    return _beginning(sorted(found), incomplete)


def _beginning(words: list[str], incomplete: str) -> list[str]:
    # A line break would be two offers; other control characters could steer the terminal.
    return [word for word in words if word.startswith(incomplete) and word.isprintable()]


def _ask(context: typer.Context, *lists: str) -> dict[str, list[dict[str, Any]]]:
    """Return what these operations list; empty lists, whatever goes wrong.

    It says nothing: that would stand in the middle of the line that the user types.
    """
    nothing: dict[str, list[dict[str, Any]]] = {name: [] for name in lists}
    try:
        found, _ = tried(partial(_answers, context, lists))
    except Exception:  # noqa: BLE001 - a traceback would be in the user's line too
        return nothing
    return {**nothing, **(found or {})}


def _answers(context: typer.Context, lists: tuple[str, ...]) -> dict[str, Any]:
    from wintun_api.client import operations
    from wintun_api.client.diagnosis import within
    from wintun_api.client.problems import ProblemError
    from wintun_api.client.synchronous import Client

    given = context.params
    client = Client(
        given.get("url"),
        token=given.get("token"),
        token_file=given.get("token_file"),
        timeout=QUICK,
    )

    def ask() -> dict[str, Any]:
        found: dict[str, Any] = {}
        with client:
            for name in lists:
                with suppress(ProblemError):
                    found[name] = client.send(getattr(operations, name)().as_json())
        return {name: content for name, content in found.items() if isinstance(content, list)}

    answers: dict[str, Any] = within(QUICK, ask)
    return answers
