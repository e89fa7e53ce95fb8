"""What is asked of a running server: the buckets and the stream of a network, a new configuration.

A host whose key was revoked can no longer leave by itself: the keeper of its network deletes what
it has left, so that others can have its addresses at once.

https://docs.nats.io/reference/reference-protocols/nats_api_reference
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from wintun_api.fleet.bus.seam import Bucket, Bus, Entry
from wintun_api.fleet.keys.identity import KeyLine
from wintun_api.fleet.keys.rights import API, bucket_key, bucket_stream
from wintun_api.fleet.members.inventory import LIFETIME
from wintun_api.fleet.network import MAX_MESSAGE, MAX_VALUE, Network
from wintun_api.fleet.problems import BusUnavailable, ServerFailed
from wintun_api.fleet.server.configuration import BUCKET_BYTES
from wintun_api.fleet.server.plan import Bounds, Plan, PlannedNetwork
from wintun_api.moments import NS_PER_SECOND

PATIENCE: Final = 10.0  # seconds for an answer

MAX_HEADERS: Final = 1024
CONSUMER_LASTS: Final = 300  # seconds that a consumer is kept which no connection reads

SWEEPS: Final = 3  # looks for what hosts have left; the last writes may be under way in the first

COPIES: Final = (3, 1)  # of each stream: on three servers of a cluster, else on one

_NO_NETWORK: Final = Network("system")  # the account of the system user has none
_SAME_WINDOW: Final = 120 * NS_PER_SECOND  # in which the server knows a message again
_SHARED: Final[dict[str, Any]] = {
    "storage": "file",
    "allow_direct": True,
    "deny_delete": True,
    "consumer_limits": {"inactive_threshold": CONSUMER_LASTS * NS_PER_SECOND},
}
_UNKNOWN: Final = 10059  # there is no such stream
_TOO_MANY: Final = (10074, 10005)  # copies, for a server alone, and for a small cluster


async def prepare_all(plan: Plan, ca: str | None) -> None:
    """Make the buckets and streams of all networks of a server, or give them its bounds.

    What hosts have left in them whose keys were revoked is deleted.

    Args:
        plan: What the server is.
        ca: The certificate that it is checked with; None without TLS.

    Raises:
        ServerFailed: The server refuses it.
        BusUnavailable: The server does not answer.
    """
    for one in plan.networks:
        await _prepare_own(plan, one, ca)


async def _prepare_own(plan: Plan, one: PlannedNetwork, ca: str | None) -> None:
    users = {user.id for user in one.users}
    line = KeyLine(one.network, (plan.listening.own_url,), one.keeper, ca)
    async with _connected(line) as keeper:
        await prepare(keeper, one.network, plan.bounds)
        await _release(keeper, one.network, lambda host: host not in users)


async def prepare_at(
    url: str, planned: PlannedNetwork, bounds: Bounds, ca: str | None = None
) -> None:
    """Do this for one network, on any server whose configuration has its accounts.

    Args:
        url: The URL of the server.
        planned: The network.
        bounds: What its stream of captures keeps.
        ca: The certificate that the server is checked with; None for those of the system.

    Raises:
        ServerFailed: The server refuses it.
        BusUnavailable: The server does not answer.
    """
    async with _connected(KeyLine(planned.network, (url,), planned.keeper, ca)) as keeper:
        await prepare(keeper, planned.network, bounds)


async def release(plan: Plan, network: str, host: str, ca: str | None) -> None:
    """Delete the card and the claims of a host that the server no longer lets in.

    Args:
        plan: What the server is.
        network: The name of the network.
        host: The id of the host.
        ca: The certificate that the server is checked with; None without TLS.

    Raises:
        BusUnavailable: The server does not answer.
    """
    one = plan.find(network)
    line = KeyLine(one.network, (plan.listening.own_url,), one.keeper, ca)
    async with _connected(line) as keeper:
        await _release(keeper, one.network, lambda each: each == host)


async def reload(plan: Plan, ca: str | None) -> None:
    """Have a server read its configuration again; connections stay.

    Args:
        plan: What the server is.
        ca: The certificate that it is checked with; None without TLS.

    Raises:
        ServerFailed: The server refuses its new configuration.
        BusUnavailable: The server does not answer.
    """
    line = KeyLine(_NO_NETWORK, (plan.listening.own_url,), plan.system, ca)
    async with _connected(line) as system:
        answer = await _ask(system, "$SYS.REQ.SERVER.PING", {})
        server = answer.get("server", {}).get("id")
        if not isinstance(server, str):
            raise BusUnavailable("The server does not tell its id.")
        answer = await _ask(system, f"$SYS.REQ.SERVER.{server}.RELOAD", {})
    if "error" in answer:
        said = answer["error"].get("description", "no reason")
        raise ServerFailed(
            f"The server does not accept its new configuration: {said}.",
            hint="Start the bus again; its log says more.",
        )


async def prepare(keeper: Bus, network: Network, bounds: Bounds) -> None:
    """Make the buckets and the stream of a network, or give them the bounds of now.

    Args:
        keeper: A connection of the network's keeper.
        network: The network.
        bounds: What the stream of captures keeps.

    Raises:
        ServerFailed: The server refuses it.
        BusUnavailable: The server does not answer.
    """
    for stream in (
        _bucket(network.routes, 0),
        _bucket(network.hosts, int(LIFETIME)),
        _captures(network, bounds),
    ):
        for copies in COPIES:
            answer = await _kept(keeper, stream | {"num_replicas": copies})
            if answer.get("error", {}).get("err_code") not in _TOO_MANY:
                break
        if "error" in answer:
            said = answer["error"].get("description", "no reason")
            raise ServerFailed(
                f"The server refuses to keep {stream['name']}: {said}.",
                hint="Give it more room, or ask for less with --captures-bytes.",
            )


async def _release(keeper: Bus, network: Network, is_gone: Callable[[str], bool]) -> None:
    """Delete the cards and claims of hosts that are gone."""
    for name in (network.hosts, network.routes):
        bucket = await keeper.bucket(name)
        for _ in range(SWEEPS):
            left = [key for key in await _keys(bucket) if is_gone(key.partition(".")[0])]
            for key in left:
                await bucket.delete(key)
            if not left:
                break


async def _keys(bucket: Bucket) -> list[str]:
    """Return the keys of a bucket that have a value."""
    keys: set[str] = set()

    def take(entry: Entry) -> None:
        if entry.value is None:
            keys.discard(entry.key)
        else:
            keys.add(entry.key)

    watch = await bucket.watch(take)
    try:
        async with asyncio.timeout(PATIENCE):
            await watch.caught_up()
    except TimeoutError:
        raise BusUnavailable("The server does not say what hosts have left.") from None
    finally:
        await watch.aclose()
    return sorted(keys)


async def _kept(keeper: Bus, stream: dict[str, Any]) -> dict[str, Any]:
    """Change a stream, or make it, and return the answer."""
    answer = await _ask(keeper, f"{API}.STREAM.UPDATE.{stream['name']}", stream)
    if answer.get("error", {}).get("err_code") == _UNKNOWN:
        answer = await _ask(keeper, f"{API}.STREAM.CREATE.{stream['name']}", stream)
    return answer


def _bucket(name: str, lasts: int) -> dict[str, Any]:
    """Return a stream that clients of NATS know as a bucket of keys."""
    return {
        "name": bucket_stream(name),
        "subjects": [bucket_key(name, ">")],
        "max_msgs_per_subject": 1,
        "max_bytes": BUCKET_BYTES,
        "max_age": lasts * NS_PER_SECOND,
        "max_msg_size": MAX_VALUE + MAX_HEADERS,
        "duplicate_window": min(lasts * NS_PER_SECOND, _SAME_WINDOW) or _SAME_WINDOW,
        "discard": "new",
        # With it, one message could remove the keys of all hosts.
        "allow_rollup_hdrs": False,
        **_SHARED,
    }


def _captures(network: Network, bounds: Bounds) -> dict[str, Any]:
    return {
        "name": network.captures,
        "subjects": [network.capture("*", "*")],
        "max_bytes": bounds.captures_bytes,
        "max_age": int(bounds.captures_age * NS_PER_SECOND),
        "max_msg_size": MAX_MESSAGE + MAX_HEADERS,
        "duplicate_window": min(int(bounds.captures_age * NS_PER_SECOND), _SAME_WINDOW),
        "discard": "old",
        **_SHARED,
    }


async def _ask(bus: Bus, subject: str, question: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(question).encode() if question else b""
    answer = json.loads(await bus.request(subject, data, patience=PATIENCE))
    return answer if isinstance(answer, dict) else {}


@asynccontextmanager
async def _connected(line: KeyLine) -> AsyncIterator[Bus]:
    from wintun_api.fleet.bus.nats import NatsBus

    bus = await NatsBus.connect(line, name="wintun-api bus")
    try:
        yield bus
    finally:
        await bus.aclose()
