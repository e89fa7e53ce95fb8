"""The service that is asked, and its errors in words for Wireshark's user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from wintun_api.client import Client
    from wintun_api.client.problems import ClientError
    from wintun_api.extcap.options import Chosen

PATIENCE: Final = 10.0  # seconds for an answer; Wireshark's window waits as long

_DIALOG: Final = "in the options of the interface"
_TOKEN: Final = (
    f"Name the file of a token that allows to read and to capture {_DIALOG}, or in the variable "
    "WINTUN_API_TOKEN_FILE."
)
_START: Final = f"start the service with wintun-api serve, or set its address {_DIALOG}."
ONLY_READS: Final = f"The token allows to read, but not to capture. {_TOKEN}"
_HINTS: Final = {
    "unauthorized": _TOKEN,
    "missing-scope": _TOKEN,
    "filter-unavailable": "Leave the capture filter empty, or install wintun-api[filter] where the "
    "service runs.",
    "recorder-not-found": "Include none of the last seconds, or switch the recorder on with: "
    "wintun-api recorder ADAPTER on",
    "session-not-found": "Start one with: wintun-api sessions start ADAPTER",
    "adapter-not-found": "Refresh the interfaces in Wireshark.",
}


class Refused(Exception):
    """Report that what Wireshark asks for cannot be done; the text says why, and what to do."""


def connect(chosen: Chosen) -> Client:
    """Return a client of the service that the user has chosen; nothing is sent yet.

    Raises:
        ClientError: The address cannot be one of a service.
    """
    from wintun_api.client import Client  # takes longer to import than all else here

    return Client(chosen.url, token_file=chosen.token_file, timeout=PATIENCE)


def adapters_of(client: Client) -> list[dict[str, Any]]:
    """Return the adapters, as the service lists them.

    Raises:
        ClientError: The service does not answer, or refuses.
    """
    from wintun_api.client import operations

    found: list[dict[str, Any]] = client.send(operations.list_adapters().as_json())
    return found


def may_capture(client: Client) -> bool:
    """Return whether the token allows to capture.

    Raises:
        ClientError: The service does not answer, or refuses.
    """
    from wintun_api.choices import Scope
    from wintun_api.client import operations

    scopes = client.send(operations.get_system().as_json())["scopes"]
    return not {Scope.CAPTURE, Scope.ADMIN}.isdisjoint(scopes)


def fault_of(client: Client, filter: str) -> str | None:  # noqa: A002 - Wireshark's word
    """Return what is wrong with a filter; None if nothing is.

    Raises:
        ClientError: The service does not answer, or refuses.
    """
    from wintun_api.client import operations

    verdict = client.send(operations.check_filter(filter).as_json())
    if verdict["valid"]:
        return None
    fault = verdict["error"]
    return f"{fault['message']} (at character {fault['offset'] + 1})"


def words_of(error: ClientError, *, only_networks: bool = False) -> str:
    """Return an error of the client for a user of Wireshark: what is wrong, and what to do.

    Args:
        error: The error.
        only_networks: Whether there are networks, which can be captured without a service.
    """
    from wintun_api.client.problems import CredentialError, ProblemError, ServiceUnreachable

    if isinstance(error, ServiceUnreachable):
        if only_networks:
            why = error.detail[:1].lower() + error.detail[1:]
            return f"Only networks can be captured: {why} For adapters, {_START}"
        hint = _START[:1].upper() + _START[1:]
    elif isinstance(error, ProblemError):
        hint = _HINTS.get(error.kind, "")
    elif isinstance(error, CredentialError):
        hint = _TOKEN
    else:
        hint = error.hint
    return f"{error.detail} {hint}".rstrip()
