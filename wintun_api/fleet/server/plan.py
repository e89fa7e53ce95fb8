"""What the server is to be: its networks and their users, its bounds, and where it listens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from typing import Any, Final, Self

from wintun_api.fleet.keys.identity import Identity
from wintun_api.fleet.keys.rights import Role
from wintun_api.fleet.network import Network, Prefix, host_of
from wintun_api.fleet.problems import KeyRefused, LaboratoryMissing
from wintun_api.fleet.urls import PORT, url_of

FORMAT: Final = 1
LOOPBACK: Final = "127.0.0.1"

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may connect.

    Attributes:
        public_key: Its public NKEY.
        role: What it is.
        name: What its operator calls it; nothing depends on it.
        prefixes: What a host may claim; all if there are none.
    """

    public_key: str
    role: Role
    name: str
    prefixes: tuple[Prefix, ...] = ()

    @property
    def id(self) -> str:
        """Its id, as subjects have it."""
        return host_of(self.public_key)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the stream of captures of a network keeps at most.

    Attributes:
        captures_bytes: So many bytes; the oldest are dropped for new ones.
        captures_age: So many seconds.
    """

    captures_bytes: int = 512 * MIB
    captures_age: float = 3600.0


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """A network of the server.

    Attributes:
        network: Its name.
        keeper: The key of the user who makes its buckets and its stream.
        users: Its users, in the order in which they were made.
    """

    network: Network
    keeper: Identity
    users: tuple[User, ...] = ()

    def of_role(self, role: Role) -> tuple[str, ...]:
        """Return the ids of all users that are this."""
        return tuple(user.id for user in self.users if user.role is role)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the server listens.

    Attributes:
        address: An address of this machine, or 0.0.0.0 or :: for all of them.
        port: The TCP port.
        names: The names and addresses by which other machines reach it, the best one first.
        found: Whether the names were found here, not given; they are looked for at every start.
    """

    address: str = LOOPBACK
    port: int = PORT
    names: tuple[str, ...] = ()
    found: bool = True

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted: they are, unless they cannot leave this machine."""
        return not ip_address(self.address).is_loopback

    @property
    def reached_at(self) -> tuple[str, ...]:
        """The names and addresses by which it is reached, here and from other machines."""
        if ip_address(self.address).is_unspecified:
            return self.names
        return (*self.names, *(() if self.address in self.names else (self.address,)))

    @property
    def urls(self) -> tuple[str, ...]:
        """The URLs at which it is reached, here and from other machines."""
        return tuple(url_of(name, self.port, tls=self.tls) for name in self.reached_at)

    @property
    def own_url(self) -> str:
        """The URL at which this machine reaches it."""
        address = ip_address(self.address)
        if address.is_unspecified:
            address = ip_address(LOOPBACK if address.version == 4 else "::1")
        return url_of(str(address), self.port, tls=self.tls)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a server's configuration is made of.

    Attributes:
        name: The name of the server: random, so that a client can tell it from another one.
        listening: Where it listens.
        bounds: What it keeps at most for each network.
        system: The key of the user who may have it read its configuration again.
        networks: Its networks.
    """

    name: str
    listening: Listening
    bounds: Bounds
    system: Identity
    networks: tuple[PlannedNetwork, ...] = ()

    def find(self, name: str) -> PlannedNetwork:
        """Return a network by its name.

        Raises:
            LaboratoryMissing: There is no such network.
        """
        for one in self.networks:
            if one.network.name == name:
                return one
        known = ", ".join(one.network.name for one in self.networks) or "none"
        raise LaboratoryMissing(
            f"This bus has no network {name!r}. It has: {known}.",
            hint=f"Start the bus with --network {name} to add it.",
        )

    def with_network(self, changed: PlannedNetwork) -> Plan:
        """Return the plan with a network added, or in place of the one of the same name."""
        name = changed.network.name
        if any(one.network.name == name for one in self.networks):
            kept = (changed if one.network.name == name else one for one in self.networks)
            return replace(self, networks=tuple(kept))
        return replace(self, networks=(*self.networks, changed))

    def as_text(self) -> str:
        """Return the plan as a file keeps it; it has the seeds of the server's own users."""
        return json.dumps(
            {
                "version": FORMAT,
                "name": self.name,
                "listen": {
                    "address": self.listening.address,
                    "port": self.listening.port,
                    "names": self.listening.names,
                    "found": self.listening.found,
                },
                "captures": {
                    "bytes": self.bounds.captures_bytes,
                    "age": self.bounds.captures_age,
                },
                "system": self.system.seed.decode(),
                "networks": {one.network.name: _network_as_json(one) for one in self.networks},
            },
            indent=1,
        )

    @classmethod
    def from_text(cls, text: str | bytes) -> Self:
        """Return the plan that a file keeps.

        Raises:
            ValueError: It is not a plan.
        """
        try:
            return cls._read(json.loads(text))
        except (LookupError, TypeError, AttributeError, RecursionError, KeyRefused) as error:
            raise ValueError(type(error).__name__) from None

    @classmethod
    def _read(cls, said: Mapping[str, Any]) -> Self:
        if said["version"] != FORMAT:
            raise ValueError(f"version {said['version']!r}")
        listen, captures = said["listen"], said["captures"]
        return cls(
            name=str(said["name"]),
            listening=Listening(
                str(ip_address(listen["address"])),
                int(listen["port"]),
                tuple(listen["names"]),
                bool(listen["found"]),
            ),
            bounds=Bounds(int(captures["bytes"]), float(captures["age"])),
            system=Identity.from_seed(said["system"].encode()),
            networks=tuple(
                PlannedNetwork(
                    Network(name),
                    Identity.from_seed(one["keeper"].encode()),
                    tuple(map(_user_of, one["users"])),
                )
                for name, one in said["networks"].items()
            ),
        )


def _network_as_json(one: PlannedNetwork) -> dict[str, Any]:
    return {
        "keeper": one.keeper.seed.decode(),
        "users": [_user_as_json(user) for user in one.users],
    }


def _user_as_json(user: User) -> dict[str, Any]:
    said: dict[str, Any] = {"key": user.public_key, "role": user.role, "name": user.name}
    return {**said, "prefixes": list(map(str, user.prefixes))} if user.prefixes else said


def _user_of(said: Mapping[str, Any]) -> User:
    prefixes = tuple(map(ip_network, said.get("prefixes", ())))
    return User(said["key"], Role(said["role"]), said["name"], prefixes)
