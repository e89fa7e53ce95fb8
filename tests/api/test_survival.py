"""What a change does not mention survives it, and what fails leaves nothing, on every driver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answers import next_event, problem
from tests.conftest import Rig
from tests.drivers.linux.kernel import ip, namespace, needs_kernel
from tests.raw_websocket import open_websocket
from tests.running import RunningService, running

ON_LINK = {"destination": "10.8.0.0/24", "next_hop": None, "metric": 0}
V4 = {"destination": "10.60.0.0/16", "next_hop": None, "metric": 0}
V6 = {"destination": "fd60::/16", "next_hop": None, "metric": 0}
ADDRESSES = ["10.8.0.1/24", "fd08::1/64"]


def on_kernel(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test as one that needs a TUN device and root."""
    for mark in needs_kernel:
        test = mark(test)
    return test


@pytest.fixture(params=["emulated", pytest.param("linux", marks=needs_kernel)])
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service on either driver that has network settings here."""
    if request.param == "emulated":
        with running(tmp_path) as service:
            yield service
        return
    with namespace(), running(tmp_path, driver="linux", log_level="warning") as service:
        yield service


@pytest.fixture
def kernel(kernel_service: RunningService) -> RunningService:
    """A service on kernel devices."""
    return kernel_service


def change(service: RunningService, adapter: dict[str, Any], **settings: Any) -> dict[str, Any]:
    answer = service.http.patch(f"/v1/adapters/{adapter['guid']}", json=settings)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def read(service: RunningService, adapter: dict[str, Any]) -> dict[str, Any]:
    return dict(service.http.get(f"/v1/adapters/{adapter['guid']}").json())


def plain(addresses: list[str]) -> set[str]:
    return {one for one in addresses if not one.startswith("fe80")}


def test_a_route_that_an_address_makes(system: RunningService) -> None:
    """The system's own route is what was asked for; it is listed once, and not taken away."""
    adapter = system.adapter(name="A1", addresses=ADDRESSES, routes=[ON_LINK, V4])
    assert sorted(adapter["routes"], key=str) == [V4, ON_LINK]
    assert adapter["wanted"] is None
    again = change(system, adapter, routes=[V4, ON_LINK])
    assert sorted(again["routes"], key=str) == [V4, ON_LINK]
    assert read(system, adapter) == again
    assert change(system, adapter, routes=[])["routes"] == []


def test_it_survives_its_address(system: RunningService) -> None:
    """Without the address that made it, the route that was asked for is made."""
    adapter = system.adapter(name="A1", addresses=ADDRESSES, routes=[ON_LINK, V6])
    after = change(system, adapter, addresses=["10.9.0.1/24", "fd09::1/64"])
    assert sorted(after["routes"], key=str) == [ON_LINK, V6]
    assert after["wanted"] is None
    after = change(system, adapter, addresses=[])
    assert sorted(after["routes"], key=str) == [ON_LINK, V6]


@pytest.mark.parametrize(
    "settings",
    [
        {"addresses": ["10.8.0.2/24"]},
        {"addresses": []},
        {"mtu": 1300},
        {"mtu": 65535},
        {"name": "A2"},
        {"routes": []},
        {"addresses": ["10.8.0.3/24", "10.8.0.1/24", "fd08::2/64"], "mtu": 1400},
    ],
    ids=str,
)
def test_what_is_not_mentioned(system: RunningService, settings: dict[str, Any]) -> None:
    """Every other setting is as it was."""
    adapter = system.adapter(name="A1", mtu=1420, addresses=ADDRESSES, routes=[V4, V6])
    after = change(system, adapter, **settings)
    for name in ("name", "mtu", "addresses", "routes"):
        expected = settings.get(name, adapter[name])
        if isinstance(expected, list):
            assert sorted(map(str, after[name])) == sorted(map(str, expected))
        else:
            assert after[name] == expected
    assert after["wanted"] is None


@pytest.mark.parametrize("hop", ["10.8.0.1", "fd08::1", "10.8.0.255", "127.0.0.1"])
def test_next_hops_that_cannot_be(system: RunningService, hop: str) -> None:
    """An own, broadcast or loopback address is refused in words, and nothing is made or changed."""
    destination = "fd60::/16" if ":" in hop else "10.60.0.0/16"
    route = {"destination": destination, "next_hop": hop}
    body = {"name": "A1", "addresses": ADDRESSES, "routes": [route]}
    found = problem(system.http.post("/v1/adapters", json=body), 422, "invalid-argument")
    assert f"{hop} cannot be the next hop" in found["detail"]
    assert system.http.get("/v1/adapters").json() == []
    adapter = system.adapter(name="A1", addresses=ADDRESSES, routes=[V4])
    change_ = {"mtu": 1300, "name": "A2", "addresses": ["10.8.0.1/24", "fd08::1/64"]}
    answer = system.http.patch(
        f"/v1/adapters/{adapter['guid']}", json={**change_, "routes": [route]}
    )
    problem(answer, 422, "invalid-argument")
    assert read(system, adapter) == adapter


@pytest.mark.parametrize(
    ("addresses", "says"),
    [
        (["10.8.0.1/24", "10.8.0.1/16"], "two prefix lengths"),
        (["fd08::1/64", "fd08::1/48"], "two prefix lengths"),
        (["127.0.0.1/8"], "cannot be the address of an adapter"),
        (["::1/128"], "cannot be the address of an adapter"),
        (["255.255.255.255/32"], "cannot be the address of an adapter"),
    ],
)
def test_addresses_that_cannot_be(service: RunningService, addresses: list[str], says: str) -> None:
    """What one system would take and another would not is refused on all of them."""
    body = {"name": "A1", "addresses": addresses}
    found = problem(service.http.post("/v1/adapters", json=body), 422, "invalid-request")
    assert says in found["detail"]


@pytest.mark.thorough
def test_many_routes(system: RunningService) -> None:
    """Ten thousand routes come and go in one request; the limit is in /v1/system and the 422."""
    limits = system.http.get("/v1/system").json()["limits"]
    routes = [{"destination": f"20.{n >> 8}.{n & 255}.0/24"} for n in range(10_000)]
    adapter = system.adapter(name="A1", addresses=ADDRESSES)
    after = change(system, adapter, routes=routes)
    assert [one["destination"] for one in after["routes"]] == [one["destination"] for one in routes]
    assert after["wanted"] is None
    assert change(system, adapter, routes=[])["routes"] == []
    most = limits["max_routes"]
    more = [
        {"destination": f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"} for n in range(most + 1)
    ]
    path = f"/v1/adapters/{adapter['guid']}"
    refusal = system.http.patch(path, json={"routes": more})
    assert str(most) in problem(refusal, 422, "invalid-request")["detail"]
    body = json.dumps({"routes": []}).encode() + b" " * limits["max_settings"]
    headers = {"Content-Type": "application/json"}
    refusal = system.http.patch(path, content=body, headers=headers)
    assert str(limits["max_settings"]) in problem(refusal, 413, "content-too-large")["detail"]
    assert read(system, adapter)["routes"] == []


def test_longest_routes_fit(service: RunningService) -> None:
    """As many routes as are allowed, each as long as it can be, are not too large a request."""
    limits = service.http.get("/v1/system").json()["limits"]
    longest = {
        "destination": "2001:0db8:ffff:ffff:ffff:ffff:ffff:ffff/128",
        "next_hop": "2001:0db8:ffff:ffff:ffff:ffff:255.255.255.255",
        "metric": 0x7FFFFFFF,
    }
    assert len(json.dumps(longest, indent=4)) * limits["max_routes"] < limits["max_settings"]


def test_nothing_of_a_change_that_fails(rig: Rig) -> None:
    """The last part of a change is impossible: name, MTU, metric, addresses, routes stay."""
    rig.service.service.context.registry.driver.ip_helper.has_dns = False  # type: ignore[attr-defined]
    service = rig.service
    adapter = service.adapter(name="A1", mtu=1420, metric=5, addresses=ADDRESSES, routes=[V4])
    everything = {
        "name": "A2",
        "mtu": 1300,
        "metric": 7,
        "addresses": ["10.9.0.1/24"],
        "routes": [V6],
        "dns": ["10.9.0.2"],
    }
    answer = service.http.patch(f"/v1/adapters/{adapter['guid']}", json=everything)
    problem(answer, 501, "not-supported")
    assert read(service, adapter) == adapter


def test_ipv6_comes_back(system: RunningService) -> None:
    """With an MTU below 1280 the adapter loses IPv6: it is wanted, told, and put back."""
    adapter = system.adapter(name="A1", mtu=1420, addresses=ADDRESSES, routes=[V4, V6])
    with open_websocket(system, "/v1/events") as events:
        assert next_event(events)["type"] == "snapshot"
        low = change(system, adapter, mtu=1000)
        told = next_event(events)
        while told["type"] != "adapter.changed":
            told = next_event(events)
    assert told["data"]["wanted"] == low["wanted"]
    assert (low["addresses"], low["routes"], low["families"]) == (["10.8.0.1/24"], [V4], [4])
    assert plain(low["wanted"]["addresses"]) == set(ADDRESSES)
    assert sorted(low["wanted"]["routes"], key=str) == [V4, V6]
    high = change(system, adapter, mtu=1420)
    assert plain(high["addresses"]) == set(ADDRESSES)
    assert sorted(high["routes"], key=str) == [V4, V6]
    assert high["wanted"] is None


@on_kernel
def test_ipv6_of_an_opened_adapter(kernel: RunningService, tmp_path: Path) -> None:
    """The settings of an adapter that an earlier service made survive too."""
    made = kernel.adapter(name="A1", mtu=1420, addresses=ADDRESSES, routes=[V4, V6])
    with running(tmp_path / "later", driver="linux", log_level="warning") as later:
        low = change(later, made, mtu=1000)
        assert plain(low["wanted"]["addresses"]) == set(ADDRESSES)
        high = change(later, made, mtu=1420)
        assert plain(high["addresses"]) == set(ADDRESSES)
        assert sorted(high["routes"], key=str) == [V4, V6]


def test_a_change_that_fails(system: RunningService) -> None:
    """IPv6 that the new MTU makes impossible is named; MTU, addresses and routes are as before."""
    adapter = system.adapter(name="A1", mtu=1420, addresses=ADDRESSES, routes=[V4, V6])
    answer = system.http.patch(
        f"/v1/adapters/{adapter['guid']}", json={"mtu": 1000, "addresses": ["fd08::9/64"]}
    )
    found = problem(answer, 422, "setting-refused")
    assert "needs an MTU of 1280 bytes" in found["detail"]
    after = read(system, adapter)
    assert (after["mtu"], after["wanted"]) == (1420, None)
    assert plain(after["addresses"]) == set(ADDRESSES)
    assert sorted(after["routes"], key=str) == [V4, V6]


def test_created_without_room_for_ipv6(system: RunningService) -> None:
    """An adapter with an MTU below 1280 and IPv6 addresses is refused, and there is none."""
    body = {"name": "A1", "mtu": 1279, "addresses": ADDRESSES}
    found = problem(system.http.post("/v1/adapters", json=body), 422, "setting-refused")
    assert "fd08::1/64: IPv6 needs an MTU of 1280 bytes; the adapter has 1279." in found["detail"]
    assert "Set an MTU of at least 1280" in found["hint"]
    assert system.http.get("/v1/adapters").json() == []


@pytest.mark.parametrize(
    "route",
    [{**ON_LINK, "next_hop": "10.8.0.2"}, {**ON_LINK, "destination": "10.9.0.0/24"}],
)
def test_routes_that_systems_have_made(system: RunningService, route: dict[str, Any]) -> None:
    """A route in the place of one that an address makes, here or elsewhere, is a conflict."""
    adapter = system.adapter(name="A1", addresses=ADDRESSES)
    system.adapter(name="A2", addresses=["10.9.0.1/24"])
    answer = system.http.patch(f"/v1/adapters/{adapter['guid']}", json={"routes": [route]})
    found = problem(answer, 409, "route-exists")
    assert f"{route['destination']}: A route with metric 0 already exists" in found["detail"]
    assert read(system, adapter)["routes"] == []


@on_kernel
def test_a_route_of_another_program(kernel: RunningService) -> None:
    """A second default route is refused with whose the first is, and no adapter is left behind."""
    ip("tuntap", "add", "other", "mode", "tun")
    ip("link", "set", "other", "up")
    ip("route", "add", "default", "dev", "other", "proto", "dhcp")
    default = {"destination": "0.0.0.0/0", "next_hop": None, "metric": 0}
    body = {"name": "A1", "addresses": ADDRESSES, "routes": [V4, default]}
    found = problem(kernel.http.post("/v1/adapters", json=body), 409, "route-exists")
    assert "into other, of protocol dhcp" in found["detail"]
    assert "metric" in found["hint"]
    assert kernel.http.get("/v1/adapters").json() == []
    body["routes"] = [V4, {**default, "metric": 50}]
    assert kernel.http.post("/v1/adapters", json=body).status_code == 201


def route(destination: str, next_hop: str | None = None, metric: int = 0) -> dict[str, Any]:
    """Return a route as the API takes and gives it."""
    return {"destination": destination, "next_hop": next_hop, "metric": metric}


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "::/0", "10.60.0.0/16"])
def test_two_adapters_want_one_destination(system: RunningService, destination: str) -> None:
    """The second one is told whose the route is; with another metric both have one."""
    first, second = (system.adapter(name=name) for name in ("A1", "A2"))
    change(system, first, routes=[route(destination)])
    path = f"/v1/adapters/{second['guid']}"
    for method, where, body in (
        ("PATCH", path, {"routes": [route("10.99.0.0/16"), route(destination)]}),
        ("POST", "/v1/adapters", {"name": "A3", "routes": [route(destination)]}),
    ):
        found = problem(system.http.request(method, where, json=body), 409, "route-exists")
        assert destination in found["detail"]
        assert "A1" in found["detail"]
        assert "metric" in found["hint"]
    assert read(system, second)["routes"] == []
    assert {one["name"] for one in system.http.get("/v1/adapters").json()} == {"A1", "A2"}
    after = change(system, second, routes=[route(destination, metric=7)])
    assert after["routes"] == [route(destination, metric=7)]
    change(system, first, routes=[])
    assert change(system, second, routes=[route(destination)])["wanted"] is None


@pytest.mark.parametrize("hop", ["10.8.0.5", "10.8.0.1", "fd08::5", "fd08::1"])
def test_a_next_hop_behind_another_adapter(system: RunningService, hop: str) -> None:
    """It is refused with the reason, and the adapter's routes stay as they were."""
    system.adapter(name="A1", addresses=["10.8.0.1/24", "fd08::1/64"])
    other = system.adapter(name="A2", addresses=["10.77.0.1/24", "fd77::1/64"])
    wanted = [route("fd99::/16" if ":" in hop else "10.99.0.0/16", hop)]
    answer = system.http.patch(f"/v1/adapters/{other['guid']}", json={"routes": wanted})
    assert answer.status_code == 422, answer.text
    assert f"{hop} cannot be the next hop" in answer.json()["detail"]
    assert read(system, other)["routes"] == []


@on_kernel
def test_a_next_hop_behind_another_interface(kernel: RunningService) -> None:
    """No route of others may lead there, but for a default route, unless ours is as close."""
    adapter = kernel.adapter(name="A1", addresses=["10.77.0.1/24"])
    ip("tuntap", "add", "other", "mode", "tun")
    ip("link", "set", "other", "up")
    ip("addr", "add", "10.0.0.1/9", "dev", "other")
    ip("route", "add", "172.16.0.0/12", "via", "10.0.0.9", "dev", "other")
    ip("route", "add", "default", "dev", "other")
    path = f"/v1/adapters/{adapter['guid']}"
    for hop in ("10.0.0.9", "172.16.3.4", "10.0.0.1"):
        answer = kernel.http.patch(path, json={"routes": [route("10.99.0.0/16", hop)]})
        assert answer.status_code == 422, answer.text
        assert f"{hop} cannot be the next hop" in answer.json()["detail"]
    for routes in (
        [route("10.99.0.0/16", "10.77.0.9")],
        [route("10.99.0.0/16", "192.0.2.1")],
        [route("10.5.0.9/32"), route("10.99.0.0/16", "10.5.0.9")],
    ):
        assert change(kernel, adapter, routes=routes)["routes"] == routes


@on_kernel
def test_ipv6_is_off(kernel: RunningService) -> None:
    """Where IPv6 is disabled for new interfaces, that is named, and nothing is left behind."""
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    for settings in ({"addresses": ["10.8.0.1/24", "fd08::1/64"]}, {"routes": [V4, V6]}):
        answer = kernel.http.post("/v1/adapters", json={"name": "A1", **settings})
        found = problem(answer, 422, "setting-refused")
        assert "disable_ipv6" in found["detail"]
        assert "sysctl net.ipv6.conf.default.disable_ipv6=0" in found["hint"]
        assert kernel.http.get("/v1/adapters").json() == []
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("0")
    adapter = kernel.adapter(name="A1", addresses=["fd08::1/64"])
    Path("/proc/sys/net/ipv6/conf/A1/disable_ipv6").write_text("1")
    path = f"/v1/adapters/{adapter['guid']}"
    found = problem(kernel.http.patch(path, json={"routes": [V6]}), 422, "setting-refused")
    assert "sysctl net.ipv6.conf.A1.disable_ipv6=0" in found["hint"]
    assert "default" not in found["hint"]


@on_kernel
def test_metrics_of_ipv6(kernel: RunningService) -> None:
    """The metric that Linux gives an IPv6 route without one may also be asked for by its number."""
    route = {**V6, "metric": 1024}
    adapter = kernel.adapter(name="A1", routes=[route])
    assert adapter["wanted"] is None
    assert read(kernel, adapter)["wanted"] is None


@on_kernel
@pytest.mark.parametrize("after", [[], ["10.0.0.1/32", "fd00::1/128"]], ids=["none", "plain"])
def test_an_address_with_a_peer(kernel: RunningService, after: list[str]) -> None:
    """Exactly these addresses are there afterwards: no other form of one of them either."""
    adapter = kernel.adapter(name="A1")
    ip("address", "add", "10.0.0.1", "peer", "10.0.0.2/32", "dev", "A1")
    ip("address", "add", "fd00::1", "peer", "fd00::2/128", "dev", "A1")
    assert plain(change(kernel, adapter, addresses=after)["addresses"]) == set(after)
    assert "peer" not in ip("address", "show", "dev", "A1")
