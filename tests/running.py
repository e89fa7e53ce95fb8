"""A real service on a free port in a thread, and the clients that talk to it."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from wintun_api.api.app import Service
from wintun_api.api.server import Server
from wintun_api.api.tokens import TokenStore
from wintun_api.choices import Scope
from wintun_api.client import Client, PacketStream, operations
from wintun_api.client.call import Call
from wintun_api.drivers.base import Driver
from wintun_api.settings import Settings

TOKEN = "the-admin-token"
# To read everybody's certificates costs each client 20 ms, under Wine 250.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def any_certificate() -> ssl.SSLContext:
    """Return a context that believes every server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class RunningService:
    """One service; `http` is signed in as admin."""

    tls: ssl.SSLContext | None = None
    secret = TOKEN

    def __init__(
        self,
        settings: Settings,
        driver: Driver | None = None,
        *,
        plain: bool = False,
        new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        self.settings = settings
        self._new_loop = new_loop
        self.tokens = TokenStore(TOKEN, settings.data_dir / "tokens.json")
        self.service = Service(settings, self.tokens, driver)
        self.server = Server(self.service)
        if plain:  # any server's WebSocket protocol, without our extension
            self.server.config.ws = "websockets-sansio"
        self.failure: BaseException | None = None
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, name="service", daemon=True)
        self.thread.start()
        assert self._ready.wait(30), self.failure
        assert self.failure is None, self.failure
        self.port = self.server.port
        if settings.tls_certificate is not None:
            self.tls = any_certificate()
        self.url = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.port}"
        self.http = self.client(TOKEN)

    def _run(self) -> None:
        async def serve() -> None:
            config = self.server.config
            config.load()
            self.server.lifespan = config.lifespan_class(config)
            await self.server.startup()
            await self.server.on_tick(0)
            self.loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._ready.set()
            await self._end.wait()  # uvicorn's own loop would look ten times a second
            await self.server.shutdown()

        try:
            with asyncio.Runner(loop_factory=self._new_loop) as runner:
                runner.run(serve())
        except BaseException as failure:
            self.failure = failure
        finally:
            self._ready.set()

    def client(self, token: str | None, **headers: str) -> httpx.Client:
        """Return a client of its own, with this token."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=30, verify=self.tls or NO_TLS
        )

    def token(self, *scopes: Scope) -> str:
        """Return a new token with these scopes."""
        return self.api.create_token(scopes).token

    @contextmanager
    def browser(self, token: str = TOKEN) -> Iterator[httpx.Client]:
        """Give a client that is signed in as a browser is: with cookie, key and Origin."""
        with self.client(None, Origin=self.url) as http:
            answer = http.get("/", params={"token": token})
            assert answer.status_code == 303, answer.text
            http.headers["X-Wintun-Api-Key"] = answer.headers["location"].partition("#key=")[2]
            yield http

    def packets(self, session: str, **options: Any) -> PacketStream:
        """Return the packet stream of a session; entering it connects."""
        return self.api.session(session).packets(**options)

    @cached_property
    def api(self) -> Client:
        """The client of the package, as admin."""
        return Client(self.url, token=self.secret, timeout=30, tls=self.tls)

    def ask(self, call: Call[Any]) -> Any:
        """Send a request and return its answer as the service wrote it, as plain JSON."""
        return self.api.send(call.as_json())

    def adapter(self, **body: Any) -> dict[str, Any]:
        """Create an adapter."""
        return dict(self.ask(operations.create_adapter(**body)))

    def session(self, adapter: dict[str, Any], **body: Any) -> dict[str, Any]:
        """Start the session of an adapter."""
        return dict(self.ask(operations.start_session(adapter["guid"], **body)))

    def counters(self, session: str) -> dict[str, Any]:
        """Return a session's counters."""
        return dict(self.ask(operations.get_session(session))["counters"])

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Let requests wait little for the driver, where one is to time out; others have time."""
        registry = self.service.context.registry
        before, registry.patience = registry.patience, 0.2
        try:
            yield
        finally:
            registry.patience = before

    def stop(self) -> float:
        """Stop it as Ctrl-C would; return how many seconds that took."""
        started = time.monotonic()
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self._end.set)
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.api.close()
        self.http.close()
        if self.failure is not None:
            raise self.failure
        return time.monotonic() - started


def receive(stream: PacketStream, count: int, timeout: float = 30) -> list[bytes]:
    """Wait for at least `count` packets, and return all that came with them."""
    packets: list[bytes] = []
    limit = threading.Timer(timeout, stream.close)
    limit.start()
    try:
        for burst in stream:
            packets += burst.packets
            if len(packets) >= count:
                return packets
    finally:
        limit.cancel()
    raise AssertionError(f"The stream has ended after {len(packets)} of {count} packets.")


@contextmanager
def running(
    tmp_path: Path,
    over: Driver | None = None,
    *,
    plain: bool = False,
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **settings: Any,
) -> Iterator[RunningService]:
    """Run a service for a while, on the emulated driver unless told otherwise."""
    values = {"driver": "emulated", "port": 0, "data_dir": tmp_path / "data", **settings}
    service = RunningService(Settings.load(**values), over, plain=plain, new_loop=new_loop)
    try:
        yield service
    finally:
        service.stop()
