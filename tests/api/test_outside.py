"""What other programs change on a kernel adapter: an event, the difference, and one call back."""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.linux import kernel
from tests.drivers.linux.kernel import ip, needs_kernel
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running
from wintun_api.choices import Scope
from wintun_api.client import Accounts
from wintun_api.drivers.linux import tun
from wintun_api.packet import build

pytestmark = needs_kernel
fcntl = pytest.importorskip("fcntl")

NAME = "A1"
SETTINGS: dict[str, Any] = {
    "mtu": 1420,
    "addresses": ["10.6.7.7/24", "fd06:7::7/64"],
    "routes": [
        {"destination": "10.20.0.0/16", "next_hop": None, "metric": 0},
        {"destination": "fd20::/32", "next_hop": None, "metric": 7},
    ],
}
PACKET = build.udp("10.6.7.8", "10.6.7.7", 1, 2, bytes(100))
TUNSETIFINDEX = 0x400454DA
WITHIN = 5.0  # seconds: the bound is one, and machines are busy


class Events:
    """The events of a service after a snapshot."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self.seen: list[dict[str, Any]] = []

    def until(self, kind: str, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Return the data of the first event of a kind that holds."""
        deadline = time.monotonic() + WITHIN
        while True:
            event = json.loads(self._socket.recv(timeout=max(0, deadline - time.monotonic())))
            self.seen.append(event)
            if event["type"] == kind and holds(event["data"]):
                return dict(event["data"])


@contextmanager
def events(service: RunningService) -> Iterator[Events]:
    with open_websocket(service, "/v1/events") as socket:
        assert json.loads(socket.recv(timeout=30))["type"] == "snapshot"
        yield Events(socket)


@pytest.fixture
def adapter(kernel_service: RunningService) -> dict[str, Any]:
    return kernel_service.adapter(name=NAME, **SETTINGS)


def path_of(adapter: dict[str, Any]) -> str:
    return f"/v1/adapters/{adapter['guid']}"


def restored(service: RunningService, adapter: dict[str, Any]) -> None:
    """Restore the adapter, and see that all of it is as it was asked for."""
    answer = service.http.post(f"{path_of(adapter)}/restore")
    assert answer.status_code == 200, answer.text
    again = service.http.get(path_of(adapter)).json()
    for now in (answer.json(), again):
        assert now["wanted"] is None
        assert now["difference"] is None
        assert now["link_up"] is True
        assert {name: now[name] for name in SETTINGS} | {"addresses": ours(now)} == SETTINGS
    alias = f"alias wintun-api/1/{adapter['guid']}/wintun-api/{NAME}"
    assert alias in ip("link", "show", now["interface_name"])


def ours(adapter: dict[str, Any]) -> list[str]:
    """Return the addresses but for the kernel's own link-local ones."""
    return [one for one in adapter["addresses"] if not one.startswith("fe80:")]


ALIASES: dict[str, list[list[str]]] = {
    "uplink": [["link", "set", NAME, "alias", "uplink"]],
    "emptied": [["link", "set", NAME, "alias", ""]],
    "of another": [
        ["link", "set", NAME, "alias", f"wintun-api/1/{'1' * 8}-1111-1111-1111-{'1' * 12}/p/B1"]
    ],
    "and renamed": [
        ["link", "set", NAME, "alias", "uplink"],
        ["link", "set", NAME, "down"],
        ["link", "set", NAME, "name", "B1"],
        ["link", "set", "B1", "up"],
    ],
    "and regrouped": [
        ["link", "set", NAME, "group", "7"],
        ["link", "property", "add", "dev", NAME, "altname", "theirs"],
        ["link", "set", NAME, "alias", "x" * 200],
    ],
}


@pytest.mark.parametrize("session", [False, True], ids=["no session", "session"])
@pytest.mark.parametrize("commands", ALIASES.values(), ids=ALIASES)
def test_a_changed_alias(
    kernel_service: RunningService,
    adapter: dict[str, Any],
    commands: list[list[str]],
    session: bool,
) -> None:
    """The adapter is still the adapter: told of, listed, changed, restored and deleted."""
    service, path = kernel_service, path_of(adapter)
    running_session = service.session(adapter) if session else None
    with events(service) as heard:
        for command in commands:
            ip(*command)
        told = heard.until("adapter.changed", lambda data: (data["wanted"] or {}).get("marks"))
    assert told["guid"] == adapter["guid"]
    alias = f"alias wintun-api/1/{adapter['guid']}/wintun-api/{NAME}"
    assert told["wanted"]["marks"] == [alias]
    (listed,) = service.http.get("/v1/adapters").json()
    assert (listed["guid"], listed["name"]) == (adapter["guid"], NAME)
    changed = service.http.patch(path, json={"mtu": 1300})
    assert changed.status_code == 200, changed.text
    assert service.http.patch(path, json={"mtu": 1420}).json()["mtu"] == 1420
    if running_session is not None:
        with service.packets(running_session["id"], direction="none") as stream:
            assert stream.send([PACKET] * 5).accepted == 5
    restored(service, adapter)
    assert service.http.delete(path).status_code == 200
    assert service.http.get("/v1/adapters").json() == []
    assert "tun" not in ip("-d", "link", "show")


def test_every_mark_taken_away(kernel_service: RunningService, adapter: dict[str, Any]) -> None:
    """With alias and alternative names gone too, a running service knows its adapter."""
    path = path_of(adapter)
    with events(kernel_service) as heard:
        take_marks()
        told = heard.until(
            "adapter.changed", lambda data: len((data["wanted"] or {}).get("marks", ())) == 2
        )
    assert told["wanted"]["marks"][1].startswith(f"altname wintun-api-1-{adapter['guid']}")
    assert kernel_service.http.patch(path, json={"mtu": 1400}).status_code == 200
    assert kernel_service.http.patch(path, json={"mtu": 1420}).status_code == 200
    restored(kernel_service, adapter)
    assert kernel_service.http.delete(path).status_code == 200


def take_marks() -> None:
    """Take the alias, and every alternative name, from the device."""
    ip("link", "set", NAME, "alias", "")
    (shown,) = json.loads(ip("-j", "link", "show", NAME))
    for name in shown["altnames"]:
        ip("link", "property", "del", "dev", NAME, "altname", name)


def test_an_index_used_again(kernel_service: RunningService, adapter: dict[str, Any]) -> None:
    """A device of the index of a deleted adapter is not believed to be the adapter."""
    with events(kernel_service) as heard:
        take_marks()
        heard.until("adapter.changed", lambda data: data["wanted"])
        ip("link", "del", NAME)
        other = tun_of_index(NAME, adapter["interface_index"])
        heard.until("adapter.deleted", lambda data: data["guid"] == adapter["guid"])
    assert kernel_service.http.get("/v1/adapters").json() == []
    assert kernel_service.http.delete(path_of(adapter)).status_code == 404
    assert NAME in ip("link", "show", NAME)
    os.close(other)


def tun_of_index(name: str, index: int) -> int:
    """Return a descriptor of a new TUN device with this interface index (if_tun.h)."""
    descriptor = tun.open_device()
    fcntl.ioctl(descriptor, TUNSETIFINDEX, struct.pack("@i", index))
    fcntl.ioctl(descriptor, tun.TUNSETIFF, struct.pack("@16sH22x", name.encode(), 0x1001))
    assert f"{index}: {name}" in ip("link", "show", name)
    return descriptor


def test_an_alias_copied_to_another_device(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """A foreign device with the text of an adapter's alias is not taken for it."""
    alias = f"wintun-api/1/{adapter['guid']}/wintun-api/{NAME}"
    ip("tuntap", "add", "foreign", "mode", "tun")
    ip("link", "set", "foreign", "alias", alias)
    ip("link", "set", NAME, "alias", "swapped")
    (listed,) = kernel_service.http.get("/v1/adapters").json()
    assert listed["interface_name"] == NAME
    assert kernel_service.http.delete(path_of(adapter)).status_code == 200
    assert "foreign" in ip("link", "show", "foreign")


def test_changed_while_the_service_was_down(tmp_path: Path) -> None:
    """An adapter whose alias was changed meanwhile is found, restored and deleted."""
    with kernel.namespace():
        with running(tmp_path, driver="linux") as service:
            adapter = service.adapter(name=NAME, **SETTINGS)
        ip("link", "set", NAME, "alias", "uplink")
        with running(tmp_path, driver="linux") as service:
            (listed,) = service.http.get("/v1/adapters").json()
            assert (listed["guid"], listed["name"]) == (adapter["guid"], NAME)
            assert service.http.post(f"{path_of(adapter)}/restore").json()["wanted"] is None
            ip("link", "set", NAME, "alias", "")
        with running(tmp_path, driver="linux") as service:
            assert service.http.delete(path_of(adapter)).status_code == 200


def test_up_means_that_the_link_is_up(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """A session brings it up, another program sets it down and up again, and its end ends it."""
    assert adapter["state"] == "down"
    with events(kernel_service) as heard:
        session = kernel_service.session(adapter)
        up = heard.until("adapter.changed", lambda now: now["state"] == "up")
        assert (up["session"], up["link_up"]) == (session["id"], True)
        ip("link", "set", NAME, "down")
        down = heard.until("adapter.changed", lambda now: now["state"] == "down")
        assert (down["session"], down["link_up"]) == (session["id"], False)
        ip("link", "set", NAME, "up")
        heard.until("adapter.changed", lambda now: now["state"] == "up")
        kernel_service.http.delete(f"/v1/sessions/{session['id']}")
        last = heard.until("adapter.changed", lambda now: now["state"] == "down")
        assert last["session"] is None


def test_a_session_of_another_program(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """The link is up while another program has a session, though the service has none."""
    with events(kernel_service) as heard:
        descriptor = tun.open_device()
        fcntl.ioctl(descriptor, tun.TUNSETIFF, struct.pack("@16sH22x", NAME.encode(), 0x1001))
        up = heard.until("adapter.changed", lambda now: now["state"] == "up")
        assert up["session"] is None
        os.close(descriptor)
        heard.until("adapter.changed", lambda now: now["state"] == "down")


OTHERS: dict[str, tuple[list[list[str]], list[str]]] = {
    "added": ([["route", "add", "10.70.0.0/16", "dev", NAME]], ["10.70.0.0/16"]),
    "IPv6 added": ([["-6", "route", "add", "fd70::/32", "dev", NAME]], ["fd70::/32"]),
    "deleted": (
        [
            ["route", "add", "10.70.0.0/16", "dev", NAME],
            ["route", "add", "10.71.0.0/16", "dev", NAME, "proto", "bgp"],
            ["route", "del", "10.70.0.0/16", "dev", NAME],
        ],
        ["10.71.0.0/16"],
    ),
    "replaced elsewhere": (
        [
            ["route", "add", "10.70.0.0/16", "dev", NAME],
            ["route", "add", "10.71.0.0/16", "dev", NAME],
            ["route", "replace", "blackhole", "10.70.0.0/16"],
        ],
        ["10.71.0.0/16"],
    ),
    "lost with the link": (
        [
            ["route", "add", "10.70.0.0/16", "dev", NAME],
            ["link", "set", NAME, "down"],
            ["link", "set", NAME, "up"],
            ["route", "add", "10.72.0.0/16", "dev", NAME],
        ],
        ["10.72.0.0/16"],
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_routes_of_other_programs(
    kernel_service: RunningService, adapter: dict[str, Any], case: str
) -> None:
    """An event tells of them; they are not taken for a difference."""
    commands, left = OTHERS[case]
    with events(kernel_service) as heard:
        for command in commands:
            ip(*command)
        told = heard.until(
            "adapter.changed",
            lambda now: [one["destination"] for one in now["other_routes"]] == left,
        )
    assert told["other_routes_total"] == len(left)
    assert "routes" not in ((told["difference"] or {}).get("extra") or {})


CHANGES: dict[str, tuple[list[str], Callable[[dict[str, Any]], object]]] = {
    "address deleted": (
        ["addr", "del", "10.6.7.7/24", "dev", NAME],
        lambda now: now["difference"]["missing"].get("addresses") == ["10.6.7.7/24"],
    ),
    "addresses flushed": (
        ["addr", "flush", "dev", NAME, "scope", "global"],
        lambda now: now["difference"]["missing"].get("addresses") == SETTINGS["addresses"],
    ),
    "address added": (
        ["addr", "add", "10.9.9.9/32", "dev", NAME],
        lambda now: now["difference"]["extra"] == {"addresses": ["10.9.9.9/32"]},
    ),
    "IPv6 address added": (
        ["addr", "add", "fd99::9/64", "dev", NAME, "nodad"],
        lambda now: now["difference"]["extra"] == {"addresses": ["fd99::9/64"]},
    ),
    "route deleted": (
        ["route", "del", "10.20.0.0/16", "dev", NAME],
        lambda now: now["difference"]["missing"] == {"routes": SETTINGS["routes"][:1]},
    ),
    "IPv6 routes flushed": (
        ["-6", "route", "flush", "dev", NAME, "proto", "87"],
        lambda now: now["difference"]["missing"] == {"routes": SETTINGS["routes"][1:]},
    ),
    "route to the network of an address deleted": (
        ["route", "del", "10.6.7.0/24", "dev", NAME],
        lambda now: now["difference"]["missing"] == {"addresses": ["10.6.7.7/24"]},
    ),
    "IPv6 route to the network of an address deleted": (
        ["-6", "route", "del", "fd06:7::/64", "dev", NAME],
        lambda now: now["difference"]["missing"] == {"addresses": ["fd06:7::7/64"]},
    ),
    "route to the network of an address replaced": (
        ["route", "replace", "10.6.7.0/24", "via", "10.6.7.9", "dev", NAME],
        lambda now: now["difference"]["missing"] == {"addresses": ["10.6.7.7/24"]},
    ),
    "all routes flushed": (
        ["route", "flush", "dev", NAME],
        lambda now: (
            now["difference"]["missing"]
            == {"addresses": ["10.6.7.7/24"], "routes": SETTINGS["routes"][:1]}
        ),
    ),
    "address with an end": (
        ["addr", "change", "10.6.7.7/24", "dev", NAME, "valid_lft", "600", "preferred_lft", "600"],
        lambda now: now["difference"]["missing"] == {"addresses": ["10.6.7.7/24"]},
    ),
    "address deprecated": (
        ["addr", "change", "fd06:7::7/64", "dev", NAME, "preferred_lft", "0"],
        lambda now: now["difference"]["missing"] == {"addresses": ["fd06:7::7/64"]},
    ),
    "MTU": (["link", "set", NAME, "mtu", "1300"], lambda now: now["wanted"] == {"mtu": 1420}),
    "small MTU": (
        ["link", "set", NAME, "mtu", "600"],
        lambda now: (
            now["difference"]["missing"]
            == {"addresses": ["fd06:7::7/64"], "routes": SETTINGS["routes"][1:]}
        ),
    ),
    "set down": (
        ["link", "set", NAME, "down"],
        lambda now: now["wanted"]["link_up"] and not now["link_up"],
    ),
}


@pytest.mark.parametrize("session", [False, True], ids=["no session", "session"])
@pytest.mark.parametrize("change", CHANGES)
def test_changed_by_another_program(
    kernel_service: RunningService, adapter: dict[str, Any], change: str, session: bool
) -> None:
    """An event tells exactly what is otherwise, and restoring makes it as it was asked for."""
    if session:
        kernel_service.session(adapter)
    command, holds = CHANGES[change]
    with events(kernel_service) as heard:
        ip(*command)
        heard.until("adapter.changed", lambda now: now["wanted"] and holds(now))
        restored(kernel_service, adapter)
        heard.until("adapter.changed", lambda now: now["wanted"] is None)


@pytest.mark.parametrize(
    ("family", "command"),
    [
        ("-4", ["replace", "10.20.0.0/16", "dev", NAME, "proto", "static"]),
        ("-4", ["change", "10.20.0.0/16", "dev", NAME, "proto", "bgp"]),
        ("-4", ["replace", "blackhole", "10.20.0.0/16"]),
        ("-6", ["replace", "IPV6", "dev", NAME, "proto", "static"]),
    ],
    ids=["static", "bgp", "blackhole", "IPv6"],
)
def test_a_route_replaced_by_another_program(
    kernel_service: RunningService, adapter: dict[str, Any], family: str, command: list[str]
) -> None:
    """It is ours no more, which an event tells; it is not taken back, but whose it is is told."""
    ours = SETTINGS["routes"][0 if family == "-4" else 1]
    hop = ["via", ours["next_hop"]] if ours["next_hop"] and "blackhole" not in command else []
    metric = ["metric", str(ours["metric"])] if ours["metric"] else []
    words = [ours["destination"] if word == "IPV6" else word for word in command]
    with events(kernel_service) as heard:
        ip(family, "route", *words, *hop, *metric)
        heard.until(
            "adapter.changed",
            lambda now: now["wanted"] and now["difference"]["missing"] == {"routes": [ours]},
        )
    answer = kernel_service.http.post(f"{path_of(adapter)}/restore")
    assert answer.status_code == 409, answer.text
    assert ours["destination"] in answer.json()["detail"]
    ip(family, "route", "flush", "exact", ours["destination"])
    restored(kernel_service, adapter)


def test_an_address_that_got_a_peer(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """The same address and prefix with another end is not the address that was asked for."""
    with events(kernel_service) as heard:
        ip("addr", "del", "10.6.7.7/24", "dev", NAME)
        ip("addr", "add", "10.6.7.7", "peer", "10.6.7.1/24", "dev", NAME)
        heard.until(
            "adapter.changed",
            lambda now: (
                "10.6.7.7/24" in now["addresses"]
                and now["difference"]["missing"].get("addresses") == ["10.6.7.7/24"]
            ),
        )
    restored(kernel_service, adapter)
    assert "peer" not in ip("addr", "show", "dev", NAME)


def test_the_same_patch_brings_it_back(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """What was flushed is there again after the request that set it first."""
    with events(kernel_service) as heard:
        ip("addr", "flush", "dev", NAME)
        heard.until("adapter.changed", lambda now: now["wanted"])
    again = kernel_service.http.patch(path_of(adapter), json=SETTINGS).json()
    assert again["wanted"] is None
    assert ours(again) == SETTINGS["addresses"]


def test_the_same_patch_on_a_link_that_was_set_down(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """It sets the link up, which routes need; a change without routes leaves it down."""
    ip("link", "set", NAME, "down")
    now = kernel_service.http.patch(path_of(adapter), json={"mtu": 1400}).json()
    assert (now["link_up"], now["wanted"]["link_up"]) == (False, True)
    answer = kernel_service.http.patch(path_of(adapter), json=SETTINGS)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["link_up"], answer.json()["wanted"]) == (True, None)
    assert "10.20.0.0/16" in ip("route", "show", "dev", NAME)


def test_a_burst_of_changes(kernel_service: RunningService, adapter: dict[str, Any]) -> None:
    """Hundreds of changes at once are a few events, and the last one has the last state."""
    with events(kernel_service) as heard:
        kernel.ip_batch("\n".join(f"link set {NAME} mtu {mtu}" for mtu in range(1300, 1701)))
        heard.until("adapter.changed", lambda now: now["mtu"] == 1700)
        assert len(heard.seen) <= 1 + 5 * WITHIN
    restored(kernel_service, adapter)


def test_a_reader_sees_what_it_has_just_changed(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """A request after a change reads it, also while the service reads by itself."""
    mtu, end = 1300, time.monotonic() + 2
    while time.monotonic() < end:
        mtu += 1
        ip("link", "set", NAME, "mtu", str(mtu))
        assert kernel_service.http.get(path_of(adapter)).json()["mtu"] == mtu
        (listed,) = kernel_service.http.get("/v1/adapters").json()
        assert listed["mtu"] == mtu


def test_deleted_and_created_by_others(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """An adapter that another program deletes is told of, with a session and without."""
    with events(kernel_service) as heard:
        ip("link", "del", NAME)
        heard.until("adapter.deleted", lambda data: data["guid"] == adapter["guid"])
    again = kernel_service.adapter(name=NAME, **SETTINGS)
    kernel_service.session(again)
    with events(kernel_service) as heard:
        ip("link", "del", NAME)
        heard.until("session.ended", lambda data: data["adapter"] == again["guid"])
        heard.until("adapter.deleted", lambda data: data["guid"] == again["guid"])


def test_nothing_changes_by_itself(kernel_service: RunningService, adapter: dict[str, Any]) -> None:
    """Restoring what is as it was asked for changes nothing."""
    before = ip("addr", "show", NAME), ip("route", "show"), ip("-6", "route", "show")
    restored(kernel_service, adapter)
    assert (ip("addr", "show", NAME), ip("route", "show"), ip("-6", "route", "show")) == before


def test_down_up_down(kernel_service: RunningService, adapter: dict[str, Any]) -> None:
    """Packets sent while the link is down are refused, in acks, counters and events; each time."""
    session = kernel_service.session(adapter)["id"]
    with (
        events(kernel_service) as heard,
        kernel_service.packets(session, direction="none") as stream,
    ):

        def inject(count: int) -> Accounts:
            return stream.send([PACKET] * count)

        assert inject(10).accepted == 10
        for down in (1, 2):
            ip("link", "set", NAME, "down")
            found_down = inject(100)
            assert (found_down.accepted, found_down.refused) == (0, {"link_down": 100})
            told = heard.until("session.loss", lambda data: data["cause"] == "refused_link_down")
            assert told["count"] == 100
            ip("link", "set", NAME, "up")
            assert inject(10).accepted == 10
            counters = kernel_service.counters(session)
            assert counters["lost"]["refused"] == {"link_down": 100 * down}
            assert counters["injected"]["packets"] == 10 + 10 * down
        restored(kernel_service, adapter)


def test_restore_asks_for_the_scope_of_patch(
    kernel_service: RunningService, adapter: dict[str, Any]
) -> None:
    """A reader may not restore; who does is in the audit; an unknown adapter is a 404."""
    path = f"{path_of(adapter)}/restore"
    with kernel_service.client(kernel_service.token(Scope.READ)) as reader:
        assert reader.post(path).status_code == 403
    with events(kernel_service) as heard:
        assert kernel_service.http.post(path).status_code == 200
        told = heard.until("audit.change", lambda data: data["operation"] == "restore_adapter")
    assert (told["method"], told["path"], told["status"]) == ("POST", path, 200)
    unknown = "/v1/adapters/00000000-0000-4000-8000-000000000000/restore"
    assert kernel_service.http.post(unknown).status_code == 404
