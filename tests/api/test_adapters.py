"""Adapters over REST."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.answers import problem
from tests.conftest import Rig
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.api.tokens import is_private
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.driver import WintunDriver


def test_create_reads_back(either_service: RunningService) -> None:
    """What was asked for is what the system has: GUID, addresses, MTU."""
    guid = str(uuid4())
    answer = either_service.http.post(
        "/v1/adapters",
        json={
            "name": "OfficeNet",
            "pool": "WireGuard",
            "requested_guid": guid,
            "mtu": 1420,
            "addresses": ["10.6.7.7/24", "fd06:7::7/64"],
        },
    )
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/adapters/{guid}"
    adapter = answer.json()
    assert adapter["guid"] == guid
    assert adapter["mtu"] == 1420
    assert adapter["addresses"] == ["10.6.7.7/24", "fd06:7::7/64"]
    assert adapter["state"] == "down"
    assert adapter["managed"] is True
    assert either_service.http.get(answer.headers["location"]).json() == adapter


def test_three_pools(service: RunningService) -> None:
    """Adapters are created, listed by pool, renamed, opened and deleted in three pools."""
    for pool in ("WireGuard", "Example", "Büro"):
        service.adapter(name=f"{pool} one", pool=pool)
        service.adapter(name=f"{pool} two", pool=pool)
    listed = service.http.get("/v1/adapters").json()
    assert len(listed) == 6
    in_pool = service.http.get("/v1/adapters", params={"pool": "Büro"}).json()
    assert [adapter["name"] for adapter in in_pool] == ["Büro one", "Büro two"]
    guid = in_pool[0]["guid"]
    renamed = service.http.patch(f"/v1/adapters/{guid}", json={"name": "HomeNet \U0001f3e0"})
    assert renamed.json()["name"] == "HomeNet \U0001f3e0"
    body = {"name": "HomeNet \U0001f3e0", "pool": "Büro"}
    assert service.http.post("/v1/adapters/open", json=body).json()["guid"] == guid
    for adapter in listed:
        assert service.http.delete(f"/v1/adapters/{adapter['guid']}").json() == {
            "reboot_required": False
        }
    assert service.http.get("/v1/adapters").json() == []


def test_enumeration_survives_a_restart(tmp_path: Path) -> None:
    """In the pool generation a new service finds and opens what the last one left."""
    machine = Machine()
    for round_ in range(2):
        library = EmulatedLibrary(Generation.POOL, machine)
        pools = ("WireGuard",) if round_ else ()
        with running(tmp_path, emulated_driver(library, pools=pools)) as service:
            if round_ == 0:
                first = service.adapter(name="OfficeNet", pool="WireGuard")
            else:
                listed = service.http.get("/v1/adapters").json()
                assert [adapter["guid"] for adapter in listed] == [first["guid"]]
                assert listed[0]["managed"] is False
                session = service.session(listed[0])  # which opens it
                assert session["state"] == "running"
                assert service.http.get(f"/v1/adapters/{first['guid']}").json()["managed"] is True
        assert library.misuse == []
        library.exit_process()


def test_release_keeps_the_device_where_it_can(either_service: RunningService) -> None:
    """A released adapter stays in the pool generation and goes with its handle in the other."""
    adapter = either_service.adapter(name="OfficeNet")
    path = f"/v1/adapters/{adapter['guid']}"
    answer = either_service.http.post(f"{path}/release")
    assert answer.json() == {"exists": adapter["persistent"]}
    assert either_service.http.get(path).status_code == (200 if adapter["persistent"] else 404)


def test_release_with_a_session_is_refused(either_service: RunningService) -> None:
    """A running session must be ended first."""
    adapter = either_service.adapter(name="OfficeNet")
    either_service.session(adapter)
    answer = either_service.http.post(f"/v1/adapters/{adapter['guid']}/release")
    problem(answer, 409, "session-exists")


def test_rename(either_service: RunningService) -> None:
    """A renamed adapter goes by its new name; in 0.14 Wintun knows it by the old one."""
    http, adapter = either_service.http, either_service.adapter(name="OfficeNet")
    path = f"/v1/adapters/{adapter['guid']}"
    renamed = http.patch(path, json={"name": "HomeNet"}).json()
    assert (renamed["name"], renamed["interface_name"]) == ("HomeNet", "HomeNet")
    assert renamed["wintun_name"] == ("HomeNet" if adapter["persistent"] else "OfficeNet")
    body = {"name": "HomeNet"}
    assert http.post("/v1/adapters/open", json=body).json()["guid"] == adapter["guid"]
    problem(http.post("/v1/adapters/open", json={"name": "OfficeNet"}), 404, "adapter-not-found")
    assert [known["name"] for known in http.get("/v1/adapters").json()] == ["HomeNet"]


def test_rename_to_a_name_in_use(either_service: RunningService) -> None:
    """The name of any interface is a conflict, and nothing changed."""
    either_service.adapter(name="HomeNet")
    path = f"/v1/adapters/{either_service.adapter(name='OfficeNet')['guid']}"
    problem(either_service.http.patch(path, json={"name": "homenet"}), 409, "adapter-exists")
    assert either_service.http.get(path).json()["name"] == "OfficeNet"


def test_rename_is_honest(tmp_path: Path) -> None:
    """Where Windows has no way to rename, the answer says so and nothing changed."""
    driver = emulated_driver(EmulatedLibrary(Generation.TUNNEL_TYPE))
    assert isinstance(driver.ip_helper, EmulatedIpHelper)
    driver.ip_helper.has_rename = False
    with running(tmp_path, driver) as service:
        assert service.http.get("/v1/driver").json()["capabilities"]["rename"] is False
        path = f"/v1/adapters/{service.adapter(name='OfficeNet')['guid']}"
        problem(service.http.patch(path, json={"name": "HomeNet"}), 501, "not-supported")
        assert service.http.get(path).json()["name"] == "OfficeNet"


def test_stable_guids(either_service: RunningService) -> None:
    """Without a requested GUID the same pool and name get the same one, others another one."""
    http, first = either_service.http, either_service.adapter(name="OfficeNet")
    assert UUID(first["guid"]).bytes[6] >> 4 == 8
    assert http.delete(f"/v1/adapters/{first['guid']}").status_code == 200
    assert either_service.adapter(name="officenet")["guid"] == first["guid"]
    assert either_service.adapter(name="HomeNet")["guid"] != first["guid"]


def test_guid_taken_by_a_renamed_adapter(either_service: RunningService) -> None:
    """When a renamed adapter keeps the GUID of a name, the next one of that name gets another.

    In 0.14 there is no next one: Wintun would open either of two that were created by one name.
    """
    first = either_service.adapter(name="OfficeNet")
    either_service.http.patch(f"/v1/adapters/{first['guid']}", json={"name": "HomeNet"})
    if not first["persistent"]:
        answer = either_service.http.post("/v1/adapters", json={"name": "OfficeNet"})
        problem(answer, 409, "adapter-exists")
        return
    second = either_service.adapter(name="OfficeNet")
    assert second["guid"] != first["guid"]
    assert second["name"] == "OfficeNet"


@pytest.mark.parametrize("generation", list(Generation))
def test_salt(tmp_path: Path, generation: Generation) -> None:
    """The salt is made once per installation, for its owner; an emulated machine needs none."""
    guids = set()
    for installation in ("one", "one", "two"):
        machine = Machine()
        driver = WintunDriver(EmulatedLibrary(generation, machine), EmulatedIpHelper(machine))
        with running(tmp_path / installation, driver) as service:
            guids.add(service.adapter(name="OfficeNet")["guid"])
    assert len(guids) == 2
    salt = tmp_path / "one" / "data" / "salt"
    assert len(bytes.fromhex(salt.read_text())) == 32
    assert is_private(salt)
    with running(tmp_path / "demo"):
        assert not (tmp_path / "demo" / "data" / "salt").exists()


def test_adapters_of_others_in_0_14(tmp_path: Path) -> None:
    """An adapter of another program is listed by its pool, and its removal is honest."""
    machine = Machine()
    theirs = emulated_driver(EmulatedLibrary(Generation.TUNNEL_TYPE, machine))
    other = theirs.create_adapter("Theirs", "WireGuard")
    theirs.create_adapter("Foreign", "Nobody knows")
    library = EmulatedLibrary(Generation.TUNNEL_TYPE, machine)
    with running(tmp_path, emulated_driver(library), pools=("WireGuard",)) as service:
        http, ours = service.http, service.adapter(name="Ours", pool="WireGuard")
        listed = {one["name"]: one for one in http.get("/v1/adapters").json()}
        assert set(listed) == {"Ours", "Theirs"}
        assert (listed["Theirs"]["managed"], listed["Theirs"]["orphan"]) == (False, True)
        assert (ours["managed"], ours["orphan"]) == (True, False)
        path = f"/v1/adapters/{listed['Theirs']['guid']}"
        refusal = problem(http.delete(path), 501, "not-supported")
        assert "DELETE /v1/driver" in refusal["hint"]
        assert http.post(f"{path}/release").json() == {"exists": True}
        assert http.get(path).json()["managed"] is False
        other.delete()
        problem(http.get(path), 404, "adapter-not-found")
    assert library.misuse == []


def test_addresses_are_replaced_and_cleared(either_service: RunningService) -> None:
    """A list of addresses is the whole list; an empty one removes all; none leaves them."""
    adapter = either_service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    path = f"/v1/adapters/{adapter['guid']}"
    http = either_service.http
    assert http.patch(path, json={"mtu": 1280}).json()["addresses"] == ["10.6.7.7/24"]
    changed = http.patch(path, json={"addresses": ["fd06::1/64", "10.6.8.1/30"]}).json()
    assert sorted(changed["addresses"]) == ["10.6.8.1/30", "fd06::1/64"]
    assert changed["mtu"] == 1280
    assert http.patch(path, json={"addresses": []}).json()["addresses"] == []


BAD_BODIES = [
    {},
    {"name": ""},
    {"name": "   "},
    {"name": "x" * 128},
    {"name": "\U0001f3e0" * 64},
    {"name": "a\0b"},
    {"name": "a\nb"},
    {"name": "a/b"},
    {"name": "a\\b"},
    {"name": 'a"b'},
    {"name": 7},
    {"name": None},
    {"name": "x", "pool": ""},
    {"name": "x", "pool": "p" * 256},
    {"name": "x", "pool": "a|b"},
    {"name": "x", "requested_guid": "no"},
    {"name": "x", "mtu": 0},
    {"name": "x", "mtu": 575},
    {"name": "x", "mtu": 65536},
    {"name": "x", "mtu": "1420"},
    {"name": "x", "addresses": ["10.0.0.300/24"]},
    {"name": "x", "addresses": ["10.0.0.1/33"]},
    {"name": "x", "addresses": "10.0.0.1/24"},
    {"name": "x", "addresses": [1]},
    {"name": "x", "addresses": ["10.0.0.1"]},
    {"name": "x", "addresses": ["0.0.0.0/8"]},
    {"name": "x", "addresses": ["ff02::1/64"]},
    {"name": "x", "addresses": ["fe80::1%1/64"]},
    {"name": "x", "color": "red"},
    [],
    "x",
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=str)
def test_bad_bodies(service: RunningService, body: object) -> None:
    """A value that cannot be gets a 422 that names it, and makes nothing."""
    answer = service.http.post("/v1/adapters", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert service.http.get("/v1/adapters").json() == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"\xff", 400),
        (b'{"name": "\\ud800"}', 422),
        (b'{"name": "a", "name": ', 422),
        (b"[" * 100_000, 400),
    ],
    ids=range(6),
)
def test_broken_json(service: RunningService, content: bytes, status: int) -> None:
    """What is no JSON, or text that no UTF-16 can hold, is the client's error."""
    headers = {"Content-Type": "application/json"}
    answer = service.http.post("/v1/adapters", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["hint"]


def test_unknown_ids(service: RunningService) -> None:
    """An id that names nothing is a 404, one that cannot be an id a 422."""
    path = f"/v1/adapters/{uuid4()}"
    http = service.http
    problem(http.get(path), 404, "adapter-not-found")
    problem(http.patch(path, json={"name": "x"}), 404, "adapter-not-found")
    problem(http.delete(path), 404, "adapter-not-found")
    problem(http.post(f"{path}/release"), 404, "adapter-not-found")
    problem(http.get("/v1/adapters/nothing"), 422, "invalid-request")
    body = {"name": "nobody", "pool": "nowhere"}
    problem(http.post("/v1/adapters/open", json=body), 404, "adapter-not-found")


def test_deleting_twice(either_service: RunningService) -> None:
    """The second deletion finds nothing."""
    path = f"/v1/adapters/{either_service.adapter(name='OfficeNet')['guid']}"
    assert either_service.http.delete(path).status_code == 200
    problem(either_service.http.delete(path), 404, "adapter-not-found")


def test_name_and_guid_collisions(either_service: RunningService) -> None:
    """A name in use, whatever its case and pool, and a GUID in use are conflicts."""
    adapter = either_service.adapter(name="OfficeNet", pool="A")
    http = either_service.http
    body: dict[str, Any] = {"name": "officenet", "pool": "B"}
    problem(http.post("/v1/adapters", json=body), 409, "adapter-exists")
    body = {"name": "Other", "requested_guid": adapter["guid"]}
    problem(http.post("/v1/adapters", json=body), 409, "adapter-exists")
    names = [known["name"] for known in http.get("/v1/adapters").json()]
    assert names == ["OfficeNet"]


def test_a_failed_set_up_leaves_no_adapter(rig: Rig) -> None:
    """When an address cannot be set, the adapter that was just made is removed again."""
    service = rig.service
    first = service.adapter(name="One", addresses=["10.6.7.7/24"])
    rig.library.fail_next("WintunCreateAdapter", 0xE0000203)
    answer = service.http.post("/v1/adapters", json={"name": "Two", "addresses": ["10.6.7.8/24"]})
    failure = problem(answer, 502, "driver-error")
    assert failure["function"] == "WintunCreateAdapter"
    assert failure["win32_code"] == 0xE0000203
    assert failure["win32_code_hex"] == "0xE0000203"
    assert failure["log"]
    listed = service.http.get("/v1/adapters").json()
    assert [UUID(adapter["guid"]) for adapter in listed] == [UUID(first["guid"])]


@pytest.mark.parametrize(
    ("code", "status", "slug"),
    [(5, 403, "access-denied"), (0, 502, "driver-error"), (4319, 502, "driver-error")],
)
def test_driver_errors_become_problems(rig: Rig, code: int, status: int, slug: str) -> None:
    """NULL with any last error, 0 included, is a failure that names function and code."""
    rig.library.fail_next("WintunCreateAdapter", code)
    answer = rig.service.http.post("/v1/adapters", json={"name": "x"})
    assert problem(answer, status, slug)["win32_code"] == code


def test_a_hung_call_blocks_nothing_else(rig: Rig) -> None:
    """While a creation hangs, everything else answers at once, and the call is named."""
    service, http = rig.service, rig.service.http
    adapter = service.adapter(name="One", addresses=["10.6.7.7/24"])
    session = service.session(adapter)
    gate = rig.library.hold_next("WintunCreateAdapter")
    answers: list[Any] = []
    creator = threading.Thread(
        target=lambda: answers.append(http.post("/v1/adapters", json={"name": "Two"}))
    )
    try:
        with service.impatient():
            creator.start()
            until(lambda: http.get("/v1/driver").json()["calls"])
            creator.join(30)
        problem(answers[0], 504, "driver-busy")
        assert http.get("/v1/adapters").status_code == 200
        assert http.get(f"/v1/adapters/{adapter['guid']}").json()["state"] == "up"
        assert http.get(f"/v1/sessions/{session['id']}").json()["state"] == "running"
        assert http.delete(f"/v1/sessions/{session['id']}").status_code == 200
        assert service.session(adapter)["state"] == "running"
        call = http.get("/v1/driver").json()["calls"][0]
        assert call["call"] == "create_adapter"
    finally:
        gate.set()
    until(lambda: not http.get("/v1/driver").json()["calls"])
    names = {known["name"] for known in http.get("/v1/adapters").json()}
    assert names == {"One", "Two"}  # the call went on, and its outcome counts


def test_delete_pool_and_driver(either_service: RunningService) -> None:
    """Each generation has one way to remove everything, and says so for the other."""
    http = either_service.http
    adapter = either_service.adapter(name="OfficeNet", pool="Example")
    either_service.session(adapter)
    pool = http.delete("/v1/pools/Example")
    if adapter["persistent"]:
        assert pool.json() == {"reboot_required": False}
        assert http.get("/v1/adapters").json() == []
        assert http.get("/v1/sessions").json() == []
        problem(http.delete("/v1/driver"), 501, "not-supported")
    else:
        problem(pool, 501, "not-supported")
        assert http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
        assert http.delete("/v1/driver").json() == {"reboot_required": False}


GLOBE = "\U0001f30d"  # two UTF-16 units


@pytest.mark.parametrize("text", ["p", GLOBE], ids=["ascii", "surrogates"])
def test_the_longest_pool(either_service: RunningService, text: str) -> None:
    """The limit of the generation is in /v1/system, counts UTF-16 units, and is what is refused."""
    service = either_service
    generation = service.http.get("/v1/driver").json()["generation"]
    limit = service.http.get("/v1/system").json()["limits"]["max_pool"]
    assert limit == {"pool": 255, "tunnel-type": 128}[generation]
    units = len(text.encode("utf-16-le")) // 2
    longest = text * (limit // units) + "x" * (limit % units)
    assert service.adapter(name="Longest", pool=longest)["pool"] == longest
    body = {"name": "TooLong", "pool": longest + "x"}
    refused = problem(service.http.post("/v1/adapters", json=body), 422, "invalid-argument")
    assert refused["field"] == "pool"
    assert f"{limit + 1} UTF-16 units; {limit} is the limit" in refused["detail"]
    assert ("0.14" in refused["detail"]) is (generation == "tunnel-type")
    for size in (256, 5000):
        body = {"name": "TooLong", "pool": text * size}
        refused = problem(service.http.post("/v1/adapters", json=body), 422, "invalid-argument")
        assert f"; {limit} is the limit" in refused["detail"]
    assert [one["name"] for one in service.http.get("/v1/adapters").json()] == ["Longest"]


@pytest.mark.parametrize("text", ["n", GLOBE], ids=["ascii", "surrogates"])
def test_the_longest_name(either_service: RunningService, text: str) -> None:
    """A name has 127 units in both generations, when it is made and when it is changed."""
    service = either_service
    limit = service.http.get("/v1/system").json()["limits"]["max_name"]
    assert limit == 127
    units = len(text.encode("utf-16-le")) // 2
    longest = text * (limit // units) + "x" * (limit % units)
    adapter = service.adapter(name=longest)
    assert adapter["name"] == longest
    path = f"/v1/adapters/{adapter['guid']}"
    for answer in (
        service.http.post("/v1/adapters", json={"name": longest + "x"}),
        service.http.patch(path, json={"name": longest + "x"}),
    ):
        assert answer.status_code == 422
        assert "127" in answer.json()["detail"]


@pytest.mark.parametrize("generation", ["pool", "tunnel-type"])
def test_a_pool_of_the_other_generation(tmp_path: Path, generation: str) -> None:
    """A pool that only 0.9 to 0.13 could make does no harm where it is just known of."""
    pool = "p" * 200
    with running(tmp_path, generation=generation, pools=(pool,)) as service:
        assert service.http.get("/v1/adapters").json() == []
        assert service.http.get("/v1/adapters", params={"pool": pool}).json() == []
        body = {"name": "OfficeNet", "pool": pool}
        problem(service.http.post("/v1/adapters/open", json=body), 404, "adapter-not-found")


def test_the_limits_are_documented(service: RunningService) -> None:
    """The OpenAPI text of a pool says both limits, and its schema has the larger one."""
    schemas = service.http.get("/openapi.json").json()["components"]["schemas"]
    pool = schemas["AdapterCreate"]["properties"]["pool"]
    assert pool["maxLength"] == 255
    assert "128 UTF-16 units with Wintun 0.14" in pool["description"]
    assert "max_pool" in schemas["Limits"]["properties"]
