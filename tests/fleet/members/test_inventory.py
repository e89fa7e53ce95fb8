"""The hosts of a network."""

from __future__ import annotations

import pytest

from tests.client.streams import run
from tests.fleet.excerpts import SECOND
from tests.fleet.memory import MemoryServer
from tests.fleet.running import LAB, A, B, C, eventually, prepared, put_card
from tests.waiting import let_pass, pass_by
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members import inventory as inventory_module
from wintun_api.fleet.members.inventory import Appearance, Host, Inventory

LIFETIME = 0.6  # longer than a machine under load takes for a card


class Watched:
    """An inventory on a connection of its own, and what it has told."""

    def __init__(self, server: MemoryServer, own: str = "") -> None:
        self.bus = server.connect(A)
        self.told: list[tuple[Appearance, str]] = []
        self.clock = Clock(self.bus)
        self.inventory = Inventory(
            self.bus, LAB, self.clock, self._tell, own=own, lifetime=LIFETIME, patience=LIFETIME
        )
        self.bus.notify(lambda *_: self.inventory.returned())

    def _tell(self, what: Appearance, host: Host) -> None:
        self.told.append((what, host.id))

    async def start(self) -> None:
        await self.clock.measure()
        await self.inventory.start()

    async def aclose(self) -> None:
        await self.inventory.aclose()
        await self.bus.aclose()


def test_a_host_joins_and_leaves() -> None:
    """A card makes a host, and its deletion ends it."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other, "second")
        await eventually(lambda: B in watched.inventory.hosts)
        assert watched.inventory.name_of(B) == "second"
        await (await other.bucket(LAB.hosts)).delete(B)
        await eventually(lambda: not watched.inventory.hosts)
        assert watched.told == [(Appearance.JOINED, B), (Appearance.LEFT, B)]
        await watched.aclose()

    run(work())


def test_a_host_that_renews_its_card_no_more_dies() -> None:
    """Its death is told without a message from the server."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        for _ in range(3):
            await put_card(other)
            await pass_by(LIFETIME / 2)
        assert B in watched.inventory.hosts
        await eventually(lambda: not watched.inventory.hosts)
        assert watched.told[-1] == (Appearance.DIED, B)
        await watched.aclose()

    run(work())


def test_a_host_that_is_gone_keeps_its_name() -> None:
    """What is told of it later calls it what its operator does."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other, "second")
        await eventually(lambda: watched.told)
        await eventually(lambda: not watched.inventory.hosts)
        assert watched.inventory.name_of(B) == "second"
        await watched.aclose()

    run(work())


def test_nobody_dies_while_there_is_no_connection() -> None:
    """One who is cut off knows nothing, and gives the others time when it is back."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other)
        await eventually(lambda: watched.inventory.hosts)
        watched.bus.lose()
        await pass_by(2 * LIFETIME)
        assert B in watched.inventory.hosts
        watched.bus.regain()
        await eventually(lambda: not watched.inventory.hosts)
        await watched.aclose()

    run(work())


def expiring() -> MemoryServer:
    """Return a server whose cards expire, which every watch tells on its own."""
    server = MemoryServer()
    server.prepare(LAB, host_ttl=LIFETIME)
    return server


def test_cards_that_expire_kill_nobody_while_there_is_no_connection() -> None:
    """Hosts that are soon back live on for one who was cut off, and the others die then."""

    async def work() -> None:
        server = expiring()
        watched, other, third = Watched(server), server.connect(B), server.connect(C)
        await watched.start()
        await put_card(other, epoch=5)
        await put_card(third, epoch=5)
        await eventually(lambda: len(watched.inventory.hosts) == 2)
        watched.bus.lose()
        await pass_by(2 * LIFETIME)
        assert watched.inventory.epochs == {B: 5, C: 5}
        watched.bus.regain()
        await put_card(other, epoch=6)
        await eventually(lambda: watched.inventory.epochs == {B: 6, C: 5})
        await pass_by(LIFETIME / 2)
        await put_card(other, epoch=6)
        await eventually(lambda: C not in watched.inventory.hosts)
        died = [host for what, host in watched.told if what is Appearance.DIED]
        assert died[0] == C
        await watched.aclose()

    run(work())


def test_a_host_that_has_left_meanwhile_is_gone_at_once() -> None:
    """It has said so, and nobody waits for it."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other)
        await eventually(lambda: watched.inventory.hosts)
        watched.bus.lose()
        await (await other.bucket(LAB.hosts)).delete(B)
        watched.bus.regain()
        await eventually(lambda: not watched.inventory.hosts)
        assert watched.told[-1] == (Appearance.LEFT, B)
        await watched.aclose()

    run(work())


def test_ones_own_death_is_known_without_a_connection() -> None:
    """A card that could not be renewed has lapsed for all others."""

    async def work() -> None:
        server = expiring()
        watched, other = Watched(server, A), server.connect(B)
        await watched.start()
        await put_card(other)
        await put_card(watched.bus)
        await eventually(lambda: len(watched.inventory.hosts) == 2)
        watched.bus.lose()
        await eventually(lambda: A not in watched.inventory.hosts)
        assert watched.told[-1] == (Appearance.DIED, A)
        assert B in watched.inventory.hosts
        await watched.aclose()

    run(work())


def test_one_that_stood_still_reads_before_it_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards have come meanwhile, and wait to be read."""

    async def work() -> None:
        monkeypatch.setattr(inventory_module, "LATE", LIFETIME / 2)
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other)
        await eventually(lambda: watched.inventory.hosts)
        kept = server.kept(LAB.hosts)
        value, first_ns = kept.entries[B].value, kept.entries[B].created_ns
        let_pass(2 * LIFETIME)  # nothing runs here
        await pass_by(0)
        for part in range(1, 5):
            kept.write(B, value, first_ns + int(part * LIFETIME / 2 * SECOND))
        await eventually(lambda: len(watched.told) == 5)
        assert watched.told == [(Appearance.JOINED, B), *4 * [(Appearance.RENEWED, B)]]
        await watched.aclose()

    run(work())


def test_a_host_that_was_dead_cannot_return_to_its_old_life() -> None:
    """A card with the epoch of a dead host brings the host back, but none of its claims."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other, epoch=5)
        await eventually(lambda: watched.inventory.epochs == {B: 5})
        await eventually(lambda: not watched.inventory.hosts)
        await put_card(other, epoch=5)
        await eventually(lambda: B in watched.inventory.hosts)
        assert watched.inventory.epochs == {}
        await put_card(other, epoch=6)
        await eventually(lambda: watched.inventory.epochs == {B: 6})
        await watched.aclose()

    run(work())


def test_one_who_was_cut_off_does_not_judge_lives() -> None:
    """It has not seen the cards in between, so a host keeps its life for it."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other, epoch=5)
        await eventually(lambda: watched.inventory.hosts)
        watched.bus.lose()
        for _ in range(8):
            await put_card(other, epoch=5)
            await pass_by(LIFETIME / 4)
        watched.bus.regain()
        await put_card(other, epoch=5)
        await eventually(lambda: watched.inventory.epochs == {B: 5})
        await pass_by(LIFETIME / 2)
        await put_card(other, epoch=5)
        assert watched.inventory.epochs == {B: 5}
        await watched.aclose()

    run(work())


def test_a_late_card_begins_a_new_life_for_everybody() -> None:
    """Between two cards that are too far apart a host was dead, also if nobody had looked."""

    async def work() -> None:
        server = prepared()
        watched, other = Watched(server), server.connect(B)
        await watched.start()
        await put_card(other, epoch=5)
        await eventually(lambda: watched.inventory.hosts)
        server.offset_ns += 1_000_000_000
        await watched.clock.measure()
        await put_card(other, epoch=6)
        await eventually(lambda: len(watched.told) == 3)
        assert [what for what, _ in watched.told] == ["joined", "died", "joined"]
        await watched.aclose()

    run(work())


def test_keys_that_name_no_host_are_counted() -> None:
    """Nobody gets into the inventory under a name that is no id."""

    async def work() -> None:
        server = prepared()
        watched = Watched(server)
        await watched.start()
        await (await watched.bus.bucket(LAB.hosts)).put("nobody", b"{}")
        await eventually(lambda: watched.inventory.ignored == 1)
        assert watched.inventory.hosts == {}
        await watched.aclose()

    run(work())


def test_the_lives_that_are_remembered_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The life of the host that is gone for longest is forgotten, and counted."""

    async def work() -> None:
        monkeypatch.setattr(inventory_module, "MAX_HOSTS", 1)
        server = prepared()
        watched = Watched(server)
        await watched.start()
        for number, host in enumerate((B, C)):
            other = server.connect(host)
            await put_card(other)
            await eventually(lambda expected=host: expected in watched.inventory.hosts)  # type: ignore[misc]
            await (await other.bucket(LAB.hosts)).delete(host)
            await eventually(lambda: not watched.inventory.hosts)
            assert watched.inventory.forgotten == number
            await other.aclose()
        await watched.aclose()

    run(work())
