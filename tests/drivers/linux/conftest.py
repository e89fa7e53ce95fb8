"""Fixtures of the kernel driver: every test in a network namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drivers.linux import kernel
from tests.extension import extension
from wintun_api.choices import Native, Offload
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.settings import Settings

WAYS = {
    "native": (Native.AUTO, Offload.OFF),
    "native, offload": (Native.AUTO, Offload.ON),
    "python": (Native.OFF, Offload.OFF),
    "python, offload": (Native.OFF, Offload.ON),
}


@pytest.fixture
def namespace() -> Iterator[None]:
    """A network namespace in which nobody else has adapters, and that takes ours along."""
    with kernel.namespace():
        yield


@pytest.fixture(params=list(WAYS))
def packet_calls(request: pytest.FixtureRequest) -> Settings:
    """How a session reads and writes packets: in C and in Python, with offload and without."""
    native, offload = WAYS[request.param]
    if native is Native.AUTO:
        extension()
    return Settings.load(native=native, offload=offload)


@pytest.fixture
def driver(namespace: None, packet_calls: Settings) -> Iterator[Driver]:
    """The kernel driver with either kind of calls, in a namespace of its own."""
    driver = open_driver("linux", packet_calls)
    yield driver
    driver.close()
