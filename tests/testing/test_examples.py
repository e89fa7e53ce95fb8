"""The examples of the guide's page about tests, as a project would have them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.drivers.linux.kernel import namespace
from tests.guide.blocks import blocks, only
from tests.testing.namespaces import needs_namespaces

# Runs a coroutine as a test, as a plugin for event loops does.
CONFTEST = """
import asyncio, inspect, pytest

@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True
"""

DRIVERS = ["emulated", pytest.param("rootless", marks=needs_namespaces)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_first_example(pytester: pytest.Pytester, driver: str) -> None:
    """The file at the top of the page passes as it is, emulated and on the kernel."""
    pytester.makepyfile(only("testing", "fixtures"))
    result = pytester.runpytest_subprocess("--tun-driver", driver, "-p", "no:xdist")
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_example_of_a_bad_network(pytester: pytest.Pytester, driver: str) -> None:
    """The ten lines at the top of the page of bad networks pass, emulated and on the kernel."""
    pytester.makepyfile(only("impairment", "impaired-link"))
    result = pytester.runpytest_subprocess("--tun-driver", driver, "-p", "no:xdist")
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("driver", [pytest.param("linux", marks=needs_namespaces)])
def test_the_first_example_on_the_machine(pytester: pytest.Pytester, driver: str) -> None:
    """It passes on the devices of a machine's own network, where one of the hosts is another."""
    pytester.makepyfile(only("testing", "fixtures"))
    with namespace():
        result = pytester.runpytest_subprocess("--tun-driver", driver, "-p", "no:xdist")
    result.assert_outcomes(passed=2)


def test_the_first_example_side_by_side(pytester: pytest.Pytester) -> None:
    """It passes in several workers at once."""
    text = only("testing", "fixtures")
    for number in range(3):
        pytester.makepyfile(**{f"test_{number}": text})
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=6)


def test_types(pytester: pytest.Pytester) -> None:
    """The strictest checks of mypy find the types of all fixtures."""
    pytest.importorskip("mypy")
    examples = only("testing", "fixtures") + only("impairment", "impaired-link")
    path = pytester.makepyfile(test_it=examples + TYPED)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(path)],
        cwd=pytester.path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


TYPED = """

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address

from wintun_api.testing import Crossing, Delivery, ImpairedLink, Rule, Side
from wintun_api.testing import TunDriver, TunLink, TunService, Verdict


def rule(packet: bytes, source: Side) -> Verdict:
    return [packet, Delayed(0.5, packet)] if source == "left" else None


def test_types(tun_service: TunService, tun_adapter: TunAdapter, tun_pair: TunPair) -> None:
    driver: TunDriver = tun_service.driver
    url: str = tun_service.url
    host: IPv4Address = tun_adapter.host
    peer: IPv6Address | None = tun_adapter.peer_v6
    names: Sequence[str] = [one.name for one in tun_service.client.list_adapters()]
    link: TunLink = tun_pair.link
    chosen: Rule = rule
    link.rule = chosen
    crossing: Crossing = link.wait_for(lambda one: one.source == "left" and not one.dropped)
    delivery: Delivery = link.wait_for_delivery(lambda one: one.destination == "right")
    counted: int = tun_pair.left_session.info.counters.received.packets
    text: str = tun_service.run(["true"]).stdout


def test_impaired(impaired_link: ImpairedLinks) -> None:
    bad: ImpairedLink = impaired_link(loss="2%", gap=5, from_left={"delay": 5.5}, seed=7)
    lost: int = bad.counters("left").lost.packets
    arrived: Delivery = bad.wait_for_arrival(lambda one: one.destination == "left")
    seed: int = bad.seed
    pair: TunPair = bad
"""


def test_the_example_with_an_event_loop(pytester: pytest.Pytester) -> None:
    """The coroutine of the page passes under a plugin that runs coroutines."""
    (example,) = (one.text for one in blocks("testing") if "async def" in one.text)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(example)
    pytester.runpytest_subprocess("-p", "no:anyio").assert_outcomes(passed=1)
