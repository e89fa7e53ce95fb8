"""A renewed certificate is taken up without a restart, and a broken one costs nothing."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from websockets.asyncio.client import connect

from tests.certificates import make_certificate, shown_at
from tests.cli.commands import Program
from tests.posix import hang_up
from tests.running import TOKEN, RunningService, any_certificate, running
from wintun_api.api import certificate as module

AUTH = {"Authorization": f"Bearer {TOKEN}"}


class Renewal:
    """A service with TLS, the files of its certificate, and a pair to put in their place."""

    def __init__(self, service: RunningService, tmp_path: Path) -> None:
        self.service = service
        self.certificate, self.key = tmp_path / "now.pem", tmp_path / "now.key"
        self.new_certificate, self.new_key = make_certificate(tmp_path / "new")
        self.old, self.new = self.certificate.read_text(), self.new_certificate.read_text()

    def shown(self) -> str:
        """Say which certificate a new connection is shown."""
        found = shown_at(self.service.port)
        return "old" if found == self.old else "new" if found == self.new else "another"

    def replace(self, *, certificate: bool = True, key: bool = True) -> None:
        """Put the new files in place of the old ones."""
        if certificate:
            shutil.copy(self.new_certificate, self.certificate)
        if key:
            shutil.copy(self.new_key, self.key)


@pytest.fixture
def renewal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Renewal]:
    """A service that looks at its files for every connection."""
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    certificate, key = make_certificate(tmp_path / "old")
    shutil.copy(certificate, tmp_path / "now.pem")
    shutil.copy(key, tmp_path / "now.key")
    certificate, key = tmp_path / "now.pem", tmp_path / "now.key"
    with running(tmp_path, tls_certificate=certificate, tls_key=key) as service:
        yield Renewal(service, tmp_path)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings so far."""
    return [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]


def test_it_is_taken_up_by_itself(renewal: Renewal) -> None:
    """New connections are shown the new certificate; a stream that is open goes on."""
    asyncio.run(renew_beside_a_stream(renewal))


async def renew_beside_a_stream(renewal: Renewal) -> None:
    """Replace the files while a stream is open."""
    url = f"wss://127.0.0.1:{renewal.service.port}/v1/events"
    async with (
        asyncio.timeout(60),
        connect(url, ssl=any_certificate(), additional_headers=AUTH, open_timeout=30) as stream,
    ):
        assert '"snapshot"' in str(await stream.recv())
        assert await asyncio.to_thread(renewal.shown) == "old"
        renewal.replace()
        assert await asyncio.to_thread(renewal.shown) == "new"
        await (await stream.ping())
        assert await asyncio.to_thread(renewal.shown) == "new"


def test_one_file_after_the_other(renewal: Renewal, caplog: pytest.LogCaptureFixture) -> None:
    """Until both files are new the old pair serves, and the log has one sentence about it."""
    for step in ({"certificate": True, "key": False}, {"certificate": False, "key": True}):
        renewal.replace(**step)
        expected = "old" if step["certificate"] else "new"
        assert [renewal.shown() for _ in range(3)] == [expected] * 3
    assert len(warnings(caplog)) == 1
    assert "keeps the old TLS certificate" in warnings(caplog)[0]


def test_the_key_before_the_certificate(renewal: Renewal, caplog: pytest.LogCaptureFixture) -> None:
    """The other order is as good."""
    renewal.replace(certificate=False)
    assert renewal.shown() == "old"
    renewal.replace(key=False)
    assert renewal.shown() == "new"
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("broken", ["", "no certificate\n", None])
def test_a_broken_one(
    renewal: Renewal, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be used is told once and changes nothing; a good one later is taken up."""
    if broken is None:
        renewal.certificate.unlink()
    else:
        renewal.certificate.write_text(broken)
    assert [renewal.shown() for _ in range(3)] == ["old"] * 3
    assert len(warnings(caplog)) == 1
    renewal.replace()
    assert renewal.shown() == "new"


def test_files_are_not_looked_at_for_every_connection(
    renewal: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a minute the files are not looked at again, but when they are asked for."""
    monkeypatch.setattr(module, "INTERVAL", 60.0)
    renewal.replace()
    assert renewal.shown() == "old"
    done = Event()
    certificate = renewal.service.server.certificate
    assert certificate is not None

    def renew() -> None:
        certificate.renew()
        done.set()

    renewal.service.loop.call_soon_threadsafe(renew)
    assert done.wait(30)
    assert renewal.shown() == "new"


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
def test_hangup(tmp_path: Path) -> None:
    """SIGHUP takes a new certificate up at once, keeps the old one else, and ends nothing."""
    certificate, key = make_certificate(tmp_path / "old")
    new, new_key = make_certificate(tmp_path / "new")
    files = ("--tls-certificate", str(certificate), "--tls-key", str(key))
    command = ("serve", "--driver", "emulated", "--port", "0", *files)
    with closing(Program(tmp_path / "program", *command)) as program:
        url = program.wait_for(r"(https://127\.0\.0\.1:\d+)")[1]
        token = Path(program.wait_for(r"token file: ([^)]+)")[1]).read_text().strip()
        port = int(url.rpartition(":")[2])
        old_text, new_text = certificate.read_text(), new.read_text()
        events = f"{url.replace('https', 'wss')}/v1/events"
        headers = {"Authorization": f"Bearer {token}"}

        def renew() -> None:
            shutil.copy(new, certificate)
            hang_up(program.process)
            program.wait_for("keeps the old TLS certificate")
            assert shown_at(port) == old_text
            shutil.copy(new_key, key)
            hang_up(program.process)
            program.wait_for("was reloaded")
            assert shown_at(port) == new_text

        async def renew_beside_a_stream() -> None:
            async with (
                asyncio.timeout(120),
                connect(events, ssl=any_certificate(), additional_headers=headers) as stream,
            ):
                await asyncio.to_thread(renew)
                await (await stream.ping())

        asyncio.run(renew_beside_a_stream())
        assert program.end()[0] == 0
        assert "Traceback" not in program.stderr
