"""What an agent keeps on its machine: the key of its host, and its counters.

    <network>/<adapter>.key   the key that a bus on this machine has made for an adapter
    <network>/<host>.ledger   the counters of a host

Only this user can read it. A key that was copied from another machine stays where it was copied to.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from wintun_api import files
from wintun_api.fleet.keys.folder import READER, SUFFIX, default_directory
from wintun_api.fleet.keys.identity import KeyLine, read_key
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.network import Network
from wintun_api.fleet.packets.ledger import Ledger
from wintun_api.fleet.problems import KeyRefused, LaboratoryMissing
from wintun_api.fleet.server.issuing import issue_to
from wintun_api.fleet.server.laboratory import Laboratory
from wintun_api.fleet.urls import check_servers

__all__ = ["READER", "Storage", "default_directory"]

MAX_WORD: Final = 32


class Storage:
    """The directory of the agents of one user.

    Attributes:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def ledger(self, network: Network, host: str) -> Ledger:
        """Open the counters of a host.

        Raises:
            LedgerInUse: Another agent counts in them.
            UntrustedFile: Another user may have written them.
            StorageFailed: The disk does not take them.
            OSError: The directory cannot be made.
        """
        return Ledger.open(self._prepared(network) / f"{host}.ledger")

    async def key(
        self,
        network: Network,
        what: str,
        laboratory: Laboratory,
        *,
        file: Path | None = None,
        servers: tuple[str, ...] = (),
        role: Role = Role.HOST,
        name: str = "",
    ) -> KeyLine:
        """Return a key: the one in a file, or one of the bus on this machine, made if it is new.

        Args:
            network: The network.
            what: What the key is for: the adapter, or `READER`.
            laboratory: The bus on this machine, if there is one.
            file: The file of a key that was made elsewhere.
            servers: Where the servers are; those of the key if there are none.
            role: What a new key is for.
            name: What its operator calls the host.

        Raises:
            KeyRefused: It is the key of another network, or cannot be read.
            InvalidArgument: One of `servers` is not the URL of a server.
            LaboratoryMissing: There is no key, and no bus that could make one.
            FleetError: The bus on this machine refuses to make one.
            UntrustedFile: Other users could have written a file.
            OSError: A file cannot be read or written.
        """
        if file is not None:
            line = read_key(file)
        else:
            line = await self._own(network, what, laboratory, role, name)
        if line.network != network:
            raise KeyRefused(
                f"The key is for the network {line.network.name}, not for {network.name}.",
                hint=f"Use the name {line.network.name}, or make a key for the other network: "
                f"wintun-api join keys --network {network.name}",
            )
        return replace(line, servers=check_servers(servers)) if servers else line

    def has_key(
        self, network: Network, what: str, laboratory: Laboratory, role: Role = Role.HOST
    ) -> bool:
        """Return whether `key` would return a key that was made before, without a file.

        Raises:
            LaboratoryMissing: There is no key, and no bus that could make one.
            KeyRefused: The key cannot be read.
            UntrustedFile: Other users could have written a file.
            OSError: A file cannot be read.
        """
        return self._kept(network, what, laboratory, role) is not None

    def _kept(
        self, network: Network, what: str, laboratory: Laboratory, role: Role
    ) -> KeyLine | None:
        """Return the key that was made before; None if the bus here can make one."""
        path = self._path(network, what, role)
        if not laboratory.has_plan():
            with suppress(FileNotFoundError):
                return read_key(path)
            raise LaboratoryMissing(
                f"There is no key for the network {network.name}.",
                hint="Where the bus is another machine, make a key there with wintun-api join "
                "keys, copy it here and give its file with --key. For a bus on this machine run "
                "wintun-api bus first.",
            )
        plan = laboratory.plan()
        planned = plan.find(network.name)
        with suppress(FileNotFoundError):
            line = read_key(path)
            if any(user.public_key == line.identity.public_key for user in planned.users):
                return replace(line, servers=(plan.listening.own_url,), ca=laboratory.trusted(plan))
        return None

    async def _own(
        self, network: Network, what: str, laboratory: Laboratory, role: Role, name: str
    ) -> KeyLine:
        kept = self._kept(network, what, laboratory, role)
        if kept is not None:
            return kept
        path = self._path(network, what, role)
        path.unlink(missing_ok=True)  # a bus that was there before has made it
        self._prepared(network)
        return await issue_to(path, laboratory, network.name, role=role, name=name, here=True)

    def _path(self, network: Network, what: str, role: Role) -> Path:
        return self.path / network.name / f"{_file_name(what, role)}{SUFFIX}"

    def _prepared(self, network: Network) -> Path:
        path = self.path / network.name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.check_directory(path)
        return path


def _file_name(what: str, role: Role) -> str:
    """Return a name for a file that nothing else has, whatever an adapter is called."""
    word = re.sub(r"[^A-Za-z0-9-]", "_", what)[:MAX_WORD]
    reserved = role is Role.HOST and what in set(Role)  # the keys of commands have these names
    return (
        word
        if word == what and not reserved
        else f"{word}-{hashlib.sha256(what.encode()).hexdigest()[:8]}"
    )
