"""Adapters outlive the service where the driver's are persistent."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.linux.kernel import ip, namespace, needs_kernel
from tests.running import running


@pytest.mark.parametrize(
    "driver",
    [
        pytest.param("emulated", id="emulated"),
        pytest.param("linux", id="linux", marks=needs_kernel),
    ],
)
def test_adapters_are_found_again(tmp_path: Path, driver: str) -> None:
    """A new run of the service lists, opens, renames and deletes what the last one made."""
    settings: dict[str, Any] = {"driver": driver}
    if driver == "emulated":
        settings["emulated_state"] = tmp_path / "machine.json"
    with ExitStack() as stack:
        if driver == "linux":
            stack.enter_context(namespace())
            ip("tuntap", "add", "stranger", "mode", "tun")  # which is not ours
        made = {}
        with running(tmp_path, **settings) as service:
            for pool in ("WireGuard", "Example", "Büro"):
                adapter = service.adapter(name=f"{pool} net", pool=pool, addresses=["10.6.7.7/24"])
                made[adapter["guid"]] = adapter
                service.session(adapter)
                service.http.patch(f"/v1/adapters/{adapter['guid']}", json={"addresses": []})
        with running(tmp_path, **settings) as service:
            found = {one["guid"]: one for one in service.http.get("/v1/adapters").json()}
            assert found.keys() == made.keys()
            for guid, adapter in found.items():
                assert adapter["name"] == made[guid]["name"]
                assert adapter["pool"] == made[guid]["pool"]
                assert adapter["managed"] is False
                assert adapter["state"] == "down"
                body = {"name": adapter["name"], "pool": adapter["pool"]}
                assert service.http.post("/v1/adapters/open", json=body).json()["guid"] == guid
                path = f"/v1/adapters/{guid}"
                renamed = service.http.patch(path, json={"name": f"{adapter['pool']} home"})
                assert renamed.json()["name"] == f"{adapter['pool']} home"
                assert service.session(adapter)["state"] == "running"
                assert service.http.delete(path).status_code == 200
            assert service.http.get("/v1/adapters").json() == []
        if driver == "linux":
            assert "stranger" in ip("link")
