"""Bad networks by the client: they hold for a block, and what was set before comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.running import TOKEN, RunningService
from wintun_api.choices import OnChange
from wintun_api.client import (
    AsyncClient,
    Client,
    ClientError,
    ProblemError,
    SessionHandle,
    operations,
)
from wintun_api.client.impairments import members_of
from wintun_api.packet import build
from wintun_api.schemas.impairment import Impairment, Scenario, SessionImpairment, Step

PACKET = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)
STEPS = [
    {"at": 0, "received": {"delay_ms": 10}},
    {"at": 60, "ramp": 2, "injected": {"loss": 0.5}},
    {"at": 120, "received": None},
]


@pytest.fixture
def session(service: RunningService) -> Iterator[SessionHandle]:
    """A session that runs."""
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter,
        adapter.session() as started,
    ):
        yield started


def only(impairment: SessionImpairment | None) -> Any:
    """The one rule of an impairment."""
    assert impairment is not None
    (rule,) = impairment.rules
    return rule


def test_a_block_impairs_and_repairs(session: SessionHandle) -> None:
    """The network is bad inside of the block, and good behind it."""
    assert session.impairment() is None
    with session.impair(received={"loss": 0.25}, seed=7, on_change="drop") as impairment:
        assert impairment.session is session
        assert impairment.seed == impairment.info.seed == 7
        assert only(session.impairment()).received.loss == 0.25
        assert only(session.impairment()).injected is None
        assert impairment.info.on_change is OnChange.DROP
    assert session.impairment() is None
    assert session.repair() is None


def test_the_service_chooses_a_seed(session: SessionHandle) -> None:
    """Without a seed the handle knows the one that the service chose."""
    with session.impair(received={"loss": 0.25}) as impairment:
        found = session.impairment()
        assert found is not None
        assert impairment.seed == found.seed


@pytest.mark.parametrize(
    "before",
    [
        {"received": {"delay_ms": 5}, "seed": 3, "on_change": "drop"},
        {
            "rules": [
                {"match": {"protocol": "udp", "port": 53}, "injected": {"loss": 1}},
                {"received": {"rate_bps": 1_000_000}},
            ]
        },
        {"match": {"address": "10.9.0.0/24"}, "scenario": {"steps": STEPS, "loop": True}},
    ],
    ids=["one", "rules", "scenario"],
)
def test_what_was_set_before_comes_back(session: SessionHandle, before: dict[str, Any]) -> None:
    """Behind the block the same rules hold, with the same seed, as before it."""
    first = session.client.set_impairment(session.id, **before)
    with session.impair(injected={"blackout": True}):
        assert only(session.impairment()).injected.blackout
    second = session.impairment()
    assert second is not None
    assert members_of(second) == members_of(first)


def test_a_preset_comes_back_by_its_name(session: SessionHandle) -> None:
    """A rule that was set by the name of a preset is set by that name again."""
    for preset in session.client.list_impairment_presets():
        session.client.set_impairment(session.id, preset=preset.name, seed=1)
        with session.impair(received={"loss": 1}):
            pass
        assert only(session.impairment()).preset == preset.name
    assert session.client.list_impairment_presets()


def test_blocks_inside_of_each_other(session: SessionHandle) -> None:
    """Each block restores what the one around it has set."""
    with session.impair(received={"loss": 0.1}):
        with session.impair(received={"loss": 0.2}):
            with session.impair(received={"loss": 0.3}):
                assert only(session.impairment()).received.loss == 0.3
            assert only(session.impairment()).received.loss == 0.2
        assert only(session.impairment()).received.loss == 0.1
    assert session.impairment() is None


def test_an_exception_undoes_it(session: SessionHandle) -> None:
    """It is undone however the block ends."""
    with pytest.raises(ZeroDivisionError), session.impair(received={"loss": 1}):
        _ = 1 / 0
    assert session.impairment() is None


def test_a_cancellation_undoes_it(service: RunningService, session: SessionHandle) -> None:
    """A task that is cancelled leaves the network as it was."""

    async def work() -> None:
        async with AsyncClient(service.url, token=TOKEN) as client:
            entered = asyncio.Event()

            async def wait() -> None:
                async with client.session(session.id) as same, same.impair(received={"loss": 1}):
                    entered.set()
                    await asyncio.Event().wait()

            task = asyncio.ensure_future(wait())
            await entered.wait()
            assert await client.session(session.id).impairment() is not None
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await client.session(session.id).impairment() is None

    asyncio.run(work())


def test_the_session_may_end_first(session: SessionHandle) -> None:
    """An impairment that has ended with its session needs no repair."""
    with session.impair(received={"loss": 1}):
        session.end()


def test_it_may_be_removed_inside(session: SessionHandle) -> None:
    """An impairment that was removed inside of the block needs no repair behind it."""
    with session.impair(received={"loss": 1}):
        last = session.repair()
        assert last is not None
        assert last.session == session.id
    assert session.impairment() is None


def test_changing(session: SessionHandle) -> None:
    """A change holds until the end of the block, with the seed of the block; then it is undone."""
    with session.impair(received={"loss": 0.1}, seed=11) as impairment:
        changed = impairment.change(injected={"delay_ms": 20})
        assert changed.seed == 11
        assert only(session.impairment()).injected.delay_ms == 20
        assert only(session.impairment()).received is None
        assert impairment.change(received={"loss": 1}, seed=12).seed == impairment.seed == 12
    assert session.impairment() is None
    with pytest.raises(ClientError, match="does not hold now"):
        impairment.change(received={"loss": 1})


def test_a_handle_that_was_not_entered(session: SessionHandle) -> None:
    """It says what to do first."""
    impairment = session.impair(received={"loss": 1})
    for ask in (lambda: impairment.info, lambda: impairment.seed, impairment.counters):
        with pytest.raises(ClientError, match=r"not set yet.*async with|not set yet.*with session"):
            ask()


def test_what_the_service_refuses(session: SessionHandle) -> None:
    """A value that the service does not take is refused by name, and what was set stays."""
    with session.impair(received={"loss": 0.5}) as impairment:
        with (
            pytest.raises(ProblemError, match="loss") as caught,
            session.impair(received={"loss": 2}),
        ):
            pass
        assert caught.value.status == 422
        assert only(impairment.counters()).received.loss == 0.5


def test_counters(session: SessionHandle) -> None:
    """The counters say what was done to packets, also behind the block."""
    with session.impair(injected={"blackout": True}) as impairment:
        assert session.inject([PACKET, PACKET]).accepted == 2
        lost = impairment.counters().injected
        assert (lost.offered.packets, lost.blackout.packets) == (2, 2)
        assert lost.blackout.bytes == 2 * len(PACKET)
        assert session.refresh().counters.injected.packets == 0
    last = impairment.counters()
    assert (last.injected.offered.packets, last.injected.delivered.packets) == (2, 0)
    assert session.inject([PACKET]).accepted == 1
    assert session.refresh().counters.injected.packets == 1


def test_both_clients(service: RunningService, session: SessionHandle) -> None:
    """The client with an event loop does the same."""

    async def work() -> None:
        async with (
            AsyncClient(service.url, token=TOKEN) as client,
            client.session(session.id) as same,
        ):
            async with same.impair(received={"loss": 0.25}, seed=7) as impairment:
                assert (await impairment.counters()).seed == 7
                await impairment.change(received={"loss": 0.5})
                assert only(await same.impairment()).received.loss == 0.5
            assert await same.impairment() is None
            assert await same.repair() is None

    asyncio.run(work())


def test_models_are_sent_as_they_were_made() -> None:
    """What a model was not given is not sent, so that a step keeps a direction."""
    kept = Step(at=1, received=Impairment(delay_ms=5))
    ended = Step(at=2, received=None)
    call = operations.set_impairment("x", scenario=Scenario(steps=[kept, ended]))
    steps = [{"at": 1, "received": {"delay_ms": 5}}, {"at": 2, "received": None}]
    assert call.body == {"scenario": {"steps": steps}}
