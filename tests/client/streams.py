"""What tests of streams share: how a client reaches a running service, and one that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx

from tests.running import NO_TLS, TOKEN, RunningService
from tests.waiting import until
from wintun_api.client.location import Location
from wintun_api.client.packets import AsyncPacketStream

T = TypeVar("T")

PATIENCE = 60.0


def reach(service: RunningService, token: str = TOKEN) -> Callable[[], Awaitable[Location]]:
    """Return what gives a stream the service and a token."""

    async def located() -> Location:
        return Location(service.url, token, "the test", service.tls)

    return located


def packets_of(
    service: RunningService, session: str, *, token: str = TOKEN, **options: Any
) -> AsyncPacketStream:
    """Return the packet stream of a session; options that the stream does not take are a query."""
    own = ("protocol", "reconnect", "keepalive", "max_queue", "open_timeout", "close_timeout")
    given = {name: options.pop(name) for name in own if name in options}
    path = f"/v1/sessions/{session}/packets"
    return AsyncPacketStream(reach(service, token), path, options, **given)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine within a time limit; it must leave no task behind."""

    async def watched() -> T:
        async with asyncio.timeout(PATIENCE):
            result = await work
        left = asyncio.all_tasks() - {asyncio.current_task()}
        # httpx leaves generators to the garbage collector, and the event loop closes them in tasks.
        closing = {task for task in left if "async_generator" in repr(task.get_coro())}
        await asyncio.gather(*closing)
        left -= closing
        assert not left, left
        return result

    return asyncio.run(watched())


@asynccontextmanager
async def another_program(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Give the address of a program that is not the service."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"
    finally:
        server.close()
        await asyncio.gather(*tasks)


class Cut:
    """A connection to a service that the test can cut: a relay on another port."""

    def __init__(self, service: RunningService) -> None:
        self._target = service.port
        self._writers: list[asyncio.StreamWriter] = []
        self.connections = 0
        self.refusing = False
        self.deaf = False
        self.swallowed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        # On Windows an accept that was cancelled ends in the next turns of the loop.
        own = {asyncio.current_task()}
        accepting = {task for task in asyncio.all_tasks() - own if "accept" in repr(task)}
        await asyncio.gather(*accepting, return_exceptions=True)

    async def location(self) -> Location:
        """Return where the relay is."""
        return Location(self.url, TOKEN, "the test")

    def cut(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        self.connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, back]

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await source.read(65536):
                    if self.deaf:
                        self.swallowed.set()
                        continue
                    sink.write(data)
                    await sink.drain()
            sink.transport.abort()

        await asyncio.gather(copy(reader, back), copy(there, writer))


class ServiceProcess:
    """A service in a process of its own, which can be killed and started again."""

    def __init__(self, directory: Path, *options: str, port: int = 0) -> None:
        self._directory, self._options = directory, options
        self.port = port
        self.start()

    def start(self) -> None:
        """Start it; it takes the same port again."""
        log = self._directory / "service.log"
        with log.open("a") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "wintun_api", "serve", "--port", str(self.port),
                 "--data-dir", str(self._directory / "data"), *self._options],
                stdout=file, stderr=file, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            until(self._answers)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        self.token = (self._directory / "data" / "token").read_text().strip()
        self.http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            verify=NO_TLS,
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def location(self) -> Location:
        """Say where it is, and with which token."""
        return Location(self.url, self.token, "the test")

    def kill(self) -> None:
        """End it without notice."""
        self.process.kill()
        self.process.wait()
        self.http.close()

    def stop(self) -> None:
        """End it in order."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        self.http.close()

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self._directory / "service.log").read_text()
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/noauth/health", timeout=5, verify=NO_TLS).is_success
        return False


@contextmanager
def service_process(directory: Path, *options: str) -> Iterator[ServiceProcess]:
    """Run a service in a process of its own, on the emulated driver unless told otherwise."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = ServiceProcess(directory, *(options or ("--driver", "emulated")), port=port)
    try:
        yield service
    finally:
        service.stop()
