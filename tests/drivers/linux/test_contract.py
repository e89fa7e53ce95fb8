"""The driver contract over the kernel's TUN device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drivers.contract import DriverContract, Make
from tests.drivers.linux import kernel
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Adapter, Driver
from wintun_api.errors import InvalidArgument
from wintun_api.settings import Settings

pytestmark = kernel.needs_kernel


class TestLinuxDriver(DriverContract):
    """The contract, with the host being this very kernel."""

    @pytest.fixture
    def driver(self, namespace: None, packet_calls: Settings) -> Iterator[Driver]:
        driver = open_driver("linux", packet_calls)
        yield driver
        driver.close()

    def host_sends(self, adapter: Adapter, destination: str, payload: bytes) -> None:
        assert adapter.info().interface_index
        kernel.host_sends(destination, payload)

    @pytest.mark.parametrize("name", ["Büro-Netz", "網路", "Net \U0001f30d", "\U0001f30d" * 49])
    def test_names_are_utf16(self, make: Make, name: str) -> None:
        """A name beyond ASCII comes back as it went, as far as the kernel's alias holds it."""
        assert make(name).info().name == name

    def test_longest_names(self, driver: Driver) -> None:
        """A name that Wintun takes and the kernel's alias does not is refused by its bytes."""
        with pytest.raises(InvalidArgument, match=r"259 bytes .* limit on Linux is 203"):
            driver.create_adapter("\U0001f30d" * 63, "Example")
