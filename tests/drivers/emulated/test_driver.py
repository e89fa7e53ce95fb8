from __future__ import annotations

from ipaddress import ip_interface

import pytest

from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Capabilities
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.errors import AdapterNotFound
from wintun_api.settings import Settings


@pytest.mark.parametrize("generation", ["pool", "tunnel-type"])
def test_capabilities(generation: str) -> None:
    """What differs by generation is told by the capabilities."""
    driver = open_driver("emulated", Settings.load(generation=generation))
    pool = generation == "pool"
    assert driver.name == "emulated"
    assert driver.library_path is None
    assert driver.unavailable_reason() is None
    assert not driver.lasting
    assert driver.capabilities == Capabilities(
        generation=generation,
        persistent_adapters=pool,
        enumerate_pools=pool,
        rename=True,
        delete_pool=pool,
        delete_driver=not pool,
        network_settings=True,
        metric=True,
        dns=True,
        force_close=pool,
    )


def test_traffic_from_settings() -> None:
    """The rate of the settings makes the host talk."""
    driver = open_driver("emulated", Settings(traffic=500))
    session = driver.create_adapter("Demo", "Example").start_session(0x20000)
    assert session.wait_readable()
    assert session.receive_packets(10)
    session.end()


def test_ip_helper(library: EmulatedLibrary, adapter: WintunAdapter) -> None:
    """Identity and settings are found by LUID, and by alias whatever its case."""
    helper, info = EmulatedIpHelper(library.machine), adapter.info()
    assert helper.luid_of_alias("DEMO") == info.luid
    assert helper.luid_of_alias("Other") is None
    assert helper.description(info.luid) == "Example Tunnel"
    assert helper.alias(info.luid) == info.interface_name == "Demo"
    assert helper.guid(info.luid) == info.guid
    assert info.interface_index > 0
    with pytest.raises(AdapterNotFound):
        helper.set_addresses(1, [ip_interface("10.0.0.1/8")])
