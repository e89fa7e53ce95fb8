"""Requests over the bus: what an agent answers, and what it refuses before its service is asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.client.streams import run
from tests.fleet.memory import MemoryBus
from tests.fleet.running import LAB, A, B, C, eventually, prepared, put_card
from tests.running import TOKEN, RunningService, running
from wintun_api.choices import Scope
from wintun_api.client import AsyncClient, ClientError, ProblemError, operations
from wintun_api.client.call import Call, Reply
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.fleet.bus.seam import Message
from wintun_api.fleet.documents import document_of
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.network import MAX_MESSAGE
from wintun_api.fleet.problems import BusDenied, FleetError, HostMissing, NobodyAnswers
from wintun_api.fleet.remote import dialogue, remote
from wintun_api.fleet.remote.allowance import Allow
from wintun_api.fleet.remote.dialogue import Answer, Request
from wintun_api.fleet.remote.reaching import AsyncReaching
from wintun_api.fleet.remote.remote import Remote

ID = "0" * 32


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with one adapter."""
    library = EmulatedLibrary(Generation.TUNNEL_TYPE, Machine())
    with running(tmp_path_factory.mktemp("service"), emulated_driver(library)) as service:
        service.adapter(name="Lab")
        yield service


@dataclass
class Far:
    """A host that answers, and an operator that asks it.

    Attributes:
        remote: What answers.
        told: What it has told: kind, sentence, data.
        operator: The connection of the operator.
        transport: The operator's way to the host.
        client: A client that takes this way.
    """

    remote: Remote
    told: list[tuple[EventKind, str, dict[str, Any]]]
    operator: MemoryBus
    transport: AsyncReaching
    client: AsyncClient

    async def raw(self, **members: Any) -> Answer:
        """Send a request as it is written here, and return the answer."""
        data = json.dumps({"id": ID, "method": "GET", "path": "/v1/adapters", **members}).encode()
        return Answer.model_validate_json(
            await self.operator.request(LAB.requests(A), data, patience=5)
        )


class Stuck(AsyncClient):
    """A client whose service does not answer."""

    async def answer(self, call: Call[Any], *, patient: bool = False) -> Reply:
        """Wait for ever."""
        await asyncio.Event().wait()
        raise AssertionError


@asynccontextmanager
async def far(
    service: RunningService,
    allow: Allow = Allow.READ,
    *,
    token: str = TOKEN,
    url: str = "",
    client: type[AsyncClient] = AsyncClient,
) -> AsyncIterator[Far]:
    """Let the host A answer, and the operator B ask."""
    server = prepared()
    host, operator = server.connect(A), server.connect(B)
    told: list[Any] = []
    async with client(url or service.url, token=token) as local:
        answering = Remote(local, host, allow, lambda *one: told.append(one))
        subscription = await host.subscribe(LAB.requests(A), answering.take, limit_bytes=1 << 20)
        await put_card(host, "hub")
        transport = await AsyncReaching.find(operator, LAB, "hub")
        async with AsyncClient(transport.url, transport=transport) as asking:
            yield Far(answering, told, operator, transport, asking)
        await subscription.aclose()
        await answering.aclose()
    await operator.aclose()
    await host.aclose()


def slug(problem: ProblemError) -> str:
    """Return the last part of the type of an agent's problem."""
    return problem.type.removeprefix(dialogue.URN)


def test_a_client_reads(service: RunningService) -> None:
    """A client gets over the bus what it gets from the service itself."""

    async def ask() -> None:
        async with far(service) as there:
            assert await there.client.list_adapters() == service.api.list_adapters()
            assert (await there.client.get_system()).version == service.api.get_system().version

    run(ask())


def test_a_client_changes(service: RunningService) -> None:
    """A request with a body does at the far service what it says, if the host allows it."""

    async def ask() -> None:
        async with far(service, Allow.ADMIN) as there:
            adapter = await there.client.create_adapter("Far", mtu=1400)
            assert adapter.mtu == 1400
            assert await there.client.get_adapter(adapter.guid) == adapter
            await there.client.delete_adapter(adapter.guid)

    run(ask())
    assert [one.name for one in service.api.list_adapters()] == ["Lab"]


def test_every_request_is_told(service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    """Each request, answered or refused, is an event and a line that say who has asked for what."""

    async def ask() -> list[Any]:
        async with far(service) as there:
            await there.client.list_adapters()
            with pytest.raises(ProblemError):
                await there.client.delete_driver()
            return there.told

    with caplog.at_level("INFO", logger=remote.__name__):
        told = run(ask())
    assert [(kind, data["operator"], data["method"], data["path"]) for kind, _, data in told] == [
        (EventKind.REQUEST_ANSWERED, B, "GET", "/v1/adapters"),
        (EventKind.REQUEST_REFUSED, B, "DELETE", "/v1/driver"),
    ]
    assert [record.message for record in caplog.records] == [text for _, text, _ in told]
    assert f"operator {B}" in told[1][1]


@pytest.mark.parametrize("allow", [Allow.READ, Allow.CAPTURE])
def test_what_is_not_allowed(service: RunningService, allow: Allow) -> None:
    """What the host does not allow is refused with the word that would, and nothing is done."""

    async def ask() -> ProblemError:
        async with far(service, allow) as there:
            with pytest.raises(ProblemError) as refused:
                await there.client.create_adapter("Far")
            return refused.value

    problem = run(ask())
    assert (problem.status, slug(problem)) == (403, "not-allowed")
    assert "--allow admin" in problem.hint
    assert [one.name for one in service.api.list_adapters()] == ["Lab"]


def test_problems_of_the_service(service: RunningService) -> None:
    """A refusal of the service comes as the service wrote it."""

    async def ask() -> None:
        async with far(service) as there:
            with pytest.raises(ProblemError) as refused:
                await there.client.get_session("unknown")
            assert refused.value.kind == "session-not-found"
            with pytest.raises(ProblemError) as refused:
                await there.client.get_adapter("00000000-0000-0000-0000-000000000000")
            assert refused.value.kind == "adapter-not-found"

    run(ask())


def test_streams(service: RunningService) -> None:
    """A stream is refused with words that say so; a packet stream is not even tried."""

    async def ask() -> None:
        async with far(service, Allow.ADMIN) as there:
            with pytest.raises(ProblemError, match="stream"):
                async with there.client.listen(operations.stream_events()):
                    pass
            with pytest.raises(ClientError, match="connection with the service itself"):
                async with there.client.session("any").packets():
                    pass

    run(ask())


def test_no_token_leaves_the_operator(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token that a client would find here is not looked for, and is in no request."""
    monkeypatch.setenv("WINTUN_API_TOKEN", "the-operators-own-token")
    seen: list[bytes] = []

    async def ask() -> None:
        async with far(service) as there:
            subscription = await there.operator.server.connect(C).subscribe(
                LAB.requests(A), lambda message: seen.append(message.data), limit_bytes=1 << 20
            )
            await there.client.list_adapters()
            await subscription.aclose()

    run(ask())
    assert seen
    assert not [one for one in seen if b"operators" in one or b"earer" in one]


def test_a_token_of_the_agent_that_is_not_enough(service: RunningService) -> None:
    """Where the agent's own token is refused, the words are about the agent, not the operator."""
    narrow = service.token(Scope.READ)

    async def ask(token: str) -> ProblemError:
        async with far(service, Allow.ADMIN, token=token) as there:
            with pytest.raises(ProblemError) as refused:
                await there.client.create_adapter("Far")
            return refused.value

    assert slug(run(ask(narrow))) == "token-too-narrow"
    assert "agent" in run(ask(narrow)).hint
    assert "agent" in run(ask("wrong")).detail


def test_a_service_that_is_gone(service: RunningService) -> None:
    """While the service does not run, the agent says so."""

    async def ask() -> ProblemError:
        async with far(service, url="http://127.0.0.1:9") as there:
            with pytest.raises(ProblemError) as refused:
                await there.client.list_adapters()
            return refused.value

    problem = run(ask())
    assert (problem.status, slug(problem)) == (502, "service-unreachable")


def test_long_answers(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that is longer than a message comes in parts, whole and in order."""
    monkeypatch.setattr(dialogue, "PART", 100)

    async def ask() -> None:
        async with far(service) as there:
            assert await there.client.list_adapters() == service.api.list_adapters()
            assert there.remote.kept_bytes == 0

    run(ask())


def test_parts_belong_to_their_asker(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of an answer is given to whoever has asked, and only once."""
    monkeypatch.setattr(dialogue, "PART", 300)

    async def ask() -> None:
        async with far(service) as there:
            first = await there.raw()
            assert first.parts > 1
            rest = json.dumps({"id": ID, "part": first.parts - 1}).encode()
            other = there.operator.server.connect(C)
            for bus, status in ((other, 404), (there.operator, 200), (there.operator, 404)):
                said = await bus.request(LAB.requests(A), rest, patience=5)
                assert Answer.model_validate_json(said).status == status
            await other.aclose()

    run(ask())


def test_answers_that_are_kept_have_a_bound(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers whose parts nobody fetches make room for later ones."""
    monkeypatch.setattr(dialogue, "PART", 300)
    monkeypatch.setattr(remote, "KEPT", 2000)

    async def ask() -> None:
        async with far(service) as there:
            for number in range(8):
                await there.raw(id=f"{number:032x}")
            assert 0 < there.remote.kept_bytes <= 2000
            assert there.remote.given_up > 0

    run(ask())


def test_an_answer_that_is_too_long(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer beyond the bound is a refusal, not a part of it."""
    monkeypatch.setattr(dialogue, "MAX_ANSWER", 100)

    async def ask() -> Answer:
        async with far(service) as there:
            return await there.raw()

    assert json.loads(run(ask()).body)["type"] == f"{dialogue.URN}answer-too-large"


@pytest.mark.parametrize(
    "members",
    [
        {"method": "TRACE"},
        {"path": "v1/adapters"},
        {"path": "/v1/adapters x"},
        {"path": "/" + "x" * 3000},
        {"query": "a\n"},
        {"id": "short"},
        {"body": "%"},
        {"content_type": "a\r\nb"},
    ],
)
def test_requests_that_cannot_be_read(service: RunningService, members: dict[str, str]) -> None:
    """What is not a request is answered with 400 and told, and the service is not asked."""

    async def ask() -> None:
        async with far(service) as there:
            answer = await there.raw(**members)
            assert (answer.status, answer.id) == (400, "")
            assert [kind for kind, *_ in there.told] == [EventKind.REQUEST_REFUSED]

    run(ask())


def test_requests_without_an_inbox(service: RunningService) -> None:
    """What asks for an answer elsewhere than in an inbox is counted, and gets none."""

    async def ask() -> None:
        async with far(service) as there:
            data = Request(id=ID, method="GET", path="/v1/adapters").encoded()
            assert await there.operator.publish(LAB.requests(A), data)
            await eventually(lambda: there.remote.forged)
            assert not there.told

    run(ask())


@pytest.mark.parametrize(
    "reply", ["", LAB.packets(B, A), "_INBOX_", f"_INBOX_{B}", f"_INBOX_{B}.>", "_INBOX_x.1"]
)
def test_what_is_no_inbox(reply: str) -> None:
    """Only a subject below the inbox of a user is one."""
    assert dialogue.asker_of(reply) is None


def test_requests_at_a_time(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """More requests at a time than the bound are refused at once."""
    monkeypatch.setattr(remote, "MAX_AT_ONCE", 1)

    async def ask() -> list[int]:
        async with far(service) as there:
            answers = await asyncio.gather(*(there.raw(id=f"{n:032x}") for n in range(3)))
            return sorted(one.status for one in answers)

    assert run(ask()) == [200, 503, 503]


def test_requests_that_take_long(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that the service does not answer in time is answered by the agent."""
    monkeypatch.setattr(remote, "PATIENCE", 0.05)

    async def ask() -> Answer:
        async with far(service, client=Stuck) as there:
            return await there.raw()

    assert run(ask()).status == 504


def test_a_host_that_answers_nothing(service: RunningService) -> None:
    """A host whose agent takes no requests is named, with what to do."""

    async def ask() -> None:
        async with far(service) as there:
            silent = there.operator.server.connect(C)
            await put_card(silent, "silent")
            transport = await AsyncReaching.find(there.operator, LAB, "silent")
            async with AsyncClient(transport.url, transport=transport) as client:
                with pytest.raises(NobodyAnswers, match=f"silent \\({C}\\)") as nobody:
                    await client.list_adapters()
            assert "--allow" in (nobody.value.hint or "")
            await silent.aclose()

    run(ask())


def test_a_forged_answer(service: RunningService) -> None:
    """An answer of somebody who has not got the request is not taken for one."""

    async def ask() -> None:
        server = prepared()
        liar, operator = server.connect(A), server.connect(B)
        await put_card(liar, "hub")
        forged = Answer(id="1" * 32, status=200, content_type="application/json", body=b"[]")

        sent: list[asyncio.Task[bool]] = []

        def answer(message: Message) -> None:
            publishing = liar.publish(message.reply, forged.encoded())
            sent.append(asyncio.get_running_loop().create_task(publishing))

        await liar.subscribe(LAB.requests(A), answer, limit_bytes=1 << 20)
        transport = await AsyncReaching.find(operator, LAB, "hub")
        async with AsyncClient(transport.url, transport=transport) as client:
            with pytest.raises(FleetError, match="does not answer as an agent"):
                await client.list_adapters()
        await liar.aclose()
        await operator.aclose()

    run(ask())


def test_a_key_without_the_right() -> None:
    """Whoever is not an operator is told so, and how to become one."""

    async def ask() -> None:
        server = prepared()
        host = server.connect(A)
        reader = server.connect(B, may_publish=("_INBOX_.>",))
        await put_card(host, "hub")
        transport = await AsyncReaching.find(reader, LAB, "hub")
        with pytest.raises(BusDenied) as denied:
            await transport.handle_async_request(httpx.Request("GET", f"{transport.url}/v1/driver"))
        assert "--role operator" in (denied.value.hint or "")

    run(ask())


def test_requests_that_are_too_long(service: RunningService) -> None:
    """A body beyond the bound is refused before it is sent."""

    async def ask() -> None:
        async with far(service, Allow.ADMIN) as there:
            with pytest.raises(FleetError, match="too much for the bus"):
                await there.client.session("any").inject([b"\x45" + bytes(60000)] * 10)
            assert not there.told

    run(ask())


def test_hosts_by_their_names() -> None:
    """A host is meant by its id, the beginning of it, or its name in any case."""

    async def ask() -> None:
        server = prepared()
        buses = [server.connect(one) for one in (A, B)]
        for bus, name in zip(buses, ("Hub", "other"), strict=True):
            await put_card(bus, name)
        for word in (A, "a", "hub", "HUB"):
            found = await AsyncReaching.find(buses[1], LAB, word)
            assert (found.host.id, found.host.name) == (A, "Hub")
        for word in ("", "nobody", "c"):
            with pytest.raises(HostMissing):
                await AsyncReaching.find(buses[1], LAB, word)

    run(ask())


def test_a_host_that_takes_the_name_of_another() -> None:
    """Where another host is called as one is, or as its id begins, none of them is chosen."""

    async def ask() -> None:
        server = prepared()
        buses = [server.connect(one) for one in (A, B, C)]
        for bus, name in zip(buses, ("hub", "HUB", "aaaa"), strict=True):
            await put_card(bus, name)
        for word in ("hub", "aaaa"):
            with pytest.raises(HostMissing, match="may mean 2 hosts"):
                await AsyncReaching.find(buses[1], LAB, word)
        assert (await AsyncReaching.find(buses[1], LAB, A)).host.id == A

    run(ask())


def test_documents_do_not_grow() -> None:
    """The longest message of an answer fits into the messages of a network."""
    answer = Answer(
        id=ID,
        status=200,
        content_type="x" * 128,
        location="y" * 2048,
        retry_after="z" * 2048,
        parts=2,
        part=1,
        body=bytes(dialogue.PART),
    )
    assert len(answer.encoded()) <= MAX_MESSAGE
    body = bytes(dialogue.MAX_BODY)
    longest = Request(id=ID, method="PUT", path="/" + "p" * 2047, query="q" * 8192, body=body)
    assert len(longest.encoded()) <= dialogue.MAX_REQUEST
    assert document_of(Request, longest.encoded(), dialogue.MAX_REQUEST) == longest
