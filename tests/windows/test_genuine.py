"""The service on the genuine wintun.dll 0.14.1 in Wine, driven from Linux.

Wine has neither the private namespaces nor the kernel that the library needs, so no adapter comes
to be: what shows is loading, logging, failing and ending.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from tests.raw_websocket import open_websocket
from tests.windows.rig import PROJECT, WINTUN_SHA256
from tests.windows.services import WineService, wine_service
from tests.windows.wine import windows_path, windows_python

ENDS = 50
PROGRAM = """
import sys, types
from pathlib import Path
from wintun_api.errors import DriverError

settings = types.ModuleType("wintun_api.settings")  # the real one takes a second to import
settings.Settings = object
sys.modules["wintun_api.settings"] = settings
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.library import WintunDll

lines = []
driver = WintunDriver(WintunDll(Path(sys.argv[1])))
driver.set_logger(lines.append)
try:
    driver.create_adapter("Demo", "Example")
except DriverError as error:
    assert error.function == "WintunCreateAdapter" and error.log, error
else:
    raise SystemExit("an adapter without a kernel?")
assert driver.running_driver_version() is None
addresses = driver.library.packet_addresses  # for the C extension
assert len({getattr(addresses, name) for name in addresses.__slots__} - {0}) == 5, addresses
assert lines
driver.close()
print("closed")
"""


@pytest.fixture(scope="module")
def service(rig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WineService]:
    """A service on the genuine library, which needs no option to be trusted."""
    folder = tmp_path_factory.mktemp("genuine")
    with wine_service(rig, folder, rig / "wintun" / "wintun.dll") as service:
        yield service


def test_what_it_is(service: WineService) -> None:
    """The library is the published one, of the tunnel-type generation; no driver is loaded."""
    driver = service.http.get("/v1/driver").json()
    assert driver["library_sha256"] == WINTUN_SHA256
    assert (driver["generation"], driver["unavailable"]) == ("tunnel-type", None)
    assert driver["running_version"] is None
    assert driver["library_path"].endswith("wintun.dll")


def test_create_fails(service: WineService) -> None:
    """The failure is a problem document with function, code and the library's own lines."""
    answer = service.http.post("/v1/adapters", json={"name": "Demo", "pool": "Example"})
    assert answer.status_code == 502
    problem = answer.json()
    assert problem["type"] == "urn:wintun-api:problem:driver-error"
    assert problem["function"] == "WintunCreateAdapter"
    assert problem["win32_code"] == 0  # under Wine; Windows would have a number
    assert any("boundary descriptor" in line for line in problem["log"]), problem
    assert problem["hint"]
    assert service.http.get("/v1/adapters").json() == []


def test_lines_become_events(service: WineService) -> None:
    """What the library logs arrives with its level and its own time."""
    with open_websocket(service, "/v1/events") as socket:
        socket.recv(10)  # the snapshot: what comes is told from here on
        assert service.http.post("/v1/adapters", json={"name": "Demo"}).status_code == 502
        while True:
            event = json.loads(socket.recv(10))
            if event["type"] == "driver.log" and event["data"]["level"] == "err":
                break
    assert event["data"]["message"]
    assert abs(datetime.fromisoformat(event["time"]).timestamp() - time.time()) < 60


def test_the_service_goes_on(service: WineService) -> None:
    """Opening finds nothing, deleting the driver answers, and the service lives."""
    http = service.http
    answer = http.post("/v1/adapters/open", json={"name": "Demo", "pool": "Example"})
    assert answer.status_code in (404, 502)
    assert answer.json()["function"] == "WintunOpenAdapter"
    assert http.delete("/v1/pools/Example").status_code == 501
    assert http.get("/noauth/health").json() == {"status": "ok"}


def test_the_service_ends(rig: Path, tmp_path: Path) -> None:
    """A service that used the library ends in order, though a thread of it may be logging."""
    with wine_service(rig, tmp_path, rig / "wintun" / "wintun.dll") as service:
        assert service.http.post("/v1/adapters", json={"name": "Demo"}).status_code == 502
        assert service.stop() < 3


def test_fifty_ends(rig: Path) -> None:
    """A process that used the library ends cleanly every time: the logger is unset last."""
    library = windows_path(rig / "wintun" / "wintun.dll")

    def end(_number: int) -> tuple[int, str]:
        with windows_python(rig, "-c", PROGRAM, library, cwd=PROJECT) as program:
            return program.wait(60), program.output

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(end, range(ENDS)))
    assert results == [(0, "closed\n")] * ENDS
