"""The packet stream of an adapter: it starts a session or joins it, and ends what it holds."""

from __future__ import annotations

import asyncio

import pytest

from tests.client.streams import Cut, run
from tests.conftest import Rig
from tests.running import TOKEN, RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.choices import Ends
from wintun_api.client import Accounts, AsyncClient, AsyncPacketStream, Backoff, Client, Loss


def test_starting_and_joining(service: RunningService) -> None:
    """The first stream starts the session, the second one joins it, and it stays."""

    async def work() -> None:
        async with (
            AsyncClient(service.url, token=TOKEN) as client,
            client.adapter("OfficeNet", addresses=["10.6.7.7/24"]) as adapter,
        ):
            async with adapter.packets(capacity=0x20000) as first, adapter.packets() as second:
                assert (first.hello.started, second.hello.started) == (True, False)
                assert first.hello.session == second.hello.session
                assert await second.send([ECHO]) == Accounts(accepted=1)
            session = await client.get_session(first.hello.session)
            assert (session.capacity, session.state) == (0x20000, "running")

    run(work())


@pytest.mark.parametrize("ends", ["session", "adapter"])
def test_what_is_held_ends_with_the_stream(service: RunningService, ends: str) -> None:
    """With a grace period of nothing, the session or the adapter ends with its last stream."""
    guid = service.adapter(name="OfficeNet")["guid"]
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter(guid) as adapter,
        adapter.packets(ends=ends, grace=0) as stream,
    ):
        assert stream.hello.ends == Ends(ends)
    path = f"/v1/adapters/{guid}" if ends == "adapter" else f"/v1/sessions/{stream.hello.session}"

    def over() -> bool:
        answer = service.http.get(path)
        return answer.status_code == 404 or answer.json().get("state") == "ended"

    until(over)


def test_coming_back_to_another_session(rig: Rig) -> None:
    """A session that ended meanwhile is started again; how much was missed cannot be known."""
    service = rig.service
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])

    async def work() -> None:
        async with (
            Cut(service) as cut,
            AsyncPacketStream(
                cut.location, f"/v1/adapters/{adapter['guid']}/packets",
                {"ends": "session", "grace": 30}, reconnect=Backoff(0.01, 0.05),
            ) as stream,
        ):  # fmt: skip
            first = stream.hello.session
            cut.refusing = True
            cut.cut()
            answer = await asyncio.to_thread(service.http.delete, f"/v1/sessions/{first}")
            assert answer.is_success
            cut.refusing = False
            assert await anext(stream) == Loss("reconnect", "received", None, None, None)
            assert stream.hello.session != first
            assert stream.hello.started
            assert await stream.send([ECHO]) == Accounts(accepted=1)

    run(work())
