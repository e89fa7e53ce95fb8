"""Fixtures of the Wintun driver's tests: a library, the driver over it, an adapter, a session.

A test that uses `library` ends with no misuse on record, unless it takes the record away itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from ipaddress import ip_interface

import pytest

from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.drivers.wintun.session import WintunSession

# Every test there needs a kernel TUN device, and pyroute2 is for Linux.
collect_ignore = ["linux"] if sys.platform == "win32" else []


@pytest.fixture(params=list(Generation))
def generation(request: pytest.FixtureRequest) -> Generation:
    """Both generations, one after the other."""
    value: Generation = request.param
    return value


@pytest.fixture
def library(generation: Generation) -> Iterator[EmulatedLibrary]:
    """An emulated library on a machine of its own."""
    library = EmulatedLibrary(generation)
    yield library
    assert library.misuse == []


@pytest.fixture
def wintun(library: EmulatedLibrary) -> Iterator[WintunDriver]:
    """The driver over `library`."""
    driver = emulated_driver(library)
    yield driver
    driver.close()


@pytest.fixture
def adapter(wintun: WintunDriver) -> WintunAdapter:
    """The adapter "Demo" of the pool "Example" with 10.6.7.7/24."""
    adapter = wintun.create_adapter("Demo", "Example")
    adapter.set_addresses([ip_interface("10.6.7.7/24"), ip_interface("fd06:7::7/64")])
    return adapter


@pytest.fixture
def session(adapter: WintunAdapter) -> Iterator[WintunSession]:
    """A session of the smallest capacity on "Demo"."""
    session = adapter.start_session(0x20000)
    yield session
    session.end()
