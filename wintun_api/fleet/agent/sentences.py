"""What an agent says when a claim, a host, the bus or its service has changed.

Each function returns the kind of the event, its sentence for people, and its data for programs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from wintun_api.fleet.agent.rivals import Rival
from wintun_api.fleet.bus.seam import Change
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.members.claims import MAX_OF_HOST, Standing, Verdict
from wintun_api.fleet.members.inventory import Appearance, Host
from wintun_api.fleet.problems import FleetError

Said: TypeAlias = tuple[EventKind, str, dict[str, Any]]

CUT_OFF: Final = (
    "The server has cut this host off, because it read too slowly. What was lost is counted by the "
    "numbers of the packets that follow."
)
_HAPPENED: Final = {
    Appearance.JOINED: "has joined",
    Appearance.LEFT: "has left",
    Appearance.DIED: "is gone: it has not renewed its card",
}


def about_claim(verdict: Verdict, name_of: Callable[[str], str]) -> Said:
    """Say what has become of one's own claim."""
    prefix, rival = str(verdict.prefix), verdict.rival
    owner = "" if rival is None else f"{name_of(rival.host)} ({rival.host})"
    data = {"prefix": prefix}
    if rival is not None:
        data |= {"owner": rival.host, "rival": str(rival.prefix)}
    match verdict.standing:
        case Standing.HELD:
            return EventKind.CLAIM_HELD, f"{prefix} leads to this host.", data
        case Standing.REFUSED:
            other = rival is not None and rival.prefix != verdict.prefix
            whose = f", which has claimed {rival.prefix}" if rival is not None and other else ""
            said = f"{prefix} is refused: it belongs to {owner}{whose}."
            return EventKind.CLAIM_REFUSED, f"{said} It is taken over when that host is gone.", data
        case Standing.TAKEN_OVER:
            return (
                EventKind.CLAIM_TAKEN_OVER,
                f"{prefix} leads to this host now: {owner} is gone.",
                data,
            )
        case Standing.WITHDRAWN:
            return EventKind.CLAIM_WITHDRAWN, f"{prefix} is no longer claimed.", data
        case Standing.SURPLUS:
            said = f"{prefix} does not lead to this host: it has more than {MAX_OF_HOST} claims"
            return EventKind.CLAIM_SURPLUS, f"{said}, and the latest ones do not count.", data
        case Standing.DENIED:
            said = f"The server does not allow this host to claim {prefix}"
            return EventKind.CLAIM_DENIED, f"{said}: its key is for other prefixes.", data


def about_host(what: Appearance, host: Host) -> Said:
    """Say what has happened to another host; nothing is said when its card was renewed."""
    return (
        EventKind[f"HOST_{what.name}"],
        f"{host.name} ({host.id}) {_HAPPENED[what]}.",
        {"host": host.id, "name": host.name},
    )


def about_bus(change: Change, text: str) -> Said:
    """Say what has happened to the connection with the bus."""
    match change:
        case Change.CONNECTED:
            return EventKind.BUS_CONNECTED, "The bus is connected.", {"server": text}
        case Change.DISCONNECTED:
            return (
                EventKind.BUS_DISCONNECTED,
                f"The bus is not connected: {_within(text)}. It is tried again.",
                {},
            )
        case Change.SLOW:
            return EventKind.BUS_SLOW, CUT_OFF, {}
        case Change.DENIED:
            return EventKind.BUS_DENIED, f"The server does not allow it: {_within(text)}.", {}


def about_service(connected: bool, why: str) -> Said:
    """Say whether packets are exchanged with the service."""
    if connected:
        return EventKind.SERVICE_CONNECTED, f"Packets are exchanged with {why}.", {}
    return EventKind.SERVICE_LOST, f"No packets are exchanged: {_within(why)}.", {}


def about_rival(adapter: str, rival: Rival) -> Said:
    """Say that another agent has joined with the same adapter."""
    said = (
        f"Warning: another agent exchanges the packets of the adapter {adapter} too, for the "
        f"network {rival.network} ({rival.host}). Packets are sent twice, or are answered as "
        "unreachable. End one of the two agents."
    )
    data = {"adapter": adapter, "network": rival.network, "host": rival.host}
    return EventKind.SERVICE_SHARED, said, data


def about_wait(missing: FleetError) -> Said:
    """Say what the service does not have yet."""
    said = f"{missing.detail} The agent waits for it. {missing.hint}"
    return EventKind.SERVICE_WAITING, said, {"missing": missing.detail, "hint": missing.hint}


def _within(text: str) -> str:
    """Return a sentence as a part of another one."""
    return (text[:1].lower() + text[1:] if text[1:2].islower() else text).rstrip(".")
