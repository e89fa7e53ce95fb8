"""The contract over the emulated library, in both generations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.drivers.contract import DriverContract
from wintun_api.drivers.base import Adapter, Driver
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation


class EmulatedContract(DriverContract):
    generation: Generation
    library: EmulatedLibrary

    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        library = EmulatedLibrary(self.generation)
        type(self).library = library
        driver = emulated_driver(library)
        yield driver
        driver.close()
        assert library.misuse == []

    def host_sends(self, adapter: Adapter, destination: str, payload: bytes) -> None:
        self.library.machine.host_sends(adapter.info().guid, destination, payload)

    @contextmanager
    def hold_host(self, adapter: Adapter) -> Iterator[None]:
        guid = adapter.info().guid
        self.library.hold_consumer(guid)
        yield
        self.library.release_consumer(guid)


class TestPoolGeneration(EmulatedContract):
    generation = Generation.POOL


class TestTunnelTypeGeneration(EmulatedContract):
    generation = Generation.TUNNEL_TYPE
