"""Create the ASGI application: routes, lifespan and handlers in one place."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import FastAPI, WebSocket
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.types import ASGIApp

from wintun_api import __version__
from wintun_api.api import (
    adapter_capture,
    adapters,
    capture,
    captures,
    clients,
    events,
    filters,
    guide,
    holders,
    impairment,
    metrics,
    networks,
    packets,
    page,
    problems,
    recorder,
    sessions,
    streams,
    system,
)
from wintun_api.api.audit import Auditor
from wintun_api.api.context import Context
from wintun_api.api.data_directory import make, read_private, write_private
from wintun_api.api.guesses import Guesses
from wintun_api.api.head import HeadAsGet
from wintun_api.api.hosts import allowed_names
from wintun_api.api.openapi.served import Api
from wintun_api.api.security import Doorkeeper, Security, refuse_websocket
from wintun_api.api.sign_in_memory import SignInMemory
from wintun_api.api.sign_ins import SignIns
from wintun_api.api.tokens import TokenStore
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.hub.audit import Publish, Trail
from wintun_api.hub.burst_limit import BurstLimit
from wintun_api.hub.hold_memory import HoldMemory
from wintun_api.hub.identity import StableGuids, load_salt
from wintun_api.hub.management import patiently
from wintun_api.hub.named_captures import index
from wintun_api.hub.named_captures.captures import OnDisk
from wintun_api.hub.named_captures.files import FOLDER, Store
from wintun_api.hub.pools import KnownPools
from wintun_api.hub.registry import Registry
from wintun_api.native import speedups
from wintun_api.settings import Settings

DESCRIPTION = """
Manage Wintun adapters and sessions over REST, and exchange IP packets over WebSocket.

* *Received* packets go from the host to the application. *Sent* or *injected* packets go from the
  application to the host.
* Errors are answered as `application/problem+json`. `type` names the cause, `detail` says what went
  wrong, and `hint` says what to do next.
* Packets are exchanged over `WS /v1/sessions/{id}/packets`, or over `WS
  /v1/adapters/{guid}/packets`, which starts the session if none runs. The subprotocols are
  `v1.raw.wintun-api` (one IP packet per binary message), `v1.batch.wintun-api` (many packets per
  message) and `v1.pcapng.wintun-api` (a capture for Wireshark, like
  `GET /v1/sessions/{id}/capture.pcapng`).
* Events are sent over `WS /v1/events`, or as server-sent events by `GET /v1/events`.
* Within `/v1`, later versions add operations, members and problem types, but remove none. A client
  ignores members that it does not know, and handles an unknown problem type by its `status`.
"""
HOLDS = "holds.json"  # in the data directory
ROUTERS = (
    system.router,
    adapters.router,
    sessions.router,
    impairment.router,
    packets.router,
    capture.router,
    adapter_capture.router,
    recorder.router,
    captures.router,
    filters.router,
    streams.router,
    holders.router,
    events.router,
    clients.router,
    networks.router,
    metrics.router,
    guide.router,
)


class Memory(NamedTuple):
    """Hold what is kept between runs."""

    pools: KnownPools
    guids: StableGuids
    held: HoldMemory
    captures: OnDisk


class Service:
    """Hold one service: its app, and what a server needs to shut it down in order."""

    def __init__(self, settings: Settings, tokens: TokenStore, driver: Driver | None = None):
        self.settings = settings
        sign_ins = SignIns(tokens)
        self.context = Context(settings, tokens, sign_ins)
        self.metrics = metrics.Metrics(self.context)
        self._driver = driver
        self._memory: Memory | None = None
        self.api = self._api()
        hosts = allowed_names((*settings.allowed_hosts, settings.host))
        guesses = Guesses(settings.guesses_per_minute)
        doorkeeper = Doorkeeper(tokens, sign_ins, guesses, hosts, settings.max_message)
        self._door = Security(
            HeadAsGet(self.api),
            self.api.routing.find,
            doorkeeper,
            Auditor(Trail(self._publish), tokens),
            page.sign_in_page(),
        )
        self.app: ASGIApp = metrics.Timed(self._door, self.metrics)

    def read_memory(self, driver: Driver) -> None:
        """Read what is kept between runs now, so that a broken file prevents the start.

        Raises:
            UntrustedFile: A file is broken, or another user may have written it.
            OSError: A file cannot be read or created.
        """
        self._memory = self._read_memory(driver)

    def _read_memory(self, driver: Driver) -> Memory:
        pools, data = self.settings.pools, self.settings.data_dir
        if self.context.tokens.lasting:
            self.context.sign_ins.recall(SignInMemory(data))
        store = Store(data / FOLDER, make=make, write=write_private, read=read_private)
        captures = OnDisk(store, self.settings.captures_bytes, index.load(store))
        if not driver.lasting:
            # The machine is new at every start, so its pools are not worth keeping.
            kept = None if self.settings.emulated_state is None else data / HOLDS
            held = HoldMemory(kept, write_private, read_private)
            return Memory(KnownPools(None, pools), StableGuids(), held, captures)
        return Memory(
            KnownPools(data / "pools.json", pools, write_private, read_private),
            StableGuids(load_salt(data / "salt", write_private, read_private)),
            HoldMemory(data / HOLDS, write_private, read_private),
            captures,
        )

    async def restore_holds(self) -> None:
        """Begin the grace periods of adapters that clients held in the last run.

        Call this once the service answers.
        """
        if self.context.started is not None:
            await self.context.started.restore_holds()

    def begin_stop(self) -> None:
        """Refuse new work and let open streams end; the end of the lifespan does the rest."""
        self.context.stopping.set()
        if self.context.started is not None:
            self.context.started.begin_stop()

    async def sessions_ended(self) -> None:
        """Wait, after `begin_stop`, until the sessions have ended or their time is up."""
        if self.context.started is not None:
            await self.context.started.sessions_ended()

    def _publish(self) -> Publish | None:
        started = self.context.started
        return None if started is None else started.events.publish

    def _api(self) -> Api:
        api = Api(
            title="wintun-api",
            version=__version__,
            summary="The local control plane for Wintun.",
            description=DESCRIPTION,
            lifespan=self._lifespan,
            max_body_size=self.settings.max_message,
        )
        api.state.context = self.context
        api.state.metrics = self.metrics
        problems.install(api)
        api.add_exception_handler(WebSocketRequestValidationError, _refuse_query)
        for router in (*ROUTERS, page.pages(api.openapi)):
            api.routing.take(router)
        return api

    @asynccontextmanager
    async def _lifespan(self, _api: FastAPI) -> AsyncIterator[None]:
        settings = self.settings
        driver = self._driver or open_driver(settings.driver, settings)
        memory, self._memory = self._memory or self._read_memory(driver), None
        registry = Registry(
            driver,
            pools=memory.pools,
            guids=memory.guids,
            held=memory.held,
            captures=memory.captures,
            burst=BurstLimit(settings.burst_packets, settings.burst_bytes),
            management_timeout=settings.management_timeout,
            event_history=settings.event_history,
            recorder_bytes=settings.recorder_bytes,
            speedups=speedups(settings.native),
        )
        self.context.started = registry
        self.metrics.start()
        try:
            yield
        finally:
            self.metrics.stop()
            self._door.close()
            self.begin_stop()
            self.context.leases.close()
            await patiently(self.context.sign_ins.written())
            await registry.stop()
            self.context.started = None


async def _refuse_query(websocket: WebSocket, error: Exception) -> None:
    await refuse_websocket(problems.refusal_of(error), websocket)
