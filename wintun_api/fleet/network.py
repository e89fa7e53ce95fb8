"""The names of a network on the bus: its subjects, buckets and streams, and its hosts.

A host is named by a part of its public key, so that no host can choose the id of another one. NATS
allows letters, digits, `-` and `_` between the dots of a subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Self, TypeAlias

from wintun_api.errors import InvalidArgument
from wintun_api.limits import MAX_NETWORK_NAME

Prefix: TypeAlias = "IPv4Network | IPv6Network"

MAX_MESSAGE: Final = 128 * 1024  # bytes of a message of a network, but for a long request
MAX_VALUE: Final = 8 * 1024  # bytes of a card or a claim
HOST_LENGTH: Final = 12  # 60 bits of the public key

# Words that follow `wintun-api join` and are commands: hosts could not join such a network.
COMMANDS: Final = frozenset(("keys",))

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]*")
_HOST: Final = re.compile(rf"[a-z2-7]{{{HOST_LENGTH}}}")


def host_of(public_key: str) -> str:
    """Return the id of the host with this public NKEY, which begins with U."""
    return public_key[1 : 1 + HOST_LENGTH].lower()


def is_host(text: str) -> bool:
    """Return whether a text can be the id of a host."""
    return _HOST.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Network:
    """A network: one account of the server, and the names in it.

    Attributes:
        name: Small letters, digits and hyphens, at most 32.

    Raises:
        InvalidArgument: The name has other characters, or too many.
    """

    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > MAX_NETWORK_NAME:
            raise InvalidArgument(
                "network",
                f"{self.name!r} is not the name of a network: use small letters, digits and "
                f"hyphens, at most {MAX_NETWORK_NAME}.",
            )

    @classmethod
    def to_make(cls, name: str) -> Self:
        """Return a network that is to be made.

        Raises:
            InvalidArgument: The name has other characters, too many, or is that of a command.
        """
        if name in COMMANDS:
            raise InvalidArgument(
                "network",
                f"A network cannot be called {name!r}: wintun-api join {name} is a command, so "
                "hosts could not join the network. Choose another name.",
            )
        return cls(name)

    # Subjects

    def packets(self, to: str, sender: str) -> str:
        """Return where `sender` publishes packets for `to`; each may be `*`."""
        return f"wt.{self.name}.p.{to}.{sender}"

    def group_packets(self, sender: str) -> str:
        """Return where `sender` publishes packets for multicast and broadcast addresses."""
        return f"wt.{self.name}.m.{sender}"

    def feedback(self, to: str, sender: str) -> str:
        """Return where `sender` tells `to` what became of its packets."""
        return f"wt.{self.name}.fb.{to}.{sender}"

    def events(self, sender: str) -> str:
        """Return where `sender` publishes events."""
        return f"wt.{self.name}.ev.{sender}"

    def requests(self, host: str) -> str:
        """Return where a host takes requests for its service."""
        return f"wt.{self.name}.api.{host}"

    def capture(self, host: str, session: str) -> str:
        """Return where a host publishes what it has captured of a session."""
        return f"wt.{self.name}.cap.{host}.{session}"

    # Buckets and streams

    @property
    def routes(self) -> str:
        """The bucket of claims; see `claim_key`."""
        return f"wt_{self.name}_routes"

    @property
    def hosts(self) -> str:
        """The bucket of host cards; a key is the id of a host."""
        return f"wt_{self.name}_hosts"

    @property
    def captures(self) -> str:
        """The stream of captures."""
        return f"CAP_{self.name}"


def sender_of(subject: str) -> str:
    """Return the host that has published a message: the last part of each of its subjects."""
    return subject.rpartition(".")[2]


def claim_key(host: str, prefix: Prefix) -> str:
    """Return the key with which a host claims a prefix: it may write no key of another host."""
    address = str(prefix.network_address).replace(".", "-").replace(":", "-")
    return f"{host}.{address}_{prefix.prefixlen}"


def claim_of(key: str) -> tuple[str, Prefix] | None:
    """Return the host and the prefix of a key; None if it is not the key of a claim."""
    host, _, rest = key.partition(".")
    address, _, length = rest.partition("_")
    is_ipv6 = "--" in address or address.count("-") == 7
    text = address.replace("-", ":" if is_ipv6 else ".")
    try:
        prefix = ip_network(f"{text}/{length}")
    except ValueError:
        return None
    return (host, prefix) if is_host(host) and claim_key(host, prefix) == key else None
