"""Fixtures of the kernel driver: every test in a network namespace of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.settings import Settings


@pytest.fixture
def namespace() -> Iterator[None]:
    """A network namespace in which nobody else has adapters, and that takes ours along."""
    with kernel.namespace():
        yield


@pytest.fixture
def driver(namespace: None) -> Iterator[Driver]:
    """The kernel driver, in a namespace of its own."""
    driver = open_driver("linux", Settings.load())
    yield driver
    driver.close()
