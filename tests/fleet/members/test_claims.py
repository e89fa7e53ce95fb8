"""One's own claims, and those of all hosts."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.client.streams import run
from tests.fleet.memory import MemoryBucket, MemoryServer
from tests.fleet.running import LAB, A, B, C, eventually, prepared, put_card
from tests.waiting import pass_by
from wintun_api.client.backoff import Backoff
from wintun_api.fleet.bus.seam import Entry
from wintun_api.fleet.clock import Clock
from wintun_api.fleet.members import claims as claims_module
from wintun_api.fleet.members.claims import (
    MAX_OF_HOST,
    PAUSE,
    About,
    Claims,
    Standing,
    Verdict,
    of_addresses,
)
from wintun_api.fleet.members.inventory import Inventory
from wintun_api.fleet.members.routes import Routes
from wintun_api.fleet.network import claim_key

NET = ip_network("10.1.0.0/16")
OTHER = ip_network("10.2.0.0/16")
PART = ip_network("10.1.2.0/24")
ADDRESS = ip_address("10.1.2.3").packed


class Claimant:
    """A host that claims, and what it was told."""

    def __init__(self, server: MemoryServer, host: str, epoch: int = 1) -> None:
        self.bus = server.connect(host)
        self.epoch = epoch
        self.told: list[Verdict] = []
        self.inventory = Inventory(
            self.bus, LAB, Clock(self.bus), lambda _, host: self.claims.host_changed(host.id)
        )
        self.tables: list[Routes] = []
        self.claims = Claims(
            self.bus,
            LAB,
            host,
            self.inventory,
            on_verdict=self.told.append,
            on_routes=self.tables.append,
        )
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> Claimant:
        """Put the card, and watch."""
        await self.inventory.start()
        await put_card(self.bus, f"host {self.bus.host[0]}", self.epoch)
        await self.claims.start()
        self._keeping = asyncio.ensure_future(self.claims.keep())
        return self

    def want(self, *prefixes: str, epoch: int | None = None) -> None:
        """Claim these."""
        about = About(adapter="A", guid="g", epoch=self.epoch if epoch is None else epoch)
        self.claims.want([ip_network(one) for one in prefixes], about)

    async def leave(self) -> None:
        """Delete the card, and stop."""
        await (await self.bus.bucket(LAB.hosts)).delete(self.bus.host)
        await self.stop()

    async def stop(self) -> None:
        """Stop as a process that is killed."""
        assert self._keeping is not None
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        await self.claims.aclose()
        await self.inventory.aclose()
        await self.bus.aclose()

    def owner(self) -> str | None:
        """Return who has the address, as this host sees it."""
        return self.tables[-1].find(ADDRESS) if self.tables else None


def test_an_adapter_claims_its_addresses() -> None:
    """Each address is a prefix of its own; link-local ones are every host's."""
    found = of_addresses(["10.1.2.3/24", "fd00::1/64", "fe80::1/64", "169.254.1.1/16"])
    assert [str(one) for one in found] == ["10.1.2.3/32", "fd00::1/128"]


def test_a_claim_is_seen_by_everybody() -> None:
    """A prefix that nobody has is held, and routes lead to its host."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: one.owner() == other.owner() == A)
        assert one.told == [Verdict(Standing.HELD, NET)]
        await one.stop()
        await other.stop()

    run(work())


def test_a_part_of_anothers_prefix_is_refused_with_its_owner() -> None:
    """The second claimant is told who was first, and gets nothing."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: other.owner() == A)
        other.want("10.1.2.0/24")
        await eventually(lambda: other.told)
        (verdict,) = other.told
        assert (verdict.standing, verdict.prefix) == (Standing.REFUSED, PART)
        assert verdict.rival is not None
        assert (verdict.rival.host, verdict.rival.prefix) == (A, NET)
        assert one.owner() == other.owner() == A
        await one.stop()
        await other.stop()

    run(work())


def test_a_refused_claim_holds_when_the_owner_is_gone() -> None:
    """The second in line takes over without doing anything."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: other.owner() == A)
        other.want("10.1.2.0/24")
        await eventually(lambda: other.told)
        await one.leave()
        await eventually(lambda: other.owner() == B)
        assert [verdict.standing for verdict in other.told] == ["refused", "taken_over"]
        await other.stop()

    run(work())


def test_a_host_that_comes_back_is_behind_those_that_took_over() -> None:
    """What a dead host had claimed counts no longer, and a new claim comes last."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: other.owner() == A)
        other.want("10.1.2.0/24")
        await eventually(lambda: other.told)
        await one.leave()
        await eventually(lambda: other.owner() == B)
        again = await Claimant(server, A, epoch=2).start()
        again.want("10.1.2.0/24")
        await eventually(lambda: again.told)
        assert again.told[0].standing is Standing.REFUSED
        assert again.owner() == other.owner() == B
        await again.stop()
        await other.stop()

    run(work())


def test_an_agent_that_is_started_again_at_once_keeps_its_rank() -> None:
    """While the card has not lapsed, the claims of the same life stay as they are."""

    async def work() -> None:
        server = prepared()
        one = await Claimant(server, A).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: one.told)
        await one.stop()
        other = await Claimant(server, B).start()
        other.want("10.1.0.0/16")
        await eventually(lambda: other.told)
        again = await Claimant(server, A).start()
        again.want("10.1.0.0/16")
        await eventually(lambda: again.told)
        assert again.told == [Verdict(Standing.HELD, NET)]
        assert other.told[-1].standing is Standing.REFUSED
        await again.stop()
        await other.stop()

    run(work())


def test_a_claim_that_somebody_deletes_is_made_again() -> None:
    """An operator who empties the bucket does not silence a host."""

    async def work() -> None:
        server = prepared()
        one = await Claimant(server, A).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: one.owner() == A)
        bucket = await one.bus.bucket(LAB.routes)
        made: list[Entry] = []
        watch = await bucket.watch(made.append)
        await watch.caught_up()
        for _ in range(3):
            made.clear()
            await bucket.delete(claim_key(A, NET))
            await eventually(lambda: [entry.value is None for entry in made] == [True, False])
        await eventually(lambda: one.owner() == A)
        await watch.aclose()
        await one.stop()

    run(work())


def test_claims_wait_for_the_bus() -> None:
    """What is wanted without a connection is claimed when there is one."""

    async def work() -> None:
        server = prepared()
        one = await Claimant(server, A).start()
        one.bus.lose()
        one.want("10.1.0.0/16")
        await pass_by(0.05)
        one.bus.regain()
        await eventually(lambda: one.owner() == A)
        await one.stop()

    run(work())


def test_a_connection_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a host has failed to claim, it claims at once when it is back."""
    monkeypatch.setattr(claims_module, "RETRY", Backoff(first=600.0, last=600.0))

    async def work() -> None:
        one = await Claimant(prepared(), A).start()
        one.bus.lose()
        one.want("10.1.0.0/16")
        await pass_by(0.05)
        one.bus.regain()
        one.claims.returned()
        await eventually(lambda: one.owner() == A)
        await one.stop()

    run(work())


def test_what_is_no_longer_wanted_is_withdrawn() -> None:
    """Another list of prefixes replaces the first one."""

    async def work() -> None:
        server = prepared()
        one = await Claimant(server, A).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: one.owner() == A)
        one.want("10.9.0.0/16")
        await eventually(lambda: one.owner() is None and len(one.claims.routes) == 1)
        assert [verdict.standing for verdict in one.told] == ["held", "withdrawn", "held"]
        await one.stop()

    run(work())


def test_a_claim_of_an_end_is_deleted() -> None:
    """An agent that ends in order leaves nothing in the bucket."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16", "fd00::/64")
        await eventually(lambda: len(other.claims.routes) == 2)
        await one.claims.release()
        await eventually(lambda: len(other.claims.routes) == 0)
        await one.stop()
        await other.stop()

    run(work())


def test_routes_are_computed_while_claims_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that was deleted is gone as a whole, though the bucket has not told it yet."""
    deleted: list[str] = []
    go_on = asyncio.Event()

    async def delete(_bucket: MemoryBucket, key: str) -> None:
        deleted.append(key)
        if len(deleted) > 1:
            await go_on.wait()

    async def work() -> None:
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16", "fd00::/64")
        await eventually(lambda: len(one.claims.routes) == 2)
        monkeypatch.setattr(MemoryBucket, "delete", delete)
        releasing = asyncio.ensure_future(one.claims.release())
        await eventually(lambda: len(deleted) == 2)
        other.want("10.2.0.0/16")
        await eventually(lambda: one.claims.routes.owners.get(OTHER) == B)
        go_on.set()
        await releasing
        assert faults == []
        await one.stop()
        await other.stop()

    run(work())


def test_a_host_has_a_bounded_number_of_claims() -> None:
    """One who floods the bucket gets no more routes than the bound, at every host alike."""

    async def work() -> None:
        server = prepared()
        one, flood = await Claimant(server, A).start(), await Claimant(server, C).start()
        bucket = await flood.bus.bucket(LAB.routes)
        value = About(adapter="A", guid="g", epoch=1).model_dump_json().encode()
        for number in range(MAX_OF_HOST + 50):
            prefix = ip_network((number + 1) << 8, strict=False)
            await bucket.create(claim_key(C, prefix), value)
        await eventually(lambda: len(one.claims.routes) == MAX_OF_HOST)
        await pass_by(0.1)
        assert len(one.claims.routes) == MAX_OF_HOST
        assert one.claims.surplus == flood.claims.surplus == 50
        await one.stop()
        await flood.stop()

    run(work())


def test_one_who_claims_too_much_is_told_what_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest claims hold; another one counts as soon as there is room."""

    async def work() -> None:
        monkeypatch.setattr(claims_module, "MAX_OF_HOST", 1)
        one = await Claimant(prepared(), A).start()
        one.want("10.1.0.0/16")
        await eventually(lambda: one.told == [Verdict(Standing.HELD, NET)])
        other = ip_network("10.2.0.0/16")
        one.want("10.1.0.0/16", "10.2.0.0/16")
        await eventually(lambda: one.told[-1] == Verdict(Standing.SURPLUS, other))
        one.want("10.2.0.0/16")
        await eventually(lambda: one.told[-1] == Verdict(Standing.HELD, other))
        await one.stop()

    run(work())


def test_values_of_strangers_cause_nothing() -> None:
    """A claim that cannot be read is counted and does not hold."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        bucket = await other.bus.bucket(LAB.routes)
        for value in (b"", b"[]", b'{"adapter": "A", "guid": "g", "epoch": -1}', bytes(9000)):
            await bucket.put(claim_key(B, NET), value)
        await bucket.put("nobody.10-1-0-0_16", b"{}")
        await eventually(lambda: one.claims.ignored == 5)
        assert one.owner() is None
        await one.stop()
        await other.stop()

    run(work())


def test_a_claim_may_come_before_the_card_of_its_life() -> None:
    """Cards and claims have no common order, so each one of them is enough to look again."""

    async def work() -> None:
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        one.want("10.1.0.0/16", epoch=2)
        await pass_by(0.1)
        assert other.owner() is None
        await put_card(one.bus, epoch=2)
        await eventually(lambda: other.owner() == A)
        await one.stop()
        await other.stop()

    run(work())


def test_a_card_that_is_only_renewed_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lives of all hosts are looked at when one changes, not when a card comes."""
    looks = 0
    epochs: Any = vars(Inventory)["epochs"]

    def counted(inventory: Inventory) -> Any:
        nonlocal looks
        looks += 1
        return epochs.fget(inventory)

    async def work() -> None:
        nonlocal looks
        monkeypatch.setattr(Inventory, "epochs", property(counted))
        server = prepared()
        one, other = await Claimant(server, A).start(), await Claimant(server, B).start()
        other.want("10.1.0.0/16")
        await eventually(lambda: one.owner() == other.owner() == B)
        await pass_by(2 * PAUSE)
        looks = 0
        for _ in range(20):
            now_ns = server.now_ns()
            await put_card(other.bus, epoch=1)
        await eventually(lambda: one.inventory.hosts[B].renewed_ns >= now_ns)
        await pass_by(2 * PAUSE)
        assert looks == 0
        await put_card(other.bus, epoch=2)
        await eventually(lambda: one.owner() is None)
        assert looks
        await one.stop()
        await other.stop()

    run(work())
