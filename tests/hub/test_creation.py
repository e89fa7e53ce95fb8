"""A GUID that a deleted device still has: it is tried again, for a while, and then given up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.answers import problem
from tests.conftest import Rig
from tests.running import RunningService, running
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.hub.creation import LEAVING, Leaving

IN_USE = [183, 0x800700B7]


def recreated(service: RunningService, adapter: dict[str, Any]) -> dict[str, Any]:
    """Create the adapter once more."""
    return service.adapter(name=adapter["name"])


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("code", IN_USE)
@pytest.mark.parametrize("times", [1, 3])
def test_a_stable_guid_is_tried_again(rig: Rig, code: int, times: int) -> None:
    """As long as the device is on its way out, the adapter waits for its own GUID."""
    adapter = rig.service.adapter(name="OfficeNet")
    assert rig.service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
    rig.library.fail_next("WintunCreateAdapter", code, times)
    assert recreated(rig.service, adapter)["guid"] == adapter["guid"]


def test_a_guid_that_stays_in_use(rig: Rig) -> None:
    """Where another program keeps it, another one is taken before the request is given up."""
    adapter = rig.service.adapter(name="OfficeNet")
    assert rig.service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
    other = EmulatedLibrary(rig.library.generation, rig.library.machine)
    emulated_driver(other).create_adapter("Theirs", "Other", UUID(adapter["guid"]))
    rig.service.service.context.registry.patience = 2.0
    assert recreated(rig.service, adapter)["guid"] != adapter["guid"]  # not a 504


@pytest.mark.thorough
def test_other_requests_go_on(tmp_path: Path) -> None:
    """Between two tries neither the service nor the driver's thread waits."""
    library = EmulatedLibrary(Generation.TUNNEL_TYPE)
    with running(tmp_path, emulated_driver(library), management_timeout=8.0) as service:
        adapter = service.adapter(name="OfficeNet")
        service.http.delete(f"/v1/adapters/{adapter['guid']}")
        library.fail_next("WintunCreateAdapter", 183, 6)  # 1.55 s of pauses
        with service.client("the-admin-token") as http:
            with ThreadPoolExecutor(1) as pool:
                made = pool.submit(recreated, service, adapter)
                ages = []
                while not made.done():
                    answer = http.get("/v1/adapters")
                    ages.append(int(answer.headers["Age"]))
            assert made.result()["guid"] == adapter["guid"]
        assert len(ages) > 5
        assert set(ages) == {0}  # read afresh, not what was known before the creation began


def test_a_name_in_use_is_not_tried_again(rig: Rig) -> None:
    """A name of another adapter is refused at once."""
    rig.library.machine.add_interface("Ethernet")
    rig.library.fail_next("WintunCreateAdapter", 5)
    answer = rig.service.http.post("/v1/adapters", json={"name": "Ethernet"})
    problem(answer, 409, "adapter-exists")
    answer = rig.service.http.post("/v1/adapters", json={"name": "OfficeNet"})
    problem(answer, 403, "access-denied")  # Wintun was not called before


@pytest.mark.parametrize("code", IN_USE)
def test_a_requested_guid_in_use(rig: Rig, code: int) -> None:
    """A GUID that was asked for and is in use is a conflict (409), however Windows says so."""
    rig.library.fail_next("WintunCreateAdapter", code)
    body = {"name": "OfficeNet", "requested_guid": str(uuid4())}
    conflict = problem(rig.service.http.post("/v1/adapters", json=body), 409, "adapter-exists")
    assert conflict["win32_code_hex"] == f"0x{code:08X}"
    assert conflict.get("carried_win32_code", conflict["win32_code"]) == 183
    assert f"{code}" in conflict["detail"] or f"0x{code:08X}" in conflict["detail"]


def test_a_guid_of_another_adapter(rig: Rig) -> None:
    """The conflict names the GUID; 0.14 tells it by an HRESULT, which stays visible."""
    adapter = rig.service.adapter(name="OfficeNet")
    body = {"name": "HomeNet", "requested_guid": adapter["guid"]}
    conflict = problem(rig.service.http.post("/v1/adapters", json=body), 409, "adapter-exists")
    assert adapter["guid"] in conflict["detail"]
    pool = rig.library.generation is Generation.POOL
    assert conflict["win32_code_hex"] == ("0x000000B7" if pool else "0x800700B7")
    assert conflict.get("code_kind") == (None if pool else "HRESULT")
    assert conflict.get("carried_win32_code") == (None if pool else 183)


@pytest.mark.parametrize("code", IN_USE)
def test_a_requested_guid_just_deleted(rig: Rig, code: int) -> None:
    """One that the service has just deleted is waited for like a stable one."""
    guid = str(uuid4())
    adapter = rig.service.adapter(name="OfficeNet", requested_guid=guid)
    assert rig.service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
    rig.library.fail_next("WintunCreateAdapter", code, 2)
    assert rig.service.adapter(name="HomeNet", requested_guid=guid)["guid"] == guid


def test_leaving_is_forgotten() -> None:
    """What was deleted long ago is neither remembered nor waited for."""
    now = 1000.0
    leaving, guid = Leaving(lambda: now), uuid4()
    leaving.add(guid)
    assert guid in leaving
    now += LEAVING + 1
    assert guid not in leaving
    leaving.add(uuid4())
    assert len(leaving) == 1
