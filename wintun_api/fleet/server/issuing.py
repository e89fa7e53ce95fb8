"""Make the key of a host, an operator or a reader, so that the server knows it at once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wintun_api.fleet.keys.identity import Identity, KeyLine, write_key
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.network import Prefix
from wintun_api.fleet.problems import FleetError, LaboratoryMissing
from wintun_api.fleet.server import administration
from wintun_api.fleet.server.laboratory import Laboratory
from wintun_api.fleet.server.plan import Plan, PlannedNetwork, User
from wintun_api.fleet.urls import check_servers


@dataclass(frozen=True, slots=True)
class Revocation:
    """What has become of a key that was taken away.

    Attributes:
        user: Whose key it was.
        running: Whether a server runs. If not, its next start deletes what the host has left.
        kept: Why the server that runs still has the card and the claims of the host, which count
            until the card expires; empty if it has deleted them.
    """

    user: User
    running: bool
    kept: str = ""


async def issue(
    laboratory: Laboratory,
    network: str,
    *,
    role: Role = Role.HOST,
    name: str = "",
    here: bool = False,
    servers: tuple[str, ...] = (),
    prefixes: tuple[Prefix, ...] = (),
) -> KeyLine:
    """Make a key for a network, and have the server that runs accept it.

    Args:
        laboratory: The data directory of the server.
        network: The name of the network.
        role: What the key is for.
        name: What its operator calls the host.
        here: Whether it is for this machine, which can reach the server without its names.
        servers: The URLs at which the host reaches the server; those of the plan if there are none.
        prefixes: What the host may claim; all if there are none.

    Returns:
        The key; its seed is kept nowhere else.

    Raises:
        InvalidArgument: One of `servers` is not the URL of a server.
        LaboratoryMissing: There is no bus in the directory, or it has no such network.
        LaboratoryInUse: Another program does not end its change.
        ServerFailed: The server does not accept its new configuration; nothing has changed.
        BusUnavailable: The server does not answer; nothing has changed.
        UntrustedFile: Other users could have written a file.
        OSError: A file cannot be read or written.
    """
    given = check_servers(servers) if servers else ()
    identity = Identity.make()

    def add(one: PlannedNetwork) -> PlannedNetwork:
        user = User(identity.public_key, role, name, prefixes)
        return replace(one, users=(*one.users, user))

    plan, _ = await _change(laboratory, network, add)
    listed = (plan.listening.own_url,) if here else plan.listening.urls
    return KeyLine(plan.find(network).network, given or listed, identity, laboratory.trusted(plan))


async def issue_to(path: Path, laboratory: Laboratory, network: str, **wanted: Any) -> KeyLine:
    """Make a key as `issue` does, and write it to a new file; take it back where that fails.

    Raises:
        FleetError: As by `issue`.
        FileExistsError: There is a file already.
        OSError: The file cannot be written.
    """
    line = await issue(laboratory, network, **wanted)
    try:
        write_key(path, line)
    except BaseException:
        with suppress(FleetError, OSError):
            await revoke(laboratory, network, line.identity.host)
        raise
    return line


async def revoke(laboratory: Laboratory, network: str, user: str) -> Revocation:
    """Take a key away, so that the server that runs ends its connections.

    Then it deletes the card and the claims of the host, which cannot write them again.

    Args:
        laboratory: The data directory of the server.
        network: The name of the network.
        user: The id of the user, or the name that only one user has.

    Raises:
        LaboratoryMissing: There is no such bus, network or user, or several have this name.
        LaboratoryInUse: Another program does not end its change.
        ServerFailed: The server does not accept its new configuration; nothing has changed.
        BusUnavailable: The server does not answer; nothing has changed.
        UntrustedFile: Other users could have written a file.
        OSError: A file cannot be read or written.
    """
    taken: list[User] = []

    def remove(one: PlannedNetwork) -> PlannedNetwork:
        found = [each for each in one.users if user in (each.id, each.name)]
        if len(found) != 1:
            raise LaboratoryMissing(
                f"{len(found) or 'No'} keys of the network {network!r} are called {user!r}.",
                hint="Give --list in place of --revoke to see the keys.",
            )
        taken.extend(found)
        return replace(one, users=tuple(each for each in one.users if each is not found[0]))

    plan, running = await _change(laboratory, network, remove)
    gone, kept = taken[0], ""
    if running and gone.role is Role.HOST:
        try:
            await administration.release(plan, network, gone.id, laboratory.trusted(plan))
        except FleetError as error:  # the key is revoked all the same
            kept = error.detail
    return Revocation(gone, running, kept)


async def _change(
    laboratory: Laboratory, network: str, change: Callable[[PlannedNetwork], PlannedNetwork]
) -> tuple[Plan, bool]:
    """Change a network in the plan; a server that runs reads the new configuration.

    Return the plan, and whether a server runs.
    """
    if not laboratory.has_plan():
        laboratory.plan()  # says what is missing
    async with laboratory.changing():
        before = laboratory.plan()
        plan = before.with_network(change(before.find(network)))
        laboratory.write(plan)
        running = laboratory.is_running()
        if running:
            try:
                await administration.reload(plan, laboratory.trusted(plan))
            except BaseException:
                laboratory.write(before)
                raise
    return plan, running
