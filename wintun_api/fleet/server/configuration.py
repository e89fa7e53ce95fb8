"""The plan as nats-server reads it: JSON, which is a part of its own language.

https://docs.nats.io/running-a-nats-service/configuration
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wintun_api.errors import InvalidArgument
from wintun_api.fleet.keys.rights import EVERYTHING, Forwarded, Role, forwarded, rights_of
from wintun_api.fleet.network import Network
from wintun_api.fleet.server.plan import MIB, Plan, PlannedNetwork, User

SYSTEM: Final = "SYS"
BUCKET_BYTES: Final = 16 * MIB  # each of the two buckets of a network
# Each stream has bounds of its own. With one for all, a server could not start with less than it
# keeps already, so that a stream could not be made smaller.
STORE_BYTES: Final = 1 << 60
MAX_CONSUMERS: Final = 4096  # of a network: two of each host, and those that it left behind

# What JSON writes with escapes that nats-server does not know.
_UNKNOWN_ESCAPES: Final = frozenset(map(chr, range(32))) - frozenset("\t\n\r")


@dataclass(frozen=True, slots=True)
class Paths:
    """The files of the server.

    Attributes:
        store: The directory of its streams.
        certificate: The PEM file of its certificate; None without TLS.
        key: The PEM file of the certificate's key.
    """

    store: Path
    certificate: Path | None = None
    key: Path | None = None


def store_account(network: Network) -> str:
    """Return the name of the account that has the buckets and the stream of a network."""
    return f"{network.name}_store"


def kept_bytes(plan: Plan) -> int:
    """Return how much a server keeps at most."""
    return len(plan.networks) * (plan.bounds.captures_bytes + 2 * BUCKET_BYTES)


def configuration(plan: Plan, paths: Paths) -> dict[str, Any]:
    """Return the configuration of a server."""
    made: dict[str, Any] = {
        "server_name": plan.name,
        "host": plan.listening.address,
        "port": plan.listening.port,
        "logtime": False,
        "system_account": SYSTEM,
        "jetstream": {
            "store_dir": str(paths.store),
            "max_file_store": STORE_BYTES,
            "max_memory_store": MIB,
        },
        "accounts": {
            SYSTEM: {"users": [{"nkey": plan.system.public_key}]},
            **accounts(plan.networks),
        },
    }
    if paths.certificate is not None:
        made["tls"] = {"cert_file": str(paths.certificate), "key_file": str(paths.key)}
    return made


def accounts(networks: Iterable[PlannedNetwork]) -> dict[str, Any]:
    """Return the accounts of networks, which a server that is there already can have too."""
    made: dict[str, Any] = {}
    for one in networks:
        store = store_account(one.network)
        imported = forwarded(one.network, tuple(user.id for user in one.users))
        operators = one.of_role(Role.OPERATOR)
        made[one.network.name] = {
            "imports": _imports(store, imported),
            "users": [_user(one.network, user, operators) for user in one.users],
        }
        made[store] = {
            "exports": [
                # One for all services: see `keys.rights`.
                {"service": EVERYTHING, "accounts": [one.network.name]},
                {"stream": EVERYTHING, "accounts": [one.network.name]},
            ],
            "jetstream": {"max_memory": 0, "max_consumers": MAX_CONSUMERS},
            "users": [{"nkey": one.keeper.public_key}],
        }
    return made


def as_text(configured: dict[str, Any]) -> str:
    """Return a configuration as the text of a file.

    Raises:
        InvalidArgument: A path has characters that nats-server cannot read.
    """
    for text in _strings(configured):
        if _UNKNOWN_ESCAPES & set(text):
            raise InvalidArgument(
                "data_dir", f"nats-server cannot read the path {text!r}: it has control characters."
            )
    return json.dumps(configured, indent=1, ensure_ascii=False) + "\n"


def _imports(store: str, imported: Forwarded) -> list[dict[str, Any]]:
    return [
        {kind: {"account": store, "subject": subject}}
        for kind, subjects in (("service", imported.requests), ("stream", imported.deliveries))
        for subject in subjects
    ]


def _user(network: Network, user: User, operators: tuple[str, ...]) -> dict[str, Any]:
    rights = rights_of(user.role, network, user.id, operators, user.prefixes)
    return {
        "nkey": user.public_key,
        "permissions": {
            "publish": {"allow": list(rights.publish)},
            "subscribe": {"allow": list(rights.subscribe)},
        },
    }


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
