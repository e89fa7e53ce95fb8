"""The pytest plugin: fixtures, the option that chooses their driver, a marker and a line on top.

pytest loads it in every run where wintun-api is installed, so it imports nothing else of wintun-api
before a test asks for a fixture. `-p no:wintun_api` leaves it out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from wintun_api import __version__
from wintun_api.testing.choices import TunDriver

if TYPE_CHECKING:
    from wintun_api.testing.adapter import TunAdapter
    from wintun_api.testing.impaired import ImpairedLinks
    from wintun_api.testing.pair import TunPair
    from wintun_api.testing.service import TunService

OPTION = "--tun-driver"
INI = "tun_driver"
MARK = "tun_driver"
DRIVERS = [one.value for one in TunDriver]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the key of the configuration file."""
    group = parser.getgroup("wintun-api", "TUN adapters (wintun-api)")
    group.addoption(
        OPTION,
        choices=DRIVERS,
        help="what the fixtures tun_service, tun_adapter, tun_pair and impaired_link run on: "
        "emulated (a machine in memory, the default), linux (TUN devices of this machine; needs "
        "root), rootless (TUN devices in a namespace of their own), wintun (needs Windows and "
        "elevation)",
    )
    parser.addini(INI, f"the driver of the fixtures of wintun-api, unless {OPTION} is given")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker; refuse a driver that does not exist."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(*names): the test needs one of these drivers of wintun-api ("
        f"{', '.join(DRIVERS)}); with another one it is skipped",
    )
    _driver(config)


def pytest_report_header(config: pytest.Config) -> str:
    """Say which version is tested with which driver."""
    return f"wintun-api: {__version__}, driver {_driver(config).value}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Skip a test that is marked for other drivers; the report then names its place."""
    for mark in item.iter_markers(MARK):
        unknown = [name for name in mark.args if name not in DRIVERS]
        if unknown or not mark.args:
            raise pytest.UsageError(
                f"The marker {MARK} of {item.nodeid} takes names of drivers: {', '.join(DRIVERS)}."
            )
        if _driver(item.config).value not in mark.args:
            item.add_marker(pytest.mark.skip(reason=f"needs {OPTION} {' or '.join(mark.args)}"))


def _driver(config: pytest.Config) -> TunDriver:
    chosen = config.getoption(OPTION) or config.getini(INI) or TunDriver.EMULATED.value
    if chosen not in DRIVERS:
        raise pytest.UsageError(
            f"{INI} = {chosen}: there is no such driver. Choose one of: {', '.join(DRIVERS)}."
        )
    return TunDriver(chosen)


@pytest.fixture(scope="session")
def tun_service(pytestconfig: pytest.Config, _tun_subnets: Any) -> Iterator[TunService]:
    """A service of wintun-api, one for all tests of this process; --tun-driver says on what."""
    yield from _running(pytestconfig, _driver(pytestconfig), _tun_subnets)


@pytest.fixture
def tun_adapter(tun_service: TunService) -> Iterator[TunAdapter]:
    """An adapter with its own name and subnet, which is deleted after the test."""
    with tun_service.adapter() as adapter:
        yield adapter


@pytest.fixture
def tun_pair(_tun_hosts: tuple[TunService, TunService]) -> Iterator[TunPair]:
    """Two adapters whose hosts reach each other through a link that drops, delays and alters."""
    from wintun_api.testing.pair import make_pair

    with make_pair(*_tun_hosts) as pair:
        yield pair


@pytest.fixture
def impaired_link(
    _tun_hosts: tuple[TunService, TunService], request: pytest.FixtureRequest
) -> Iterator[ImpairedLinks]:
    """A function that gives two hosts with a bad network between them: delay, loss, rate, preset.

    `impaired_link(delay="100ms", loss="2%", seed=7)` gives an `ImpairedLink`.
    """
    from wintun_api.testing.impaired import ImpairedLinks

    def tell(text: str) -> None:
        request.node.add_report_section("call", "impaired_link", text)

    with ExitStack() as stack:
        yield ImpairedLinks(*_tun_hosts, stack, tell)


@pytest.fixture
def _tun_hosts(
    tun_service: TunService, request: pytest.FixtureRequest
) -> tuple[TunService, TunService]:
    """Give the services of two hosts, which are one service where its machine has both."""
    other = tun_service
    if tun_service.driver is TunDriver.WINTUN:
        pytest.skip(
            "Both adapters would belong to one host, because Windows has no network namespaces. "
            f"Use {OPTION} emulated."
        )
    if tun_service.driver.has_programs:
        # The kernel of one host delivers to its own addresses without any adapter.
        other = request.getfixturevalue("_tun_other_host")
    return tun_service, other


@pytest.fixture(scope="session")
def _tun_other_host(pytestconfig: pytest.Config, _tun_subnets: Any) -> Iterator[TunService]:
    """Give a service in a namespace of its own, which is another host."""
    yield from _running(pytestconfig, TunDriver.ROOTLESS, _tun_subnets)


@pytest.fixture(scope="session")
def _tun_subnets() -> Iterator[Any]:
    """Give the subnets of this process."""
    from wintun_api.testing.subnets import Subnets

    subnets = Subnets()
    yield subnets
    subnets.close()


def _running(config: pytest.Config, driver: TunDriver, subnets: Any) -> Iterator[TunService]:
    from wintun_api.testing.process import NotPossible
    from wintun_api.testing.report import report_of
    from wintun_api.testing.service import TunService

    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    try:
        service = TunService.start(driver, subnets, worker=worker)
    except NotPossible as error:
        # The hints of the service name its own option.
        reason = str(error).replace("--driver ", f"{OPTION} ")
        if driver is TunDriver.LINUX:
            reason += f" Or use {OPTION} {TunDriver.ROOTLESS.value}, which needs no rights."
        pytest.skip(f"{OPTION} {driver.value}: {reason}")
    report = report_of(config)
    report.add(service)
    try:
        yield service
    finally:
        report.remove(service)
        service.close()
