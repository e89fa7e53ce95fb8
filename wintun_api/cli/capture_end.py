"""Say why a live capture ended by itself: because of its session, or of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from wintun_api.cli.output import printable, tried

if TYPE_CHECKING:
    from wintun_api.cli.client import Client


def tell_end(client: Client, session: dict[str, Any] | None) -> None:
    """Write why the capture is over; nothing if its own limits ended it.

    Args:
        client: A client of the service.
        session: The session of the capture, as it was when the capture began; None if the capture
            has adapters, which end only with the service.
    """
    from wintun_api.client.problems import ServiceUnreachable

    try:
        said = _of_service(client) if session is None else _of_session(client, session)
    except ServiceUnreachable:
        said = "The service has stopped."
    if said:
        typer.echo(printable(said), err=True)


def _of_service(client: Client) -> str:
    from wintun_api.client import operations

    found, _ = tried(lambda: client.attempt(operations.get_system()))
    return "" if found else "The service has stopped."


def _of_session(client: Client, session: dict[str, Any]) -> str:
    from wintun_api.client import operations

    def ask() -> tuple[Any, Any]:
        found = client.attempt(operations.get_session(session["id"]), missing="session-not-found")
        return found, None if found else client.attempt(operations.list_adapters())

    answer, _ = tried(ask)
    if answer is None:
        return "The session has ended."
    found, adapters = answer
    if found is None:
        there = any(one["guid"] == session["adapter"] for one in adapters)
        why = "It was ended on request." if there else "Its adapter was deleted."
    elif found["state"] in ("ended", "failed"):
        why = found["reason"] or ""
    else:
        return ""
    return f"The session {session['id']} has ended. {why}".rstrip()
