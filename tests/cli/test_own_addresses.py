"""The addresses of this machine: all that others may reach, the likeliest first."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from types import SimpleNamespace

import psutil
import pytest

from wintun_api.cli import own_addresses as module
from wintun_api.cli.own_addresses import MAX_OWN_ADDRESSES, own_addresses

V4, V6 = socket.AF_INET, socket.AF_INET6
INTERFACES = {
    "lo": (True, [(V4, "127.0.0.1"), (V6, "::1")]),
    "eth0": (True, [(V4, "10.1.0.2"), (V6, "fd00::2"), (V6, "fe80::2%eth0")]),
    "eth1": (True, [(V4, "10.2.0.2"), (V4, "169.254.3.4")]),
    "eth2": (False, [(V4, "10.3.0.2")]),
}


@pytest.fixture(autouse=True)
def interfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a default route."""
    machine(monkeypatch, [])


def machine(monkeypatch: pytest.MonkeyPatch, routed: Iterable[str]) -> None:
    """Give this machine the interfaces above, and a way to other networks from some addresses."""
    states = {name: SimpleNamespace(isup=up) for name, (up, _) in INTERFACES.items()}
    addresses = {
        name: [SimpleNamespace(family=family, address=text) for family, text in found]
        for name, (_, found) in INTERFACES.items()
    }
    monkeypatch.setattr(psutil, "net_if_stats", lambda: states)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: addresses)
    monkeypatch.setattr(module, "_of_routes", lambda _families: iter(routed))


def test_all_interfaces_that_are_up_count() -> None:
    """Loopback and link-local addresses do not, and no default route is needed."""
    assert own_addresses(4) == ["10.1.0.2", "10.2.0.2"]
    assert own_addresses(6) == ["10.1.0.2", "10.2.0.2", "fd00::2"]


def test_the_way_to_other_networks_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: it is the address of an interface as well."""
    machine(monkeypatch, ["10.2.0.2", "fd00::2"])
    assert own_addresses(6) == ["10.2.0.2", "fd00::2", "10.1.0.2"]


def test_there_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is in every key."""
    machine(monkeypatch, [f"10.9.0.{last}" for last in range(1, 99)])
    assert len(own_addresses(4)) == MAX_OWN_ADDRESSES
