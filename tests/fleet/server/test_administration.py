"""What a running server keeps for a network, and a new configuration for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.fleet.server.servers import LAB, Server, looped, serving, strangers
from wintun_api.errors import WintunApiError
from wintun_api.fleet.bus.nats import NatsBus
from wintun_api.fleet.keys.identity import KeyLine
from wintun_api.fleet.keys.rights import bucket_stream
from wintun_api.fleet.problems import BusDenied, BusUnavailable, ServerFailed
from wintun_api.fleet.server import administration
from wintun_api.fleet.server.plan import MIB, Bounds


@looped
async def configs(server: Server, *found: Any) -> None:
    """Append the configuration of each stream."""
    async with strangers(server.keeper) as (keeper,):
        store = keeper.client.jetstream()
        for stream in (bucket_stream(LAB.routes), bucket_stream(LAB.hosts), LAB.captures):
            found[0].append((await store.stream_info(stream)).config)


def test_each_stream_has_its_bounds(tmp_path: Path) -> None:
    """Nothing that a host sends can make one of them grow without a limit."""
    found: list[Any] = []
    with serving(tmp_path / "bus") as server:
        configs(server, found)
    assert [one.max_bytes for one in found] == [16 * MIB, 16 * MIB, 8 * MIB]
    assert [one.max_age for one in found] == [0, 30, 3600]
    assert [one.max_msgs_per_subject for one in found] == [1, 1, -1]
    assert all(0 < one.max_msg_size < 256 * 1024 for one in found)


def test_bounds_change_with_the_next_start_and_captures_stay(tmp_path: Path) -> None:
    """More and less room for captures is given to the stream that is there."""
    with serving(tmp_path / "bus") as server:
        line = asyncio.run(server.issue())

        async def capture() -> None:
            async with strangers(line) as (host,):
                subject = LAB.capture(line.identity.host, "session")
                await host.client.jetstream().publish(subject, b"blocks")

        asyncio.run(capture())
    for captures in (64 * MIB, 2 * MIB):
        plan = replace(server.laboratory.plan(), bounds=Bounds(captures, 60.0))
        with serving(tmp_path / "bus", plan) as again:
            found: list[Any] = []
            configs(again, found)
            assert (found[2].max_bytes, found[2].max_age) == (captures, 60)
            assert _messages(again) == 1


def _messages(server: Server) -> int:
    async def count() -> int:
        async with strangers(server.keeper) as (keeper,):
            info = await keeper.client.jetstream().stream_info(LAB.captures)
            return int(info.state.messages)

    return asyncio.run(count())


def test_a_server_without_room_says_so(tmp_path: Path) -> None:
    """The refusal of the server is passed on with the option that helps."""
    with serving(tmp_path / "bus") as server:
        first = server.plan.networks[0]
        url = server.plan.listening.own_url
        with pytest.raises(ServerFailed, match="refuses to keep CAP_lab") as caught:
            asyncio.run(administration.prepare_at(url, first, Bounds(1 << 61)))
        assert "--captures-bytes" in str(caught.value.hint)


def test_a_configuration_that_the_server_refuses_changes_nothing(tmp_path: Path) -> None:
    """It goes on with the one before, and a sentence says why."""
    with serving(tmp_path / "bus") as server:
        line = asyncio.run(server.issue())
        server.laboratory.configuration.write_text('{"port": "none"}')
        with pytest.raises(ServerFailed, match="does not accept its new configuration"):
            asyncio.run(administration.reload(server.plan, None))
        asyncio.run(_connects(line))


def test_only_the_system_user_may_have_it_read_again(tmp_path: Path) -> None:
    """The keeper of a network and its hosts may not."""
    with serving(tmp_path / "bus") as server:
        line = asyncio.run(server.issue())
        for identity in (server.keeper.identity, line.identity):
            plan = replace(server.plan, system=identity)
            with pytest.raises((BusDenied, BusUnavailable, WintunApiError)):
                asyncio.run(administration.reload(plan, None))


async def _connects(line: KeyLine) -> None:
    await (await NatsBus.connect(line)).aclose()
