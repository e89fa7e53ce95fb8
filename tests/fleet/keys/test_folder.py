"""Where keys are kept, and for which networks there is one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from wintun_api.fleet.keys.folder import READER, readable_networks


def test_networks_with_the_key_of_a_reader_are_listed(tmp_path: Path) -> None:
    """Not those that were only joined, nor folders that no agent has made."""
    for name in ("two", "one", "Not a network"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "reader.key").touch()
    (tmp_path / "joined").mkdir()
    (tmp_path / "joined" / "A.key").touch()
    assert [one.name for one in readable_networks(tmp_path)] == ["one", "two"]
    assert readable_networks(tmp_path / "nowhere") == []


def test_an_adapter_called_as_a_command_is_no_reader(tmp_path: Path) -> None:
    """Its key is in another file than that of the commands that read."""
    pytest.importorskip("nats", reason="not installed: nats")
    from tests.fleet.server.servers import LAB, plan_of
    from wintun_api.fleet.keys.rights import Role
    from wintun_api.fleet.server.laboratory import Laboratory
    from wintun_api.fleet.server.plan import Listening
    from wintun_api.fleet.storage import Storage

    laboratory, storage = Laboratory(tmp_path / "bus"), Storage(tmp_path / "agents")
    laboratory.prepare()
    laboratory.write(plan_of(Listening(), LAB))

    async def keys() -> list[str]:
        host = await storage.key(LAB, READER, laboratory, role=Role.HOST)
        reader = await storage.key(LAB, READER, laboratory, role=Role.READER)
        again = await storage.key(LAB, READER, laboratory, role=Role.HOST)
        return [one.identity.host for one in (host, reader, again)]

    host, reader, again = asyncio.run(keys())
    assert host == again != reader
    users = {user.id: user.role for user in laboratory.plan().find("lab").users}
    assert users == {host: Role.HOST, reader: Role.READER}
