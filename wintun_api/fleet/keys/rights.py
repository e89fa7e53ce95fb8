"""What the server of the bus allows to a host, to an operator and to a reader, as data.

A network is two accounts of the server. Users are in the first one, which has no streams. The
buckets and the stream of captures are in the second one, the store, which has one user alone: the
keeper, who makes them. The first account imports from the store what `Forwarded` lists, each
subject under its own name.

One account would not do. The server answers a request at the subject that its sender names, and
rights do not cover this subject. With the buckets in the account of the hosts, a host could ask for
anything and name the key of another host: the answer would be written there. Here an answer arrives
in the account without streams, and it cannot be forwarded: the server delivers nothing twice
through one export, and the store has one export for all services. A consumer that a host makes
delivers within the store, from where only inboxes are imported. So packets can be read and written
by hosts alone, and keys by their own host alone; `tests/fleet/server` tries the rest.

This export answers once per request, so captures are read with ordered push consumers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from wintun_api.fleet.network import Network, Prefix, claim_key

API: Final = "$JS.API"
ACCOUNT_INFO: Final = f"{API}.INFO"
EVERYTHING: Final = ">"


class Role(StrEnum):
    """Name what a user of a network is."""

    HOST = "host"
    OPERATOR = "operator"  # asks the services of hosts
    READER = "reader"  # reads captures, events and the inventory


@dataclass(frozen=True, slots=True)
class Rights:
    """The subjects that a user may use; all others are refused.

    Attributes:
        publish: Where it may publish.
        subscribe: What it may subscribe to.
    """

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What the account of a network imports from its store.

    Attributes:
        requests: Subjects of messages that go to the store, and of answers that come back.
        deliveries: Subjects of messages of consumers that come from the store.
    """

    requests: tuple[str, ...]
    deliveries: tuple[str, ...]


def inbox(user: str) -> str:
    """Return the prefix of the subjects at which a user gets answers; others may not read them."""
    return f"_INBOX_{user}"


def bucket_stream(bucket: str) -> str:
    """Return the stream in which the server keeps a bucket."""
    return f"KV_{bucket}"


def bucket_key(bucket: str, key: str) -> str:
    """Return the subject at which a key of a bucket is written; the key may have wildcards."""
    return f"$KV.{bucket}.{key}"


def rights_of(
    role: Role,
    network: Network,
    user: str,
    operators: tuple[str, ...] = (),
    prefixes: tuple[Prefix, ...] = (),
) -> Rights:
    """Return the rights of a user.

    Args:
        role: What the user is.
        network: Its network.
        user: Its id, which is made of its public key.
        operators: The ids of the operators, whose requests a host answers.
        prefixes: What a host may claim; all if there are none.
    """
    match role:
        case Role.HOST:
            return _host(network, user, operators, prefixes)
        case Role.OPERATOR:
            return _operator(network, user)
        case Role.READER:
            return _reader(network, user)


def forwarded(network: Network, users: tuple[str, ...]) -> Forwarded:
    """Return what the account of a network imports from its store for these users."""
    streams = (*_bucket_streams(network), network.captures)
    return Forwarded(
        requests=(
            # Without this one the server answers for an account that has no streams itself.
            ACCOUNT_INFO,
            bucket_key(network.routes, "*.*"),
            bucket_key(network.hosts, "*"),
            network.capture("*", "*"),
            *(subject for stream in streams for subject in _reading(stream)),
        ),
        deliveries=tuple(f"{inbox(user)}.>" for user in users),
    )


def _host(
    network: Network, host: str, operators: tuple[str, ...], prefixes: tuple[Prefix, ...]
) -> Rights:
    claims = [claim_key(host, one) for one in prefixes] or [f"{host}.*"]
    return Rights(
        publish=(
            network.packets("*", host),
            network.group_packets(host),
            network.feedback("*", host),
            network.events(host),
            network.capture(host, "*"),
            *(bucket_key(network.routes, one) for one in claims),
            bucket_key(network.hosts, host),
            *_reading_buckets(network),
            *(f"{inbox(operator)}.>" for operator in operators),
        ),
        subscribe=(
            network.packets(host, "*"),
            network.group_packets("*"),
            network.feedback(host, "*"),
            network.requests(host),
            f"{inbox(host)}.>",
        ),
    )


def _operator(network: Network, operator: str) -> Rights:
    reader = _reader(network, operator)
    return Rights((network.requests("*"), *reader.publish), reader.subscribe)


def _reader(network: Network, reader: str) -> Rights:
    return Rights(
        publish=(*_reading_buckets(network), *_reading(network.captures)),
        subscribe=(network.events("*"), f"{inbox(reader)}.>"),
    )


def _bucket_streams(network: Network) -> tuple[str, ...]:
    return bucket_stream(network.routes), bucket_stream(network.hosts)


def _reading_buckets(network: Network) -> tuple[str, ...]:
    return tuple(subject for one in _bucket_streams(network) for subject in _reading(one))


def _reading(stream: str) -> tuple[str, ...]:
    """Return where one asks to read a stream, for one of its messages and for the server's time."""
    return (
        f"{API}.STREAM.INFO.{stream}",
        f"{API}.DIRECT.GET.{stream}.>",
        f"{API}.CONSUMER.CREATE.{stream}",
        f"{API}.CONSUMER.CREATE.{stream}.>",
        # The names of consumers are random, and may not be listed.
        f"{API}.CONSUMER.INFO.{stream}.*",
        f"{API}.CONSUMER.DELETE.{stream}.*",
        f"$JS.FC.{stream}.>",  # an ordered consumer tells that it keeps up
    )
