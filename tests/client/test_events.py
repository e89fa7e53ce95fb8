"""The event stream: each event once and in order, over broken connections and restarts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.client.streams import another_program, run, service_process
from tests.running import TOKEN, RunningService, running
from wintun_api.choices import EventType
from wintun_api.client import AsyncClient, Backoff, Client
from wintun_api.client.events import Cursor, Splitter, UnknownEvent, data_of
from wintun_api.client.problems import ClientError, Disconnected, ProblemError, ServiceUnreachable
from wintun_api.schemas.adapters import Adapter
from wintun_api.schemas.events import DATA, Event, Missed, Snapshot

FAST = Backoff(first=0.01, last=0.05)


def client_of(service: RunningService, token: str = TOKEN) -> AsyncClient:
    """Return a client of a service."""
    return AsyncClient(service.url, token=token)


def test_a_snapshot_and_then_what_happens(service: RunningService) -> None:
    """Without an id the stream begins with what there is; events have the models of schemas."""
    service.adapter(name="Before")

    async def work() -> None:
        async with client_of(service) as client, client.events() as stream:
            first = await anext(stream)
            assert isinstance(first, Snapshot)
            assert [one.name for one in first.adapters] == ["Before"]
            service.adapter(name="After")
            async for event in stream:
                if isinstance(event, Event) and event.type is EventType.ADAPTER_CREATED:
                    break
            assert isinstance(event, Event)
            adapter = data_of(event)
            assert isinstance(adapter, Adapter)
            assert adapter.name == "After"
            assert stream.last_id == event.id > first.id

    run(work())


def test_resuming_after_an_event(service: RunningService) -> None:
    """With the id of the last event the stream continues behind it, without a snapshot."""
    service.adapter(name="First")
    service.adapter(name="Second")

    async def work() -> None:
        async with client_of(service) as client, client.events(since=0) as stream:
            ids = [(await anext(stream)).id for _ in range(3)]  # type: ignore[union-attr]
            assert ids == [1, 2, 3]

    run(work())


def test_an_id_that_is_not_known(service: RunningService) -> None:
    """Where events are missing, a snapshot stands for them."""

    async def work() -> None:
        async with client_of(service) as client, client.events(since=999_999) as stream:
            assert isinstance(await anext(stream), Snapshot)

    run(work())


def test_cancelling_a_read_loses_nothing(service: RunningService) -> None:
    """A read that is cut short is continued by the next one after the last event."""

    async def work() -> None:
        async with client_of(service) as client, client.events(since=0) as stream:
            service.adapter(name="Adapter")
            found: list[int] = []
            while len(found) < 4:
                try:
                    async with asyncio.timeout(0.2):
                        found.append((await anext(stream)).id)  # type: ignore[union-attr]
                except TimeoutError:
                    service.http.post("/v1/tokens", json={"scopes": ["read"]})
            assert found == [1, 2, 3, 4]

    run(work())


def test_a_service_that_starts_again(tmp_path: Path) -> None:
    """The ids of another run name other events, so the stream begins again with a snapshot."""
    with service_process(tmp_path) as service:

        async def work() -> None:
            broken: list[ClientError | None] = []
            async with AsyncClient(service.url, token=service.token) as client:
                from wintun_api.client import AsyncEventStream

                stream = AsyncEventStream(client, reconnect=FAST, on_break=broken.append)
                async with stream:
                    assert isinstance(await anext(stream), Snapshot)
                    await asyncio.to_thread(service.kill)
                    reading = asyncio.ensure_future(anext(stream))
                    await asyncio.to_thread(service.start)
                    assert isinstance(await reading, Snapshot)
            assert len(broken) == 1

        run(work())


def test_the_service_stops(tmp_path: Path) -> None:
    """Without reconnect the stream ends with the service; with it, attempts have a limit."""

    async def work(service: RunningService) -> None:
        async with client_of(service) as client:
            once = client.events(reconnect=False)
            tried = client.events(reconnect=Backoff(0.01, 0.01, attempts=2))
            await anext(once)
            await anext(tried)
            await asyncio.to_thread(service.stop)
            assert [one async for one in once if not isinstance(one, Event)] == []
            with pytest.raises(ServiceUnreachable):
                async for _ in tried:
                    pass
            await once.aclose()
            await tried.aclose()

    with running(tmp_path) as service:
        run(work(service))


def test_the_token_is_revoked(service: RunningService) -> None:
    """A stream ends with its token, and connecting again is refused."""
    made = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()

    async def work() -> None:
        async with client_of(service, made["token"]) as client:
            stream = client.events(reconnect=FAST)
            await anext(stream)
            service.http.delete(f"/v1/tokens/{made['id']}")
            with pytest.raises(ProblemError) as caught:
                async for _ in stream:
                    pass
            assert caught.value.kind == "unauthorized"

    run(work())


def test_an_administrator_disconnects_a_stream(service: RunningService) -> None:
    """It does not connect again, though it may, and says who ended it."""

    async def work() -> None:
        async with AsyncClient(service.url, token=TOKEN) as client:
            stream = client.events(reconnect=FAST)
            assert isinstance(await anext(stream), Snapshot)
            (one,) = await client.list_clients()
            await client.disconnect_client(one.id)
            with pytest.raises(Disconnected, match="with the admin token"):
                while True:
                    await anext(stream)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)

    run(work())


def test_nothing_at_the_address() -> None:
    """Attempts have a limit where one is given."""

    async def work() -> None:
        async with AsyncClient("http://127.0.0.1:1", token="secret") as client:
            with pytest.raises(ServiceUnreachable):
                await anext(client.events(reconnect=False))

    run(work())


@pytest.mark.parametrize("where", ["open", "read"])
def test_a_cancelled_program_leaves_nothing(service: RunningService, where: str) -> None:
    """Cancelled while it connects or waits, the stream leaves no task."""

    async def work() -> None:
        async with client_of(service) as client:

            async def program() -> None:
                async with client.events() as stream:
                    if where == "read":
                        await anext(stream)
                    entered.set()
                    async for _ in stream:
                        pass

            entered = asyncio.Event()
            task = asyncio.ensure_future(program())
            await entered.wait()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(work())


def test_an_event_of_a_later_version() -> None:
    """An event of an unknown type is a value with everything that was sent."""
    cursor = Cursor(None)
    message = {"id": 7, "time": "2026-11-28T20:00:00Z", "type": "adapter.renamed", "data": {"a": 1}}
    (event,) = cursor.take(f"id: 7\nevent: x\ndata: {json.dumps(message)}\n\n".encode())
    assert isinstance(event, UnknownEvent)
    assert (event.id, event.type, event.data) == (7, "adapter.renamed", {"a": 1})
    assert event.time.tzinfo is not None
    assert cursor.last == 7


def test_missed_events_are_a_value() -> None:
    """What a slow program did not get is counted; it does not move the place in the stream."""
    cursor = Cursor(5)
    assert cursor.take(b'event: missed\ndata: {"type": "missed", "count": 3}\n\n') == [
        Missed(count=3)
    ]
    assert cursor.last == 5


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_pieces_of_any_size(size: int) -> None:
    """Messages are whole wherever the network cuts them, and names may hold any character."""
    messages = [{"type": "x", "id": n, "data": "a\u2028b\x85" * n} for n in range(5)]
    text = b": still here\n\n" + b"".join(
        b"id: 1\ndata: " + json.dumps(one, ensure_ascii=False).encode() + b"\n\n"
        for one in messages
    )
    splitter = Splitter()
    found = [
        message
        for start in range(0, len(text), size)
        for message in splitter.split(text[start : start + size])
    ]
    assert found == messages


@pytest.mark.parametrize(
    "text",
    ["data: {", "data: []", 'data: {"type":"snapshot"}', 'data: {"type":"y","id":1}', "data: 1"],
)
def test_what_is_not_an_event(text: str) -> None:
    """Something else than messages of the service is an error with a hint, never a traceback."""
    with pytest.raises(ClientError) as caught:
        Cursor(None).take(f"{text}\n\n".encode())
    assert caught.value.hint


def test_another_program_at_the_address() -> None:
    """What does not speak HTTP is said not to be the service."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")

    async def work() -> None:
        async with another_program(serve) as url, AsyncClient(url, token="secret") as client:
            with pytest.raises(ServiceUnreachable):
                await anext(client.events(reconnect=False))

    run(work())


def test_every_type_has_a_model() -> None:
    """`data_of` knows the data of every event."""
    assert set(DATA) == set(EventType)


# Without an event loop


def test_the_same_without_await(service: RunningService) -> None:
    """The twin gives the same values in the same order, and resumes."""
    service.adapter(name="First")
    with Client(service.url, token=TOKEN) as client, client.events() as stream:
        first = next(stream)
        assert isinstance(first, Snapshot)
        service.adapter(name="Second")
        second = next(stream)
        assert isinstance(second, Event | Missed)
        last = stream.last_id
        with client.events(since=0) as again:
            ids = [next(again).id for _ in range(last or 0)]  # type: ignore[union-attr]
        assert ids == list(range(1, (last or 0) + 1))
    with pytest.raises(StopIteration):
        next(stream)


def test_the_twin_comes_back(tmp_path: Path) -> None:
    """A restart of the service is a snapshot; the error of the connection was told once."""
    from wintun_api.client import EventStream

    with service_process(tmp_path) as service:
        broken: list[Any] = []

        def start_again(error: ClientError | None) -> None:
            broken.append(error)
            service.start()

        with (
            Client(service.url, token=service.token) as client,
            EventStream(client, reconnect=FAST, on_break=start_again) as stream,
        ):
            assert isinstance(next(stream), Snapshot)
            service.kill()
            assert isinstance(next(stream), Snapshot)
        assert len(broken) == 1


def test_the_end_of_the_twin(tmp_path: Path) -> None:
    """Without reconnect it ends with its service."""
    with running(tmp_path) as service, Client(service.url, token=TOKEN) as client:
        stream = client.events(reconnect=False)
        next(stream)
        service.stop()
        assert [one for one in stream if not isinstance(one, Event)] == []


def test_a_stream_that_an_administrator_ends() -> None:
    """What came before is there; then the reason, which is no event."""
    reason = "An administrator disconnected this client with the admin token."
    splitter = Splitter()
    found = splitter.split(f'data: {{"id":1}}\n\n: disconnected {reason}\n\n'.encode())
    assert next(found) == {"id": 1}
    with pytest.raises(Disconnected) as caught:
        next(found)
    assert (caught.value.code, caught.value.reason) == (4002, reason)
