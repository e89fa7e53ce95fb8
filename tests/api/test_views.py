"""What clients ask for becomes the hub's settings, and what the hub knows becomes models."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface, ip_network

import pytest

from wintun_api.api.views import (
    created_settings,
    difference_of,
    event_of,
    updated_settings,
    wanted_of,
)
from wintun_api.choices import EventType
from wintun_api.drivers.base import Route
from wintun_api.hub.events import Event
from wintun_api.hub.network import NetworkSettings, Unmet
from wintun_api.schemas.adapters import AdapterCreate, AdapterUpdate

ROUTE = Route(destination=ip_network("10.0.0.0/8"), next_hop=ip_address("10.6.7.1"), metric=5)
BODY = {
    "mtu": 1400,
    "addresses": ["10.6.7.7/24"],
    "metric": 25,
    "routes": [{"destination": "10.0.0.0/8", "next_hop": "10.6.7.1", "metric": 5}],
    "dns": ["10.6.7.1"],
    "dns_search": ["example.com."],
}
SETTINGS = NetworkSettings(
    mtu=1400,
    addresses=(ip_interface("10.6.7.7/24"),),
    metric=25,
    routes=(ROUTE,),
    dns=(ip_address("10.6.7.1"),),
    dns_search=("example.com",),
)
LISTS = ("addresses", "routes", "dns", "dns_search")
EMPTY: dict[str, list[str]] = {name: [] for name in LISTS}


def test_every_setting_of_a_request() -> None:
    """A creation and an update with every setting ask the hub for the same."""
    assert created_settings(AdapterCreate.model_validate({"name": "A", **BODY})) == SETTINGS
    assert updated_settings(AdapterUpdate.model_validate(BODY)) == SETTINGS


def test_empty_lists() -> None:
    """An empty list removes what is there, and a new adapter needs none."""
    empty = NetworkSettings(addresses=(), routes=(), dns=(), dns_search=())
    assert updated_settings(AdapterUpdate.model_validate(EMPTY)) == empty
    created = created_settings(AdapterCreate.model_validate({"name": "A", **EMPTY}))
    assert (created, created.of_new()) == (empty, NetworkSettings())


def test_what_is_left_out_of_a_creation() -> None:
    """Nothing is asked for then, and a metric that is null is left to the system."""
    assert created_settings(AdapterCreate(name="A")) == NetworkSettings()
    automatic = created_settings(AdapterCreate(name="A", metric=None))
    assert (automatic, automatic.of_new()) == (
        NetworkSettings(metric="automatic"),
        NetworkSettings(),
    )


def test_what_is_left_out_of_an_update() -> None:
    """Nothing changes, and a metric that is null is left to the system."""
    assert updated_settings(AdapterUpdate()) == NetworkSettings()
    assert updated_settings(AdapterUpdate(metric=None)) == NetworkSettings(metric="automatic")


def test_what_does_not_hold() -> None:
    """A client reads what it asked for in the form in which it asked."""
    unmet = Unmet(settings=SETTINGS, missing=SETTINGS, extra=NetworkSettings(), link_up=True)
    wanted = wanted_of(unmet).model_dump(mode="json")
    assert wanted == {**BODY, "dns_search": ["example.com"], "link_up": True}
    difference = difference_of(unmet)
    assert difference is not None
    lists = {name: wanted[name] for name in LISTS}
    assert difference.model_dump(mode="json") == {"missing": lists, "extra": {}}


def test_lists_that_do_not_differ() -> None:
    """Where only numbers differ there is no difference of lists."""
    mtu = NetworkSettings(mtu=1400)
    unmet = Unmet(settings=mtu, missing=NetworkSettings(), extra=NetworkSettings())
    assert difference_of(unmet) is None
    assert wanted_of(unmet).model_dump(mode="json") == {"mtu": 1400}


def test_an_event_without_a_model() -> None:
    """A value of the hub that has no model is a defect, and named."""
    with pytest.raises(TypeError, match="An event carries int, which has no schema"):
        event_of(Event(1, 0, EventType.DRIVER_LOG, 5))
