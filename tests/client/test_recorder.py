"""The recorder of a session by its handle."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.capture.samples import statistics
from tests.running import TOKEN, RunningService
from tests.waiting import until
from wintun_api.client import AsyncClient, Client, ProblemError, SessionHandle
from wintun_api.packet import build

PACKET = build.icmp_echo("10.9.0.2", "10.9.0.1", identifier=1, sequence=1)


def inject(session: SessionHandle, count: int) -> None:
    """Inject packets, and wait until the recorder has them."""
    with session.packets(direction="none") as stream:
        stream.put([PACKET] * count)

    def has_them() -> bool:
        recorder = session.recorder()
        return recorder is not None and recorder.packets >= count

    until(has_them)


def test_a_handle_records(service: RunningService, tmp_path: Path) -> None:
    """It is switched on, changed, shown, saved and switched off without an id."""
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter,
        adapter.session() as session,
    ):
        assert session.recorder() is None
        assert session.remove_recorder() is None
        assert session.record(seconds=30).seconds == 30
        assert session.record(seconds=60, bytes=2**20).bytes == 2**20
        inject(session, 3)
        for since, count in ((None, 3), ("2100-01-01T00:00:00Z", 0)):
            session.save_recorder(tmp_path / "lab.pcapng", since=since, direction="injected")
            assert statistics((tmp_path / "lab.pcapng").read_bytes()) == (count, 0)
        removed = session.remove_recorder()
        assert removed is not None
        assert removed.recorded >= 3
        with pytest.raises(ProblemError) as raised:
            session.save_recorder(tmp_path / "off.pcapng")
        assert raised.value.kind == "recorder-not-found"
        assert not (tmp_path / "off.pcapng").exists()


def test_a_handle_with_an_event_loop_records(service: RunningService, tmp_path: Path) -> None:
    """It has the same methods."""

    async def use() -> int:
        async with (
            AsyncClient(service.url, token=TOKEN) as client,
            client.adapter("Lab", addresses=["10.9.0.1/24"]) as adapter,
            adapter.session() as session,
        ):
            await session.record()
            await session.save_recorder(str(tmp_path / "lab.pcapng"))
            removed = await session.remove_recorder()
            assert removed is not None
            assert await session.recorder() is None
            return removed.bytes

    assert asyncio.run(use()) == 64 * 2**20
    assert (tmp_path / "lab.pcapng").stat().st_size > 0
