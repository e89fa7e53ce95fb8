"""A real Chromium, and the dashboard of a real service in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen, chromium
from tests.running import RunningService, running
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each has a context of its own."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser, service: RunningService) -> Iterator[Screen]:
    """A browser nobody has signed in with."""
    with Screen(browser, service) as screen:
        yield screen


@pytest.fixture
def screen(visitor: Screen) -> Screen:
    """The dashboard, signed in as admin."""
    visitor.sign_in()
    return visitor


@pytest.fixture
def session(screen: Screen) -> dict[str, Any]:
    """The session of an adapter that is selected."""
    started = screen.service.session(
        screen.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    )
    screen.select("OfficeNet")
    return started


@pytest.fixture
def library() -> EmulatedLibrary:
    """The emulated library behind `faulty`."""
    return EmulatedLibrary()


@pytest.fixture
def faulty(browser: Browser, library: EmulatedLibrary, tmp_path: Path) -> Iterator[Screen]:
    """The dashboard of a service whose library can be made to fail."""
    with running(tmp_path, emulated_driver(library)) as service, Screen(browser, service) as screen:
        screen.sign_in()
        yield screen
