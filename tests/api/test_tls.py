"""Over TLS too, *received = delivered + lost by cause* holds to the packet, whatever ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.host import numbers, start
from tests.api.watcher import Watcher, counts_of, delete_adapter, delete_session, flood, the_session
from tests.capture.samples import statistics
from tests.certificates import make_certificate
from tests.conftest import Rig
from tests.running import TOKEN, running
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.choices import Scope
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.hub import ending as ending_module
from wintun_api.hub import sessions
from wintun_api.wire import BATCH, PCAPNG, RAW

NewLoop = Callable[[], asyncio.AbstractEventLoop]
TOTAL = 3_000
QUERY = "?overflow={}&queue_packets=500&direction=received"


@pytest.fixture(params=["asyncio", "uvloop"])
def new_loop(request: pytest.FixtureRequest) -> NewLoop | None:
    """Each event loop that the service may run on."""
    if request.param == "uvloop":
        return pytest.importorskip("uvloop").new_event_loop  # type: ignore[no-any-return]
    return None


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of a service with TLS, which leaves little to the kernel."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    return {"tls_certificate": certificate, "tls_key": key, "socket_bytes": 64 * 1024}


@contextmanager
def rig_of(path: Path, new_loop: NewLoop | None, **settings: Any) -> Iterator[Rig]:
    """A service with TLS."""
    library = EmulatedLibrary()
    with running(path, emulated_driver(library), new_loop=new_loop, **settings) as service:
        yield Rig(service, library)


def stop_service(rig: Rig, session: str) -> dict[str, Any]:
    """End the service; return the session's last counters."""
    managed = the_session(rig, session)
    rig.service.stop()
    return counts_of(managed)


def revoke_token(rig: Rig, session: str) -> dict[str, Any]:
    """Revoke every token but the admin's; return the session's counters once its clients left."""
    managed = the_session(rig, session)
    for token in rig.service.http.get("/v1/tokens").json():
        rig.service.http.delete(f"/v1/tokens/{token['id']}")
    until(lambda: not managed.clients)
    return counts_of(managed)


ENDINGS: dict[str, Callable[[Rig, str], dict[str, Any]]] = {
    "session": delete_session,
    "adapter": delete_adapter,
    "service": stop_service,
    "token": revoke_token,
}


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize(
    ("protocol", "overflow"),
    [(BATCH, "drop_oldest"), (BATCH, "close"), (RAW, "block"), (PCAPNG, "drop_oldest")],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_stalled_client(
    tmp_path: Path,
    tls: dict[str, Any],
    new_loop: NewLoop | None,
    *,
    ending: str,
    overflow: str,
    protocol: str,
) -> None:
    """What a client that does not read never gets is counted, also what was encrypted already."""
    with rig_of(tmp_path, new_loop, **tls) as rig:
        session = start(rig, capacity=0x4000000)
        managed = the_session(rig, session)
        token = rig.service.token(Scope.CAPTURE) if ending == "token" else TOKEN
        client = Watcher(rig, session, protocol, QUERY.format(overflow), token)
        until(lambda: managed.clients)
        flood(rig, session, TOTAL)
        lost = ENDINGS[ending](rig, session)["lost"]
        client.join()
        losses = lost["queue"] + lost["ended"] + lost["ring"]
        assert lost["queue"] + lost["ended"] > 0
        # One that is let go before the host has sent all is offered nothing more.
        early = ending == "token" or overflow == "close"
        assert client.delivered + losses + (lost["unclaimed"] if early else 0) == TOTAL
        if protocol == BATCH and ending in ("session", "adapter"):
            assert client.lost().total() == losses
        if protocol == PCAPNG and ending in ("session", "adapter"):
            assert statistics(client.file)[1] == losses


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the end of a session wait as long as a busy machine needs."""
    monkeypatch.setattr(ending_module, "FLUSH_PATIENCE", 30.0)
    monkeypatch.setattr(sessions, "ENDING_PATIENCE", 60.0)


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("protocol", [BATCH, RAW])
@pytest.mark.parametrize("ending", ["session", "service"])
@pytest.mark.usefixtures("patient")
def test_a_client_that_comes_back(
    tmp_path: Path,
    tls: dict[str, Any],
    new_loop: NewLoop | None,
    *,
    ending: str,
    protocol: str,
) -> None:
    """One that reads within the patience gets all that was queued, and its close code."""
    with rig_of(tmp_path, new_loop, **tls) as rig:
        session = start(rig, capacity=0x4000000)
        client = Watcher(rig, session, protocol, QUERY.format("block"))
        until(lambda: the_session(rig, session).clients)
        flood(rig, session, TOTAL)
        client.read()
        lost = ENDINGS[ending](rig, session)["lost"]
        client.join()
        assert (lost["ended"], lost["queue"]) == (0, 0)
        assert client.delivered == TOTAL
        assert client.code == (1001 if ending == "service" else 4009)
        if protocol != PCAPNG:
            assert numbers(client.packets) == list(range(TOTAL))


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("ending", ["session", "token"])
def test_an_http_capture(
    tmp_path: Path, tls: dict[str, Any], new_loop: NewLoop | None, ending: str
) -> None:
    """What a stalled file does not hold is in the counters, also where it is cut off."""
    with rig_of(tmp_path, new_loop, **tls) as rig:
        session = start(rig, capacity=0x4000000)
        path = f"/v1/sessions/{session}/capture.pcapng?direction=received"
        token = rig.service.token(Scope.CAPTURE)
        with (
            rig.service.client(token) as http,
            http.stream("GET", path) as answer,
        ):
            parts = answer.iter_raw()
            file = next(parts)
            flood(rig, session, TOTAL)
            if ending == "token":
                counters = revoke_token(rig, session)
            else:
                with rig.service.client(TOKEN) as other:
                    counters = other.delete(f"/v1/sessions/{session}").json()["counters"]
            try:
                for part in parts:
                    file += part
            except Exception:  # cut off
                assert ending == "token"
        lost = counters["lost"]
        delivered = len(list(Reader([file])))
        assert lost["queue"] + lost["ended"] > 0
        early = lost["unclaimed"] if ending == "token" else 0
        assert delivered + lost["queue"] + lost["ended"] + early == TOTAL
