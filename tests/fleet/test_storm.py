"""Everything fails at any time, and in the end sent = delivered + the sum of the causes."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, suppress

import pytest

from tests.client.streams import run
from tests.fleet.joined import Joined, settled
from tests.fleet.running import eventually, prepared
from tests.fleet.sites import Site, unanswered
from tests.waiting import pass_by
from wintun_api.client import ProblemError
from wintun_api.fleet.packets.accounts import BEFORE

STEPS = 40


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("seed", range(6))
def test_every_packet_has_an_end(sites: tuple[Site, Site], seed: int) -> None:
    """Connections break, the server stalls, agents are killed and sessions end under load."""
    chance = random.Random(seed)

    async def work() -> None:
        server = prepared()
        offered = [0, 0]
        async with AsyncExitStack() as stack:
            agents = [await stack.enter_async_context(Joined(one, server)) for one in sites]

            def known(at: int) -> int:
                taken = agents[at].ledger.accounts().taken
                return taken.taken + sum(taken.before[cause] for cause in BEFORE)

            def is_exact() -> bool:
                return [known(at) for at in (0, 1)] == offered

            async def again(at: int) -> None:
                await agents[at].kill()
                await agents[at].__aexit__()
                agents[at] = await stack.enter_async_context(Joined(sites[at], server))

            async def end_session(at: int) -> None:
                for session in await agents[at].client.list_sessions():
                    with suppress(ProblemError):  # it has just ended
                        await agents[at].client.end_session(session.id)

            for _ in range(STEPS):
                for at in (0, 1):
                    packet = unanswered(sites[at], sites[1 - at], chance.choice((64, 1300)))
                    count = chance.randrange(60)
                    offered[at] += count  # the host counts also what meets no session
                    for _ in range(count):
                        sites[at].send(packet)
                at = chance.randrange(2)
                match chance.randrange(12):
                    case 0:
                        agents[at].bus.lose()
                    case 1:
                        agents[at].bus.stall()
                    case 2 | 3 | 4 if not agents[at].bus.connected:
                        agents[at].bus.regain()
                    case 5 | 6:
                        agents[at].bus.flow()
                    case 7 if agents[at].bus.connected:
                        await again(at)
                    case 8:
                        await end_session(at)
                await pass_by(chance.random() * 0.05)
            for one in agents:
                one.bus.flow()
                one.bus.regain()
            await eventually(is_exact)
            await eventually(lambda: all(one.routes() == 2 for one in agents))
            await eventually(lambda: settled(agents[0], agents[1], 0))
            await eventually(lambda: settled(agents[1], agents[0], 0))
            accounts = [one.ledger.accounts() for one in agents]
            for mine, theirs in (accounts, accounts[::-1]):
                assert mine.taken.taken == mine.taken.numbered + sum(mine.taken.causes.values())
                for sent, arrived in zip(mine.sent, theirs.arrived, strict=True):
                    assert sent.sent == sent.delivered + sum(sent.causes.values())
                    assert (sent.sent, sent.delivered) == (arrived.sent, arrived.delivered)
            await eventually(is_exact)  # nothing was counted twice

    run(work())
