"""The member `if_exists` of a creation, with devices of the kernel."""

from __future__ import annotations

import json

import pytest

from tests.answers import problem
from tests.drivers.linux.kernel import ip, needs_kernel
from tests.running import RunningService

pytestmark = needs_kernel


def test_open(kernel_service: RunningService) -> None:
    """After a restart the kernel's device is still there: it is taken over with its settings."""
    made = kernel_service.adapter(name="t0", addresses=["10.6.7.7/24"], mtu=1400)
    kernel_service.http.post(f"/v1/adapters/{made['guid']}/release")
    session = None
    for name in ("t0", "T0"):
        body = {"name": name, "if_exists": "open", "routes": [{"destination": "10.9.0.0/16"}]}
        answer = kernel_service.http.post("/v1/adapters", json=body)
        opened = answer.json()
        assert (answer.status_code, opened["guid"], opened["name"]) == (200, made["guid"], "t0")
        assert (opened["mtu"], opened["addresses"][0]) == (1400, "10.6.7.7/24")
        assert opened["managed"] is True
        assert opened["session"] == session
        session = session or kernel_service.session(opened)["id"]
    assert "10.9.0.0/16" in ip("route", "show", "dev", "t0")


def test_replace(kernel_service: RunningService) -> None:
    """The device is another one, without the old addresses, and its session has ended."""
    made = kernel_service.adapter(name="t0", addresses=["10.6.7.7/24"])
    session = kernel_service.session(made)
    body = {"name": "t0", "if_exists": "replace", "addresses": ["10.6.8.7/24"]}
    answer = kernel_service.http.post("/v1/adapters", json=body)
    adapter = answer.json()
    assert (answer.status_code, adapter["guid"]) == (201, made["guid"])
    assert adapter["interface_index"] != made["interface_index"]
    shown = json.loads(ip("-j", "-4", "address", "show", "dev", "t0"))
    assert [one["local"] for one in shown[0]["addr_info"]] == ["10.6.8.7"]
    problem(kernel_service.http.get(f"/v1/sessions/{session['id']}"), 404, "session-not-found")
    assert kernel_service.session(adapter)["state"] == "running"


@pytest.mark.parametrize("if_exists", ["open", "replace"])
def test_a_foreign_device(kernel_service: RunningService, if_exists: str) -> None:
    """A device that is not an adapter is never opened or deleted: the adapter is another device."""
    ip("tuntap", "add", "dev", "t0", "mode", "tun")
    body = {"name": "t0", "if_exists": if_exists}
    answer = kernel_service.http.post("/v1/adapters", json=body)
    assert (answer.status_code, answer.json()["interface_name"]) == (201, "wt0")
    assert "t0" in ip("link", "show", "dev", "t0")
