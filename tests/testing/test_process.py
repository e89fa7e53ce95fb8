"""The process of a fixture's service, and what its clients say when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
import pytest

from wintun_api.client import Client, ServiceUnreachable, SessionHandle
from wintun_api.testing import TunDriver, TunService
from wintun_api.testing.subnets import Subnets


@pytest.fixture
def own_service() -> Iterator[TunService]:
    """A service that no other test uses, so that a test may kill it."""
    subnets = Subnets()
    service = TunService.start(TunDriver.EMULATED, subnets)
    yield service
    service.close()
    subnets.close()


def kill(service: TunService) -> None:
    """Kill a service, and wait until nothing listens at its address any more."""
    with Client(service.url, token=service.token) as other, other.events(reconnect=False) as events:
        next(events)
        psutil.Process(service.pid).kill()
        with pytest.raises(ServiceUnreachable):
            while True:
                next(events)


def request(service: TunService, session: SessionHandle) -> None:
    service.client.get_system()


def event(service: TunService, session: SessionHandle) -> None:
    with service.client.events(reconnect=False) as events:
        next(events)


def stream(service: TunService, session: SessionHandle) -> None:
    with session.packets():
        pass


def first_request_of_another_client(service: TunService, session: SessionHandle) -> None:
    async def ask() -> None:
        async with service.asynchronous() as client:
            await client.get_system()

    asyncio.run(ask())


@pytest.mark.parametrize("use", [request, event, stream, first_request_of_another_client])
def test_a_service_that_was_killed(
    own_service: TunService, use: Callable[[TunService, SessionHandle], None]
) -> None:
    """Errors say that the fixture's service has ended, not how to start one on the command line."""
    with ExitStack() as made:
        adapter = made.enter_context(own_service.adapter())
        session = made.enter_context(adapter.session())
        made.pop_all()  # nothing of it can be undone
        kill(own_service)
        with pytest.raises(ServiceUnreachable) as caught:
            use(own_service, session)
    said = str(caught.value)
    assert "a fixture has started" in said
    assert "wintun-api serve" not in said
    assert "wintun-api status" not in said
