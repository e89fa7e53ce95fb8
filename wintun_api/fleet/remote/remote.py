"""Answer requests for the service's API that come over the bus.

An agent does so only if it was started with `--allow`. Its own token stands for every request, so
what is not allowed is refused before the service is asked. Every request is an event and a line in
the log, with the operator to whose inbox the answer goes.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs

from wintun_api.client.call import Call, Reply, path_of
from wintun_api.client.problems import URN, ClientError, ServiceUnreachable
from wintun_api.fleet.bus.seam import Bus, Message
from wintun_api.fleet.documents import document_of
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.fleet.remote import dialogue
from wintun_api.fleet.remote.allowance import Allow, Operation, Operations, parts_of
from wintun_api.fleet.remote.dialogue import Answer, PartRequest, Request, problem
from wintun_api.schemas.problem import MEDIA_TYPE

if TYPE_CHECKING:
    from wintun_api.client import AsyncClient

logger = logging.getLogger(__name__)

MAX_AT_ONCE: Final = 8  # requests that the service is asked at a time
MAX_UNANSWERED: Final = 64  # requests whose answer is on its way
PATIENCE: Final = 100.0  # seconds that a request may take; its asker waits for 120
KEPT: Final = 32 * 1024 * 1024  # bytes of answers whose parts are asked for
KEPT_SECONDS: Final = 60.0
DOCUMENT_SECONDS: Final = 300.0  # after which the service is asked for its operations again
MAX_FIELDS: Final = 256  # of a query
SCOPE_MISSING: Final = f"{URN}missing-scope"
SHOWN: Final = 200  # characters of a path in an event

Tell: TypeAlias = Callable[[EventKind, str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer  # without a body
    body: bytes
    until: float

    def part(self, number: int) -> Answer:
        start = number * dialogue.PART
        return self.answer.model_copy(
            update={"part": number, "body": self.body[start : start + dialogue.PART]}
        )


class Remote:
    """Answer what operators ask. Event loop thread only.

    Attributes:
        allow: What may be asked.
        forged: How many requests did not come from an inbox; they were not answered.
        dropped: How many were not answered because too many answers were on their way.
        given_up: How many long answers were dropped before their last part was asked for: their
            asker took too long, or newer ones needed the room. The oldest are dropped first.
    """

    def __init__(self, client: AsyncClient, bus: Bus, allow: Allow, tell: Tell) -> None:
        """Take what it works with; it closes none of it.

        Args:
            client: Reaches the service, with the agent's own token.
            bus: The connection.
            allow: What may be asked.
            tell: Called with each request, when it is answered.
        """
        self.allow = allow
        self.forged = 0
        self.dropped = 0
        self.given_up = 0
        self._client = client
        self._bus = bus
        self._tell = tell
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking = 0
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._operations: tuple[Operations, float] | None = None
        self._reading = asyncio.Lock()

    @property
    def kept_bytes(self) -> int:
        """The bytes of answers whose other parts were not asked for yet."""
        return sum(len(one.body) for one in self._kept.values())

    def take(self, message: Message) -> None:
        """Take a request, as a subscription gives it."""
        asker = dialogue.asker_of(message.reply)
        if asker is None:
            self.forged += 1
            return
        if len(self._tasks) >= MAX_UNANSWERED:
            self.dropped += 1
            return
        self._start(self._take(asker, message))

    async def aclose(self) -> None:
        """Answer no more. A request that the service has already may still be carried out."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._kept.clear()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="remote request")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A request over the bus was not answered.", exc_info=error)

    async def _take(self, asker: str, message: Message) -> None:
        part = document_of(PartRequest, message.data, MAX_MESSAGE)
        if part is not None:
            await self._send(message.reply, self._part(asker, part))
            return
        request = document_of(Request, message.data, dialogue.MAX_REQUEST)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._reply(request)
        except _Refused as refused:
            reply = refused.reply
            self._told(EventKind.REQUEST_REFUSED, asker, request, reply.status, refused.detail)
        except TimeoutError:
            late = _Refused(
                "late",
                504,
                "No answer in time",
                f"The service of this host did not answer within {PATIENCE:g} seconds.",
                "It may still do what was asked: look before you ask again.",
            )
            reply = late.reply
            self._told(EventKind.REQUEST_REFUSED, asker, request, reply.status, late.detail)
        else:
            self._told(EventKind.REQUEST_ANSWERED, asker, request, reply.status, "")
        await self._send(message.reply, self._first(asker, request, reply))

    # The service

    async def _reply(self, request: Request | None) -> Reply:
        """Return what the service answers.

        Raises:
            _Refused: It is not asked, or what it says concerns its agent alone.
        """
        if request is None:
            raise _Refused(
                "bad-request",
                400,
                "Bad request",
                "This is not a request for the API of a service, or it is too long.",
                f"A body has at most {dialogue.MAX_BODY} bytes. The asker and this agent may be of "
                "different versions.",
            )
        if self._asking >= MAX_AT_ONCE:
            raise _Refused(
                "busy",
                503,
                "Too many requests",
                f"This host answers {MAX_AT_ONCE} requests at a time, and is busy with as many.",
                "Ask again in a second.",
            )
        self._asking += 1
        try:
            call = self._call(request, await self._known())
            return _judged(await self._client.answer(call))
        except ServiceUnreachable as error:
            raise _Refused(
                "service-unreachable",
                502,
                "No service",
                f"The agent of this host does not reach its service: {error.detail}",
                "Start the service on that host.",
            ) from None
        except ClientError as error:
            raise _Refused("agent-failed", 502, "No answer", error.detail, error.hint) from None
        finally:
            self._asking -= 1

    async def _known(self) -> Operations:
        """Return the operations of the service, as it says them itself."""
        loop = asyncio.get_running_loop()
        async with self._reading:
            if self._operations is None or self._operations[1] < loop.time():
                call: Call[Any] = Call("openapi", "GET", "/openapi.json", "json")
                reply = _judged(await self._client.answer(call))
                document = call.read(reply, self._client.url)
                self._operations = Operations.of_document(document), loop.time() + DOCUMENT_SECONDS
            return self._operations[0]

    def _call(self, request: Request, operations: Operations) -> Call[Any]:
        parts = parts_of(request.path)
        found = [] if parts is None else operations.find(request.method, parts)
        if parts is None or not found:
            raise _Refused(
                "not-found",
                404,
                "Not found",
                f"The service of this host has no {request.method} {request.path[:SHOWN]}, or "
                "does not offer it over the bus.",
                "Only operations below /v1 are offered.",
            )
        for operation in found:
            self._check(operation)
        try:
            query = parse_qs(request.query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            raise _Refused(
                "bad-request", 400, "Bad request", "The query has too many parameters.", ""
            ) from None
        return Call(
            found[0].name,
            request.method,
            path_of(*parts),
            "json",
            query=query,
            content=request.body or None,
            content_type=request.content_type,
        )

    def _check(self, operation: Operation) -> None:
        if operation.scope not in self.allow.scopes:
            needs = next((one for one in Allow if operation.scope in one.scopes), None)
            raise _Refused(
                "not-allowed",
                403,
                "Not allowed",
                f"This host allows {self.allow} over the bus, and {operation.name} needs "
                f"{operation.scope or 'what no host allows'}.",
                f"Start its agent with --allow {needs}." if needs else "Do it on that host.",
            )
        if operation.streams:
            raise _Refused(
                "stream",
                501,
                "No streams",
                f"The answer of {operation.name} is a stream, which does not go over the bus.",
                "Do it on that host; captures of many hosts come with "
                "wintun-api capture --network.",
            )

    # Answers

    def _first(self, asker: str, request: Request | None, reply: Reply) -> Answer:
        """Return the first part of an answer; keep the answer if there are others."""
        body = reply.content
        if len(body) > dialogue.MAX_ANSWER:
            reply = _Refused(
                "answer-too-large",
                502,
                "Answer too large",
                f"The answer has {len(body)} bytes; at most {dialogue.MAX_ANSWER} go over the bus.",
                "Do it on that host.",
            ).reply
            body = reply.content
        known = "" if request is None else request.id
        answer = Answer(
            id=known,
            status=reply.status,
            content_type=_plain(reply.content_type, 128),
            retry_after=_plain(reply.retry_after, 2048),
            location=_plain(reply.location, 2048),
            parts=max(1, -(-len(body) // dialogue.PART)),
        )
        whole = _Kept(answer, body, asyncio.get_running_loop().time() + KEPT_SECONDS)
        if answer.parts > 1:
            self._kept[asker, known] = whole
            while self.kept_bytes > KEPT:
                self._kept.popitem(last=False)
                self.given_up += 1
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget)
        return whole.part(0)

    def _part(self, asker: str, asked: PartRequest) -> Answer:
        kept = self._kept.get((asker, asked.id))
        if kept is None or asked.part >= kept.answer.parts:
            return _whole(
                asked.id,
                _Refused(
                    "not-found",
                    404,
                    "Not found",
                    "This host does not have the rest of the answer any more.",
                    "Ask again.",
                ).reply,
            )
        if asked.part == kept.answer.parts - 1:
            del self._kept[asker, asked.id]
        return kept.part(asked.part)

    def _forget(self) -> None:
        now = asyncio.get_running_loop().time()
        for key in [key for key, one in self._kept.items() if one.until <= now]:
            del self._kept[key]
            self.given_up += 1

    async def _send(self, reply: str, answer: Answer) -> None:
        data = answer.encoded()
        async with asyncio.timeout(PATIENCE):
            while not await self._bus.publish(reply, data):
                if not self._bus.connected:
                    return  # the asker's wait ends by itself
                await self._bus.room()

    def _told(
        self, kind: EventKind, asker: str, request: Request | None, status: int, why: str
    ) -> None:
        what = "something unreadable" if request is None else f"{request.method} {request.path}"
        text = f"The operator {asker} has asked for {what[:SHOWN]}: {status}."
        if why:
            text = f"{text[:-1]}, {why[:1].lower()}{why[1:]}"
        data: dict[str, Any] = {"operator": asker, "status": status}
        if request is not None:
            data |= {"method": request.method, "path": request.path[:SHOWN]}
        logger.info("%s", text)
        self._tell(kind, text, data)


class _Refused(Exception):
    """Say that the agent answers itself, with a problem document."""

    def __init__(self, slug: str, status: int, title: str, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.detail = detail
        document = problem(slug, status, title, detail, hint)
        self.reply = Reply(status, dialogue.as_json(document), MEDIA_TYPE)


def _judged(reply: Reply) -> Reply:
    """Return an answer of the service, unless it refuses the agent's token.

    Raises:
        _Refused: It does; its words would be about the asker's token, who has none.
    """
    if reply.status == 401:
        raise _Refused(
            "token-refused",
            502,
            "Token refused",
            "The service of this host does not accept the token of its agent.",
            "Start the agent there with a valid token.",
        )
    if reply.status == 403 and _type_of(reply) == SCOPE_MISSING:
        raise _Refused(
            "token-too-narrow",
            502,
            "Token too narrow",
            "The token of the agent of this host does not allow this.",
            "Start the agent there with a token that has the scope, besides --allow.",
        )
    return reply


def _type_of(reply: Reply) -> object:
    try:
        said = json.loads(reply.content)
    except (ValueError, RecursionError):
        return None
    return said.get("type") if isinstance(said, dict) else None


def _whole(known: str, reply: Reply) -> Answer:
    return Answer(
        id=known, status=reply.status, content_type=reply.content_type, body=reply.content
    )


def _plain(text: str, longest: int) -> str:
    """Return a header that an answer can have; empty if it is another one."""
    return text if len(text) <= longest and text.isascii() and text.isprintable() else ""
