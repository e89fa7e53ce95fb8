"""The client with an event loop against real services, and against programs that are none."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.certificates import make_certificate
from tests.conftest import Rig
from tests.running import TOKEN, RunningService, running
from tests.strangers import OTHERS, http, other_server, silent
from tests.waiting import until
from wintun_api.choices import Scope
from wintun_api.client import (
    AsyncClient,
    Client,
    ClientError,
    CredentialError,
    NotTheService,
    ProblemError,
    ServiceUnreachable,
)
from wintun_api.packet import build

T = TypeVar("T")
PACKET = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)


def use(service: RunningService, work: Callable[[AsyncClient], Awaitable[T]]) -> T:
    """Do something with a client of this service, in an event loop of its own."""

    async def main() -> T:
        async with AsyncClient(service.url, token=TOKEN) as client:
            return await work(client)

    return asyncio.run(main())


def adapters(service: RunningService) -> list[str]:
    """The names of all adapters."""
    return [one["name"] for one in service.http.get("/v1/adapters").json()]


def test_every_operation_on_a_service(rig: Rig) -> None:
    """Every operation is answered with its model, from the first adapter to the last token."""

    async def work(client: AsyncClient) -> None:
        assert (await client.get_health()).status == "ok"
        system = await client.get_system()
        driver = await client.get_driver()
        assert system.driver == driver.name
        adapter = await client.create_adapter("Lab", addresses=["10.9.0.1/24"], mtu=1400)
        assert adapter.addresses == ["10.9.0.1/24"]
        assert [one.guid for one in await client.list_adapters(pool="wintun-api")] == [adapter.guid]
        assert await client.list_adapters(pool="another") == []
        changed = await client.update_adapter(adapter.guid, mtu=1300, metric=None)
        assert (changed.mtu, changed.metric) == (1300, None)
        assert (await client.get_adapter(str(adapter.guid))).mtu == 1300
        assert (await client.restore_adapter(adapter.guid)).wanted is None
        assert (await client.open_adapter("Lab")).guid == adapter.guid
        session = await client.start_session(adapter.guid, capacity=0x20000)
        assert [one.id for one in await client.list_sessions()] == [session.id]
        assert (await client.inject_packets(session.id, PACKET)).accepted == 1
        report = await client.inject_packets(session.id, [PACKET, b"", PACKET])
        assert (report.accepted, report.rejected) == (2, {"too_short": 1})
        assert (await client.get_session(session.id)).counters.injected.packets == 3
        async with client.capture_packets(session.id, packets=1) as chunks:
            await client.inject_packets(session.id, PACKET)
            capture = b"".join([chunk async for chunk in chunks])
        assert PACKET in capture
        assert isinstance(await client.list_impairment_presets(), list)
        bad = await client.set_impairment(session.id, received={"loss": 0.5}, seed=7)
        assert (await client.get_impairment(session.id)).seed == bad.seed == 7
        assert (await client.remove_impairment(session.id)).session == session.id
        assert "wintun_api" in await client.get_metrics()
        assert (await client.end_session(session.id)).state == "ended"
        assert not (await client.delete_adapter(adapter.guid, force=False)).reboot_required
        another = await client.create_adapter("Another")
        await client.release_adapter(another.guid)
        if driver.capabilities.delete_pool:
            await client.delete_pool("wintun-api")
        if driver.capabilities.delete_driver:
            await client.delete_driver()
        token = await client.create_token([Scope.READ], label="test", expires_in=60)
        assert [one.id for one in await client.list_tokens()] == [token.id]
        await client.revoke_token(token.id)
        assert await client.list_tokens() == []
        assert await client.list_clients() == []
        await client.sign_out()

    use(rig.service, work)


def test_handles_undo_what_they_made(service: RunningService) -> None:
    """The adapter and the session are there inside, and gone behind the block."""

    async def work(client: AsyncClient) -> None:
        async with (
            client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter,
            adapter.session() as session,
        ):
            assert adapter.created
            assert session.started
            assert adapter.name == adapter.info.name == "Lab"
            assert (await adapter.refresh()).session == session.id
            assert (await adapter.update(mtu=1300)).mtu == adapter.info.mtu == 1300
            assert (await session.inject(PACKET)).accepted == 1
            assert (await session.refresh()).counters.injected.packets == 1
        assert session.info.state == "ended"
        assert await client.list_adapters() == []
        assert await client.list_sessions() == []
        # The same handle creates it again.
        async with adapter:
            assert adapters(service) == ["Lab"]
        assert adapters(service) == []

    use(service, work)


def test_handles_leave_what_was_there(service: RunningService) -> None:
    """An adapter named by its GUID or its model, and a session that was joined, stay."""
    made = service.adapter(name="There")
    running_session = service.session(made)["id"]

    async def work(client: AsyncClient) -> None:
        model = await client.get_adapter(made["guid"])
        for which in (made["guid"], model.guid, model):
            async with (
                client.adapter(which) as adapter,
                adapter.session(if_running="join") as session,
                client.session(running_session) as same,
            ):
                assert not adapter.created
                assert not session.started
                assert session.id == same.id == running_session
            with pytest.raises(ProblemError) as caught:
                async with adapter.session():
                    pytest.fail("a second session was started")
            assert caught.value.kind == "session-exists"
        assert [one.id for one in await client.list_sessions()] == [running_session]
        with pytest.raises(ValueError, match="mtu can only be given for a new adapter"):
            client.adapter(made["guid"], mtu=1400)

    use(service, work)
    assert adapters(service) == ["There"]


def test_what_was_deleted_or_released_is_not_undone(service: RunningService) -> None:
    """A handle that lets go of its adapter, or whose adapter others delete, ends in peace."""

    async def work(client: AsyncClient) -> None:
        async with client.adapter("A") as first, first.session() as session:
            await session.end()
            await first.delete()
        async with client.adapter("B") as second, second.session():
            service.http.delete(f"/v1/adapters/{second.guid}")
        async with client.adapter("C") as third:
            await third.release()
        assert [one.name for one in await client.list_adapters()] == ["C"]

    use(service, work)


class Mistake(Exception):
    """What a program raises."""


def test_an_exception_undoes_too(service: RunningService) -> None:
    """The exception of the block comes out as it is, and nothing is left."""

    async def work(client: AsyncClient) -> None:
        async with client.adapter("Lab") as adapter, adapter.session():
            raise Mistake

    with pytest.raises(Mistake):
        use(service, work)
    assert adapters(service) == []


def test_a_failing_clean_up_does_not_hide_the_first_error(tmp_path: Path) -> None:
    """It becomes a note of the first exception; alone, it is raised."""

    async def work(client: AsyncClient, *errors: Exception) -> None:
        async with client.adapter("Lab"):
            await asyncio.to_thread(service.stop)
            for error in errors:
                raise error

    with running(tmp_path / "1") as service, pytest.raises(Mistake) as caught:
        use(service, lambda client: work(client, Mistake()))
    assert "no longer answers" in caught.value.__notes__[0]
    with running(tmp_path / "2") as service, pytest.raises(ServiceUnreachable):
        use(service, work)


@pytest.mark.parametrize("call", ["WintunCreateAdapter", "WintunStartSession"])
@pytest.mark.parametrize("by", ["cancel", "timeout"])
def test_a_cancelled_beginning_leaves_nothing(rig: Rig, call: str, by: str) -> None:
    """What the service still creates when its client gives up is undone once it is there."""
    service, gate = rig.service, rig.library.hold_next(call)

    async def enter(client: AsyncClient) -> None:
        async with client.adapter("Lab") as adapter, adapter.session():
            pytest.fail("it was created at once")

    async def work(client: AsyncClient) -> None:
        await client.reach()
        task = asyncio.ensure_future(enter(client))
        try:
            await asyncio.to_thread(until, lambda: service.http.get("/v1/driver").json()["calls"])
            if by == "cancel":
                task.cancel()
                await asyncio.sleep(0)  # the cancellation arrives while the driver works
                assert not task.done()
            else:
                asyncio.get_running_loop().call_soon(gate.set)
                async with asyncio.timeout(0):
                    await task
        finally:
            gate.set()
        await task

    with pytest.raises(asyncio.CancelledError if by == "cancel" else TimeoutError):
        use(service, work)
    assert adapters(service) == []
    assert service.http.get("/v1/sessions").json() == []


def test_a_cancelled_end_is_carried_out(rig: Rig) -> None:
    """A cancellation while a handle cleans up waits until that is done."""
    service = rig.service

    pools = service.http.get("/v1/driver").json()["generation"] == "pool"

    async def work(client: AsyncClient) -> None:
        async def hold() -> None:
            async with client.adapter("Lab"):
                pass

        gate = rig.library.hold_next("WintunDeleteAdapter" if pools else "WintunCloseAdapter")
        task = asyncio.ensure_future(hold())
        await asyncio.to_thread(until, lambda: service.http.get("/v1/driver").json()["calls"])
        task.cancel()
        await asyncio.sleep(0)
        gate.set()
        await task

    with pytest.raises(asyncio.CancelledError):
        use(service, work)
    assert adapters(service) == []


def test_a_short_time_limit_does_not_lose_what_is_created(rig: Rig) -> None:
    """A handle waits for the answer that names what was created, so that it can undo it."""
    gate = rig.library.hold_next("WintunCreateAdapter")

    async def main() -> None:
        async with AsyncClient(rig.service.url, token=TOKEN, timeout=0.05) as client:
            await client.reach()
            asyncio.get_running_loop().call_later(0.2, gate.set)
            async with client.adapter("Lab"):
                assert adapters(rig.service) == ["Lab"]

    try:
        asyncio.run(main())
    finally:
        gate.set()
    assert adapters(rig.service) == []


def test_an_answer_that_trickles_ends() -> None:
    """A body that comes a byte at a time is not read for longer than the time limit."""
    asked: list[bytes] = []

    def behave(connection: Any) -> None:
        asked.append(connection.recv(65536))
        if len(asked) == 1:
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: close\r\n\r\n"
            )
            connection.sendall(b'{"status": "ok"}')
            connection.close()
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            threading.Event().wait(0.02)

    async def main(port: int) -> None:
        async with AsyncClient(f"http://127.0.0.1:{port}", token=TOKEN, timeout=0.5) as client:
            await client.get_system()

    with other_server(behave) as port, pytest.raises(ServiceUnreachable) as caught:
        asyncio.run(main(port))
    assert caught.value.kind == "late"


def test_requests_share_a_client(service: RunningService) -> None:
    """Many tasks use one client at once; health is asked once."""

    async def work(client: AsyncClient) -> None:
        found = await asyncio.gather(*(client.get_system() for _ in range(20)))
        assert len({one.started_at for one in found}) == 1

    use(service, work)


def test_a_connection_that_died_is_not_used(tmp_path: Path) -> None:
    """After the service was started again, also a request that changes something works."""

    async def main() -> None:
        with running(tmp_path) as first:
            client = AsyncClient(first.url, token=TOKEN)
            await client.get_system()
        with running(tmp_path, port=first.port):
            await client.create_adapter("Lab")
            assert [one.name for one in await client.list_adapters()] == ["Lab"]
            await client.aclose()

    asyncio.run(main())


def test_a_service_that_goes(service: RunningService) -> None:
    """A service that no longer answers is told as that, by every operation."""

    async def work(client: AsyncClient) -> None:
        await client.get_system()
        await asyncio.to_thread(service.stop)
        for wait in (client.list_adapters(), client.create_adapter("x")):
            with pytest.raises(ServiceUnreachable) as caught:
                await wait
            assert caught.value.kind == "refused"
            assert caught.value.url == service.url

    use(service, work)


def test_a_service_that_is_killed_under_a_capture(tmp_path: Path) -> None:
    """A capture whose connection breaks raises; it does not end like one that is whole."""
    arguments = ["serve", "--driver", "emulated", "--port", "0", "--data-dir", str(tmp_path)]
    command = [sys.executable, "-m", "wintun_api", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr)
        url = next(word for line in lines for word in line.split() if word.startswith("http://"))

        async def main() -> None:
            async with (
                AsyncClient(url.rstrip("."), token_file=tmp_path / "token") as client,
                client.adapter("Lab") as adapter,
                adapter.session() as session,
                session.capture() as chunks,
            ):
                await anext(chunks)
                process.kill()
                async for _ in chunks:
                    pass

        with pytest.raises(ServiceUnreachable) as caught:
            asyncio.run(main())
    assert caught.value.kind == "broken"
    assert "Cleaning up failed as well" in caught.value.__notes__[0]
    assert process.returncode != 0


def failing(url: str, work: Callable[[AsyncClient], Awaitable[object]]) -> ClientError:
    """Return the error of something that cannot work."""

    async def main() -> None:
        async with AsyncClient(url, token=TOKEN, timeout=5) as client:
            await work(client)

    with pytest.raises(ClientError) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("kind", OTHERS)
def test_another_program(kind: str) -> None:
    """What answers instead of the service is told in one sentence, and gets no token."""
    behave, said, _ = OTHERS[kind]
    with other_server(behave) as port:
        error = failing(f"http://127.0.0.1:{port}", AsyncClient.list_adapters)
    assert said in error.detail
    assert isinstance(error, ServiceUnreachable)
    assert isinstance(error, NotTheService) is (error.kind != "silent")
    assert "--url" not in str(error)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_answer_that_cannot_be_decoded(kind: type[Client | AsyncClient]) -> None:
    """An answer that is not compressed as it says comes from another program, too."""

    def behave(connection: Any) -> None:
        connection.recv(65536)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n"
        connection.sendall(head + b"abcd")

    async def ask(url: str) -> object:
        if issubclass(kind, AsyncClient):
            async with kind(url, token=TOKEN) as client:
                return await client.get_system()
        with kind(url, token=TOKEN) as client:
            return await asyncio.to_thread(client.get_system)

    with other_server(behave) as port, pytest.raises(NotTheService, match="Another program"):
        asyncio.run(ask(f"http://127.0.0.1:{port}"))


def test_another_program_gets_no_token() -> None:
    """Neither the first request nor any later one shows the token to another program."""
    seen: list[bytes] = []

    def behave(connection: Any) -> None:
        seen.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    async def twice(client: AsyncClient) -> None:
        for wait in (client.list_adapters(), client.list_adapters(), client.create_adapter("x")):
            with pytest.raises(NotTheService):
                await wait
        await client.get_system()

    with other_server(behave) as port:
        failing(f"http://127.0.0.1:{port}", twice)
    assert len(seen) == 4
    assert TOKEN.encode() not in b"".join(seen)


def test_a_program_that_only_looks_like_the_service() -> None:
    """A redirect of a later request is not followed, so the token stays here."""
    asked: list[bytes] = []
    moved = "Location: http://127.0.0.1:9/elsewhere"

    def behave(connection: Any) -> None:
        asked.append(connection.recv(65536))
        head, body = ("200 OK", b'{"status": "ok"}') if len(asked) == 1 else ("307 Moved", b"")
        lines = [f"HTTP/1.1 {head}", f"Content-Length: {len(body)}", moved, "Connection: close"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        connection.close()

    with other_server(behave) as port:
        error = failing(f"http://127.0.0.1:{port}", AsyncClient.list_adapters)
    assert isinstance(error, NotTheService)
    assert error.kind == "redirect"
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 70, NotTheService),
        (b"[]", ClientError),
        (b'{"version": 7}', ClientError),
    ],
    ids=["page", "list", "object"],
)
def test_a_program_that_lies_later(body: bytes, kind: type[ClientError]) -> None:
    """An answer that the service cannot have sent is a `ClientError`, whatever it holds."""
    answers = [b'{"status": "ok"}', body]

    def behave(connection: Any) -> None:
        http("200 OK", answers.pop(0))(connection)

    with other_server(behave) as port:
        error = failing(f"http://127.0.0.1:{port}", AsyncClient.get_system)
    assert isinstance(error, kind)


def test_a_body_that_cannot_be_decoded() -> None:
    """Bytes that are not the gzip they claim to be are told in a sentence."""
    answers = [
        http("200 OK", b'{"status": "ok"}'),
        http("200 OK", b"no gzip", "Content-Encoding: gzip"),
    ]

    def behave(connection: Any) -> None:
        answers.pop(0)(connection)

    with other_server(behave) as port:
        error = failing(f"http://127.0.0.1:{port}", AsyncClient.get_system)
    assert "cannot be decoded" in error.detail


def test_an_answer_that_does_not_come_in_time() -> None:
    """The time limit of the client is told as that."""
    answers = [http("200 OK", b'{"status": "ok"}'), silent]

    def behave(connection: Any) -> None:
        answers.pop(0)(connection)

    async def main(port: int) -> None:
        async with AsyncClient(f"http://127.0.0.1:{port}", token=TOKEN, timeout=0.2) as client:
            await client.get_system()

    with other_server(behave) as port, pytest.raises(ServiceUnreachable) as caught:
        asyncio.run(main(port))
    assert caught.value.kind == "late"


def test_nothing_there_comes_before_a_missing_token(tmp_path: Path) -> None:
    """Where no service runs, that is what is told, not that there is no token file."""
    with other_server(silent) as port:
        pass

    async def main(url: str) -> None:
        async with AsyncClient(url, token_file=tmp_path / "none") as client:
            await client.get_system()

    with pytest.raises(ServiceUnreachable) as caught:
        asyncio.run(main(f"http://127.0.0.1:{port}"))
    assert caught.value.kind == "refused"
    with running(tmp_path) as service, pytest.raises(CredentialError):
        asyncio.run(main(service.url))


def test_refusals(service: RunningService) -> None:
    """What the service refuses has its kind, its status and its fields."""

    async def refused(wait: Coroutine[Any, Any, object]) -> ProblemError:
        with pytest.raises(ProblemError) as caught:
            await wait
        return caught.value

    async def work(client: AsyncClient) -> None:
        await client.create_adapter("Lab")
        error = await refused(client.create_adapter("Lab"))
        assert (error.status, error.kind) == (409, "adapter-exists")
        error = await refused(client.create_adapter("x", addresses=["10.0.0.1"]))
        assert (error.status, error.errors[0][0]) == (422, "addresses.0")
        error = await refused(client.get_session("../../noauth/health"))
        assert (error.status, error.kind) == (404, "not-found")
        error = await refused(client.inject_packets("x", b""))
        assert error.status in (404, 422)

    use(service, work)


def test_too_many_guesses_say_when_to_try_again(tmp_path: Path) -> None:
    """A 429 says how many seconds to wait."""

    async def main(url: str) -> ProblemError:
        async with AsyncClient(url, token="wrong") as client:
            for _ in range(3):
                with pytest.raises(ProblemError) as caught:
                    await client.get_system()
        return caught.value

    with running(tmp_path, guesses_per_minute=1) as service:
        error = asyncio.run(main(service.url))
    assert error.status == 429
    assert error.retry_after is not None
    assert 0 < error.retry_after <= 60


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate is trusted by a context, by SSL_CERT_FILE or by the configuration file."""
    certificate, key = make_certificate(tmp_path / "pair", "wintun.example.com")

    async def ask(client: AsyncClient) -> None:
        async with client:
            assert (await client.get_system()).driver == "emulated"
            async with (
                client.adapter("Lab") as adapter,
                adapter.session() as session,
                session.capture(direction="injected", packets=1) as chunks,
            ):
                await session.inject(PACKET)
                assert [chunk async for chunk in chunks]

    with running(tmp_path, tls_certificate=certificate, tls_key=key) as service:
        with pytest.raises(ServiceUnreachable) as caught:
            asyncio.run(ask(AsyncClient(service.url, token=TOKEN)))
        assert caught.value.kind == "certificate"
        assert "SSL_CERT_FILE" in caught.value.hint
        context = ssl.create_default_context(cafile=certificate)
        asyncio.run(ask(AsyncClient(service.url, token=TOKEN, tls=context)))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        asyncio.run(ask(AsyncClient(service.url, token=TOKEN)))
        monkeypatch.delenv("SSL_CERT_FILE")
        config = tmp_path / "settings.toml"
        config.write_text(
            f"port = {service.port}\ntls_certificate = '{certificate}'\ntls_key = '{key}'\n"
            f"token_file = '{tmp_path / 'token'}'\n"
        )
        config.chmod(0o600)
        (tmp_path / "token").write_text(TOKEN)
        asyncio.run(ask(AsyncClient.from_config(config)))


def test_a_proxy_of_the_environment_is_not_used(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy has no way to this machine's loopback, and would see the token."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert use(service, AsyncClient.list_adapters) == []


def test_a_closed_client_says_so(service: RunningService) -> None:
    """A request after the end is refused in words, and closing twice is no error."""

    async def main() -> None:
        client = AsyncClient(service.url, token=TOKEN)
        await client.get_system()
        await client.aclose()
        await client.aclose()
        with pytest.raises(ClientError, match="is closed"):
            await client.get_system()

    asyncio.run(main())


def test_handles_that_were_not_entered_say_so(service: RunningService) -> None:
    """What is not known before a handle is entered is refused in words."""

    async def work(client: AsyncClient) -> None:
        adapter = client.adapter("Lab")
        assert adapter.name == "Lab"
        for read in (lambda: adapter.guid, lambda: adapter.info, lambda: adapter.session().id):
            with pytest.raises(ClientError, match="not"):
                read()

    use(service, work)
