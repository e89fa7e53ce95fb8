"""The data directory of a bus: its permissions, its locks, its plan."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("nats", reason="not installed: nats")

from tests.fleet.running import eventually
from tests.fleet.server.servers import LAB, Server, looped, plan_of, serving
from wintun_api.errors import InvalidArgument
from wintun_api.files import UntrustedFile
from wintun_api.fleet.problems import BusUnavailable, LaboratoryInUse
from wintun_api.fleet.server import laboratory as laboratory_module
from wintun_api.fleet.server.configuration import Paths, as_text, configuration
from wintun_api.fleet.server.laboratory import Laboratory
from wintun_api.fleet.server.plan import Listening, Plan

pytest.importorskip("cryptography", reason="not installed: cryptography")

from wintun_api.fleet.bus.nats import NatsBus

needs_modes = pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    made = Laboratory(tmp_path / "bus")
    made.prepare()
    return made


@needs_modes
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """Every file and folder of a server with TLS and a key, whatever the umask."""
    before = os.umask(0)
    try:
        plan = plan_of(Listening("0.0.0.0", 14999, ("localhost",)))
        laboratory = Laboratory(tmp_path / "bus")
        laboratory.prepare()
        with laboratory.running("url"):
            laboratory.write_certificate(plan)
            laboratory.write(plan)
    finally:
        os.umask(before)
    found = {path.name: path for path in laboratory.path.rglob("*")} | {"": laboratory.path}
    assert {"laboratory.json", "nats-server.conf", "server.key", "authority.key"} <= set(found)
    for path in found.values():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@needs_modes
def test_a_directory_of_others_is_refused(tmp_path: Path) -> None:
    """A plan that another user could write would hand the network over."""
    tmp_path.chmod(0o777)
    with pytest.raises(UntrustedFile):
        Laboratory(tmp_path).prepare()


@needs_modes
def test_a_plan_that_others_can_write_is_refused(laboratory: Laboratory) -> None:
    """Its mode is checked whenever it is read."""
    laboratory.write(plan_of(Listening()))
    (laboratory.path / "laboratory.json").chmod(0o666)
    with pytest.raises(UntrustedFile):
        laboratory.plan()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"version": 2}',
        b'{"version": 1}',
        b'{"version": 1, "name": 1, "listen": 1, "captures": {}, "networks": []}',
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_damaged_plan_is_told(laboratory: Laboratory, content: bytes) -> None:
    """Whatever is in the file, it is a sentence and no traceback."""
    (laboratory.path / "laboratory.json").write_bytes(content)
    with pytest.raises(UntrustedFile, match="is not the plan of a bus"):
        laboratory.plan()


def test_a_plan_is_read_as_it_was_written() -> None:
    """Nothing of it is lost in the file."""
    plan = plan_of(Listening("::", 1234, ("hub.example.com", "2001:db8::1")))
    assert Plan.from_text(plan.as_text()) == plan


def test_seeds_are_in_no_text_of_a_plan() -> None:
    """What Python makes of a plan for a message or a log does not have them."""
    plan = plan_of(Listening())
    for identity in (plan.system, plan.networks[0].keeper):
        assert identity.seed.decode() not in repr(plan)


def test_two_servers_do_not_share_a_directory(laboratory: Laboratory) -> None:
    """The second one is told where the first one is."""
    with (
        laboratory.running("nats://127.0.0.1:4222"),
        pytest.raises(LaboratoryInUse, match=rf"nats://127.0.0.1:4222 \(pid {os.getpid()}\)"),
        Laboratory(laboratory.path).running("other"),
    ):
        pass
    assert not laboratory.is_running()


@looped
async def test_a_change_that_does_not_end_is_told(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change waits, but not for ever."""
    monkeypatch.setattr(laboratory_module, "PATIENCE", 0.1)
    async with laboratory.changing():
        with pytest.raises(LaboratoryInUse, match="has been changing"):
            async with laboratory.changing():
                pass


@looped
async def test_a_change_waits_for_another_one(laboratory: Laboratory) -> None:
    """It begins when the other one has ended."""
    order: list[str] = []

    async def change() -> None:
        async with Laboratory(laboratory.path).changing():
            order.append("second")

    async with laboratory.changing():
        second = asyncio.ensure_future(change())
        await eventually(lambda: any(one.name == "lock" for one in threading.enumerate()))
        order.append("first")
    await second
    assert order == ["first", "second"]


def test_a_path_that_nats_server_cannot_read_is_refused(tmp_path: Path) -> None:
    """Its language has fewer escapes than JSON; such a path would be another one."""
    plan = plan_of(Listening())
    with pytest.raises(InvalidArgument, match="control characters"):
        as_text(configuration(plan, Paths(tmp_path / "a\x01b")))


@pytest.mark.parametrize("folder", ["plain", 'quo"te', "back\\slash", "sp ace", "ünï", "$var"])
def test_nats_server_reads_the_paths_of_its_configuration(tmp_path: Path, folder: str) -> None:
    """Characters that its language has a meaning for are in no way special in a path."""
    if sys.platform == "win32" and set(folder) & set('"\\'):
        pytest.skip("Windows has no such paths")
    with serving(tmp_path / folder) as server:
        assert (server.laboratory.path / "streams" / "jetstream").is_dir()


@pytest.mark.parametrize(
    ("listening", "tls", "urls", "own"),
    [
        (Listening(), False, ["nats://127.0.0.1:4222"], "nats://127.0.0.1:4222"),
        (Listening("::1", 1), False, ["nats://[::1]:1"], "nats://[::1]:1"),
        (Listening("0.0.0.0", 1, ("hub",)), True, ["tls://hub:1"], "tls://127.0.0.1:1"),
        (Listening("::", 1, ("hub",)), True, ["tls://hub:1"], "tls://[::1]:1"),
        (
            Listening("192.0.2.1", 1, ("hub",)),
            True,
            ["tls://hub:1", "tls://192.0.2.1:1"],
            "tls://192.0.2.1:1",
        ),
    ],
)
def test_it_encrypts_beyond_loopback(
    listening: Listening, tls: bool, urls: list[str], own: str
) -> None:
    """Where it listens says whether it uses TLS, and how hosts reach it."""
    assert (listening.tls, list(listening.urls), listening.own_url) == (tls, urls, own)


@looped
async def _connect(server: Server, *servers: str) -> None:
    line = await server.issue()
    bus = await NatsBus.connect(replace(line, servers=servers or line.servers))
    await (await bus.bucket(LAB.hosts)).put(line.identity.host, b"card")
    await bus.aclose()


def test_hosts_trust_the_certificate_that_their_key_brings(tmp_path: Path) -> None:
    """TLS works at each name of the server, with the authority of the key alone."""
    from tests.fleet.server.servers import free_port

    port = free_port()
    plan = plan_of(Listening("0.0.0.0", port, ("localhost",)))
    with serving(tmp_path / "bus", plan) as server:
        _connect(server)
        _connect(server, f"tls://127.0.0.1:{port}")
        line = asyncio.run(server.issue())
        other = Laboratory(tmp_path / "other")
        other.prepare()
        other.write_certificate(plan)
        foreign = replace(line, ca=other.trusted(plan))
        for wrong in (foreign, replace(line, ca=None)):
            with pytest.raises(BusUnavailable, match="cannot be trusted"):
                asyncio.run(NatsBus.connect(wrong))


def test_the_authority_stays_and_the_certificate_is_new(laboratory: Laboratory) -> None:
    """Keys of before are good after a restart, with the names of today."""
    plan = plan_of(Listening("0.0.0.0", 1, ("one",)))
    laboratory.write_certificate(plan)
    before, certificate = laboratory.trusted(plan), (laboratory.path / "server.pem").read_text()
    laboratory.write_certificate(replace(plan, listening=Listening("0.0.0.0", 1, ("two",))))
    assert laboratory.trusted(plan) == before
    assert (laboratory.path / "server.pem").read_text() != certificate


def test_a_damaged_authority_is_told(laboratory: Laboratory) -> None:
    """It is not replaced silently: every host trusts it."""
    plan = plan_of(Listening("0.0.0.0", 1, ("one",)))
    laboratory.write_certificate(plan)
    (laboratory.path / "authority.key").write_text("rubbish")
    with pytest.raises(UntrustedFile, match="cannot be made"):
        laboratory.write_certificate(plan)


def test_the_configuration_is_json_that_names_no_one_else() -> None:
    """There is no user without a key, and no account beside the networks, their stores and SYS."""
    plan = plan_of(Listening())
    made = json.loads(as_text(configuration(plan, Paths(Path("/streams")))))
    assert set(made["accounts"]) == {"SYS", "lab", "lab_store"}
    assert "no_auth_user" not in made
    assert made["host"] == "127.0.0.1"
