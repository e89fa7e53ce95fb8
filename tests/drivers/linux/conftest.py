"""Fixtures of the kernel driver: every test in a network namespace of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from tests.needs import leave_out
from wintun_api.drivers import open_driver
from wintun_api.drivers.base import Driver
from wintun_api.drivers.linux import native
from wintun_api.settings import Settings


@pytest.fixture
def namespace() -> Iterator[None]:
    """A network namespace in which nobody else has adapters, and that takes ours along."""
    with kernel.namespace():
        yield


@pytest.fixture(scope="session")
def native_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The native part, built for the tests; skipped where there is no compiler."""
    if sys.platform != "linux" or not any(map(shutil.which, native.COMPILERS)):
        leave_out("not installed: gcc")
    return native.build(tmp_path_factory.mktemp("native") / "burst.so")


@pytest.fixture(params=["python", "native"])
def packet_calls(request: pytest.FixtureRequest) -> str:
    """What a session reads and writes packets with, as the setting `native` has it."""
    if request.param == "python":
        return "off"
    return str(request.getfixturevalue("native_library"))


@pytest.fixture
def driver(namespace: None, packet_calls: str) -> Iterator[Driver]:
    """The kernel driver with either kind of calls, in a namespace of its own."""
    driver = open_driver("linux", Settings.load(native=packet_calls))
    yield driver
    driver.close()
