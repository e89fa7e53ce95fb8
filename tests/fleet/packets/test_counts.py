"""What an agent counts beside packets, and who can read it."""

from __future__ import annotations

from pathlib import Path

from tests.client.streams import run
from tests.fleet.joined import Joined
from tests.fleet.running import A, prepared
from tests.fleet.sites import Site
from wintun_api.fleet.captures.capturing import CaptureOrder
from wintun_api.fleet.events import EventKind
from wintun_api.fleet.packets.accounts import Accounts, Taken
from wintun_api.fleet.packets.counts import NOTED, for_card, noted_in
from wintun_api.fleet.packets.losses import totals_of
from wintun_api.fleet.remote.allowance import Allow
from wintun_api.schemas.networks import MAX_COUNTS


def test_an_agent_tells_every_count(tmp_path: Path) -> None:
    """Its last event has all of them, and no count that has no name here."""

    async def work() -> None:
        site, server = Site(tmp_path, A), prepared()
        try:
            async with Joined(site, server, allow=Allow.READ, capture=CaptureOrder()) as joined:
                pass
            (ended,) = joined.kinds(EventKind.AGENT_ENDED)
            names = {one for one in ended.data["counts"] if not one.startswith("lost_")}
            assert names == {*NOTED, *totals_of(Accounts(Taken())), "captured"}
        finally:
            site.stop()

    run(work())


def test_a_card_has_no_zeros_of_these() -> None:
    """Cards are all that idle hosts send, so what has not happened is not in them."""
    counts = {"ignored": 2, "unanswered": 0, "sent": 0}
    assert for_card(counts) == {"ignored": 2, "sent": 0}


def test_a_report_has_those_that_are_not_zero() -> None:
    """They fit into it, and what is no such count is left out."""
    assert noted_in({"ignored": 2, "unanswered": 0, "sent": 5}) == {"ignored": 2}
    assert len(NOTED) <= MAX_COUNTS
