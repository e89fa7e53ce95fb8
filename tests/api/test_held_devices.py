"""What clients hold on kernel devices: killed services, cut networks, other programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.attack.target import Target
from tests.drivers.linux.kernel import (
    host_sends,
    inside,
    ip,
    keep_quiet,
    move,
    namespace,
    needs_kernel,
    set_up,
)
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.wire import BATCH, RAW

pytestmark = needs_kernel

HALVES = [{"destination": "0.0.0.0/1"}, {"destination": "128.0.0.0/1"}]
BODY = {"name": "Lab", "addresses": ["10.9.0.1/24"], "routes": HALVES}


def nothing_left(link: str) -> bool:
    """Say whether the kernel has neither the device nor a route or an address of it."""
    return link not in ip("-o", "link") + ip("-o", "addr") + ip("route", "show", "table", "all")


def adapters(service: RunningService) -> list[dict[str, Any]]:
    """Return the adapters as the system has them now."""
    return list(service.http.get("/v1/adapters").json())


# A service of its own process


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """A service on kernel devices that can be killed and started again."""
    with namespace():
        keep_quiet()
        target = Target(tmp_path, driver="linux", descriptors=None, LOG_LEVEL="info")
        target.start()
        try:
            yield target
        finally:
            target.stop()


@contextmanager
def holding(target: Target, guid: str, query: str) -> Iterator[ClientConnection]:
    """Hold an adapter of a target."""
    with connect(
        f"ws://{target.authority}/v1/adapters/{guid}/packets?{query}",
        additional_headers={"Authorization": f"Bearer {target.admin}"},
        subprotocols=[Subprotocol(RAW)],
        compression=None,
    ) as socket:
        yield socket


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_service_that_ends_and_starts_again(target: Target, way: str) -> None:
    """The adapter waits for its client; without one it is deleted, with its routes."""
    made = target.made("/v1/adapters", BODY)
    guid, link = made["guid"], made["interface_name"]
    file = target.data / "holds.json"
    with holding(target, guid, "ends=adapter&grace=0"):
        assert json.loads(file.read_text()) == [{"adapter": guid, "grace": 0}]
        assert file.stat().st_mode & 0o777 == 0o600
        getattr(target, way)()
    assert not nothing_left(link)
    target.start()
    with holding(target, guid, "ends=adapter&grace=60"):  # a client that came back
        assert target.call("GET", "/v1/sessions").json()[0]["holders"] == 1
        assert json.loads(file.read_text()) == [{"adapter": guid, "grace": 60}]
        assert not nothing_left(link)
    (session,) = target.call("GET", "/v1/sessions").json()
    assert (session["ends"], session["holders"]) == ("adapter", 0)
    target.call("DELETE", f"/v1/adapters/{guid}")
    made = target.made("/v1/adapters", BODY)
    with holding(target, made["guid"], "ends=adapter&grace=0"):
        getattr(target, way)()
    target.start()
    assert [one["guid"] for one in target.call("GET", "/v1/adapters").json()] == [guid]
    until(lambda: nothing_left(link))  # after five seconds
    until(lambda: target.call("GET", "/v1/adapters").json() == [])
    assert target.call("GET", "/v1/sessions").json() == []
    until(lambda: json.loads(file.read_text()) == [])


def test_what_is_not_held_survives(target: Target) -> None:
    """Beside an adapter that is deleted, others stay: never held, or held with ends=session."""
    plain = target.made("/v1/adapters", {"name": "Plain"})
    weak = target.made("/v1/adapters", {"name": "Weak"})
    held = target.made("/v1/adapters", {"name": "Held"})
    with ExitStack() as stack:
        for one, ends in ((plain, "nothing"), (weak, "session"), (held, "adapter")):
            stack.enter_context(holding(target, one["guid"], f"ends={ends}&grace=0"))
        target.kill()
    target.start()
    until(lambda: len(target.call("GET", "/v1/adapters").json()) == 2)
    names = {one["name"] for one in target.call("GET", "/v1/adapters").json()}
    assert names == {"Plain", "Weak"}


# A service in this process


@pytest.mark.parametrize("way", ["closed", "killed"])
def test_nothing_is_left_in_the_kernel(kernel_service: RunningService, way: str) -> None:
    """Device, addresses, routes and session are gone with the client."""
    service = kernel_service
    made = service.adapter(**BODY)
    path = f"/v1/adapters/{made['guid']}/packets?ends=adapter&grace=0"
    if way == "closed":
        with open_websocket(service, path, BATCH):
            assert not nothing_left(made["interface_name"])
    else:
        program = (
            "import sys; from websockets.sync.client import connect\n"
            "with connect(sys.argv[1], additional_headers={'Authorization': sys.argv[2]}) as one:\n"
            "    print(flush=True)\n"
            "    for _ in one: pass\n"
        )
        url = f"ws://127.0.0.1:{service.port}{path}"
        command = [sys.executable, "-c", program, url, service.http.headers["Authorization"]]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline()
            client.kill()
    until(lambda: nothing_left(made["interface_name"]))
    until(lambda: adapters(service) == [])
    assert service.http.get("/v1/sessions").json() == []


def test_another_program_deletes_the_device(kernel_service: RunningService) -> None:
    """The hold ends with it; an adapter that is made again with its GUID is not held."""
    service = kernel_service
    made = service.adapter(**BODY)
    path = f"/v1/adapters/{made['guid']}/packets?ends=adapter&grace=60"
    with open_websocket(service, path, BATCH):
        pass
    until(lambda: service.http.get("/v1/sessions").json()[0]["ends_at"])
    file = service.settings.data_dir / "holds.json"
    assert json.loads(file.read_text()) != []
    ip("link", "delete", made["interface_name"])
    until(lambda: adapters(service) == [])
    until(lambda: json.loads(file.read_text()) == [])
    again = service.adapter(**BODY)
    assert again["guid"] == made["guid"]
    session = service.session(again)
    assert (session["ends"], session["ends_at"]) == ("nothing", None)


@pytest.mark.parametrize("floods", [False, True], ids=["idle", "flood"])
def test_a_network_that_is_cut(tmp_path: Path, *, floods: bool) -> None:
    """The pings of the service notice it, also while packets wait that cannot be sent."""
    with namespace(), Path("/proc/thread-self/ns/net").open() as home:
        keep_quiet()
        with running(
            tmp_path,
            driver="linux",
            host="0.0.0.0",
            allow_insecure_bind=True,
            allowed_hosts=("10.99.0.1",),
            log_level="warning",
        ) as service:
            service.server.config.ws_ping_interval = 0.3
            service.server.config.ws_ping_timeout = 0.5
            made = service.adapter(**BODY)
            with namespace():  # the client's
                ip("link", "add", "far", "type", "veth", "peer", "name", "near")
                move("near", home.fileno())
                with inside(home.fileno()):
                    ip("address", "add", "10.99.0.1/24", "dev", "near")
                    set_up("near")
                ip("address", "add", "10.99.0.2/24", "dev", "far")
                set_up("far")
                client = connect(
                    f"ws://10.99.0.1:{service.port}/v1/adapters/{made['guid']}/packets"
                    "?ends=adapter&grace=0",
                    additional_headers={"Authorization": service.http.headers["Authorization"]},
                    compression=None,
                    open_timeout=30,
                )
                if floods:  # more than the client's buffers hold, which does not read
                    with inside(home.fileno()):
                        for _ in range(10_000):
                            host_sends("10.9.0.2", bytes(1300))
                ip("link", "set", "far", "down")
            until(lambda: nothing_left(made["interface_name"]))
            until(lambda: adapters(service) == [])
            client.socket.close()
