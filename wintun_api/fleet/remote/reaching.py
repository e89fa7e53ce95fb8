"""Send requests for the API of a host's service over the bus, as a client does over HTTP.

    transport = await AsyncReaching.find(bus, network, "hub")
    client = AsyncClient(transport.url, transport=transport)

The client and all that is built on it work as they do with a service of this machine, but for
streams. What keeps a request from being answered is a `FleetError`, which the client lets through.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Self

import httpx

from wintun_api.client.blocking import LoopThread
from wintun_api.client.call import TIMEOUT
from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.documents import document_of
from wintun_api.fleet.members.inventory import host_names
from wintun_api.fleet.network import Network, is_host
from wintun_api.fleet.problems import BusDenied, FleetError, HostMissing, NobodyAnswers
from wintun_api.fleet.remote import dialogue
from wintun_api.fleet.remote.dialogue import Answer, PartRequest, Request

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
BAD_REQUEST: Final = 400
MAX_NAMED: Final = 8  # hosts that an error names


@dataclass(frozen=True, slots=True)
class Found:
    """A host that a word means.

    Attributes:
        id: Its id.
        name: What its operator calls it; its id if that is not known.
    """

    id: str
    name: str


async def find_host(bus: Bus, network: Network, word: str) -> Found:
    """Return the host that is meant by an id, the beginning of one, or the name on a card.

    A host chooses its name itself, so a name counts no more than the beginning of an id: where a
    word may mean several hosts, none is chosen.

    Raises:
        HostMissing: It means no host, or several.
        BusDenied: This key may not read the cards.
        BusUnavailable: The server does not answer.
    """
    names = await host_names(bus, network)
    if is_host(word):  # whatever others call themselves
        return Found(word, names.get(word, word))
    wanted = word.casefold()
    found = [
        Found(host, name)
        for host, name in names.items()
        if wanted and (name.casefold() == wanted or host.startswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{one.id} ({one.name})" for one in found[:MAX_NAMED])
        raise HostMissing(
            f"{word!r} may mean {len(found)} hosts of the network {network.name}: {ids}.",
            hint="Give the whole id of one.",
        )
    raise HostMissing(
        f"The network {network.name} has no host {word!r}.",
        hint=f"List its hosts with: wintun-api hosts {network.name}",
    )


class AsyncReaching(httpx.AsyncBaseTransport):
    """Carry requests to the agent of a host. Event loop thread only.

    Attributes:
        url: The address by which a client knows the service; nothing is looked up by it.
        host: The host.
    """

    def __init__(self, bus: Bus, network: Network, host: Found) -> None:
        self.url = f"http://{host.id}.{network.name}"
        self.host = host
        self._bus = bus
        self._network = network
        self._subject = network.requests(host.id)

    @classmethod
    async def find(cls, bus: Bus, network: Network, word: str) -> Self:
        """Return the way to the host that a word means; see `find_host`.

        Raises:
            FleetError: The word means no host or several, or the bus does not say it.
        """
        return cls(bus, network, await find_host(bus, network, word))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its answer.

        Raises:
            FleetError: The host does not answer, or cannot be asked this.
            httpx.RemoteProtocolError: It answers in another way than an agent does.
        """
        return await self.ask(request, await request.aread())

    async def ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        """Send a request whose body was read already; see `handle_async_request`."""
        asked = self._request(request, body)
        patience = request.extensions.get("timeout", {}).get("read") or TIMEOUT
        first = await self._answer(asked.encoded(), asked.id, 0, patience)
        parts = [first.body]
        for number in range(1, first.parts):
            part = PartRequest(id=asked.id, part=number)
            answer = await self._answer(part.encoded(), asked.id, number, patience)
            if answer.status != first.status:  # the rest is gone, and the answer says so
                first, parts = answer, [answer.body]
                break
            parts.append(answer.body)
        headers = {
            "Content-Type": first.content_type,
            "Retry-After": first.retry_after,
            "Location": first.location,
        }
        return httpx.Response(
            first.status,
            headers={name: value for name, value in headers.items() if value},
            content=b"".join(parts),
            request=request,
        )

    def _request(self, request: httpx.Request, body: bytes) -> Request:
        path, _, query = request.url.raw_path.partition(b"?")
        if request.method not in METHODS or len(path) > dialogue.MAX_PATH:
            raise FleetError("This request does not go over the bus.", hint="Do it on that host.")
        if len(body) > dialogue.MAX_BODY or len(query) > dialogue.MAX_QUERY:
            raise FleetError(
                f"The request has {len(body) + len(query)} bytes, which is too much for the bus: a "
                f"body has at most {dialogue.MAX_BODY}, a query {dialogue.MAX_QUERY}.",
                hint="Send less at a time, or do it on that host.",
            )
        return Request(
            id=secrets.token_hex(16),
            method=request.method,
            path=path.decode("ascii"),
            query=query.decode("ascii"),
            content_type=request.headers.get("Content-Type", ""),
            body=body,
        )

    async def _answer(self, data: bytes, known: str, part: int, patience: float) -> Answer:
        try:
            said = await self._bus.request(self._subject, data, patience=patience)
        except NobodyAnswers as error:
            raise NobodyAnswers(
                f"{self._who} does not answer requests over the bus.",
                subject=error.subject,
                hint=f"See whether wintun-api hosts {self._network.name} lists it. Its agent takes "
                "requests if it was started with --allow read.",
            ) from None
        except BusDenied as error:
            raise BusDenied(
                "The key does not allow to ask the services of hosts.",
                subject=error.subject,
                hint="Make one where the bus is: wintun-api join keys --network "
                f"{self._network.name} --role operator",
            ) from None
        answer = document_of(Answer, said, dialogue.MAX_REQUEST)
        if answer is None or not _belongs(answer, known, part):
            raise FleetError(
                f"{self._who} does not answer as an agent of this version does.",
                hint="See with wintun-api hosts which version it has.",
            )
        return answer

    @property
    def _who(self) -> str:
        host = self.host
        return (
            f"The host {host.id}" if host.name == host.id else f"The host {host.name} ({host.id})"
        )


def _belongs(answer: Answer, known: str, part: int) -> bool:
    """Return whether an answer is one to a request: only who has got the request knows its id.

    An agent that cannot read a request cannot repeat the id either.
    """
    unread = not answer.id and answer.status == BAD_REQUEST and part == 0
    return unread or (answer.id == known and answer.part in (0, part))


class Reaching(httpx.BaseTransport):
    """Do as `AsyncReaching` for programs without an event loop: the bus has a thread of its own.

    Attributes:
        url: The address by which a client knows the service; nothing is looked up by it.
        host: The host.
    """

    def __init__(self, connect: Callable[[], Awaitable[Bus]], network: Network, word: str) -> None:
        """Connect, and find the host that a word means; see `find_host`.

        Args:
            connect: Makes the connection, in the event loop of that thread.
            network: The network.
            word: What the user calls the host.

        Raises:
            FleetError: The bus refuses, or the word means no host or several.
        """
        self._loop = LoopThread()
        self._bus: Bus | None = None

        async def begin() -> AsyncReaching:
            self._bus = await connect()
            return await AsyncReaching.find(self._bus, network, word)

        try:
            self._way = self._loop.run(begin())
        except BaseException:
            self.close()
            raise
        self.url = self._way.url
        self.host = self._way.host

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return its answer; as `AsyncReaching.handle_async_request`."""
        body = request.read()
        return self._loop.run(self._way.ask(request, body))

    def close(self) -> None:
        """End the connection and its thread. Idempotent."""
        bus, self._bus = self._bus, None
        if bus is not None:
            self._loop.run(bus.aclose())
        self._loop.close()
