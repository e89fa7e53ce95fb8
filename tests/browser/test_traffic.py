"""The traffic view: rates, protocols and conversations of a session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import Screen
from tests.running import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy


@pytest.fixture
def busy(browser: Browser, tmp_path: Path) -> Iterator[Screen]:
    """The traffic view of a host that talks."""
    with running(tmp_path, traffic=200) as service, Screen(browser, service) as screen:
        screen.sign_in()
        service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))
        screen.go("Traffic")
        yield screen


def test_rates_are_drawn_and_said(busy: Screen) -> None:
    """Each chart says in words what it draws."""
    page = busy.page
    for title, unit in (("Bits", "b.s"), ("Packets", ".s"), ("Lost packets by cause", ".s")):
        chart = page.get_by_role("img", name=re.compile(rf"^{title}: .* {unit}"))
        chart.locator("canvas").wait_for()
    page.get_by_role("img", name=re.compile("^Packets: Received [1-9]")).wait_for()


def test_protocols_and_talkers_are_listed(busy: Screen) -> None:
    """The split names kinds with their share; a conversation is one filter away."""
    from playwright.sync_api import expect

    page = busy.page
    split = page.get_by_role("region", name="Protocols")
    expect(split.get_by_role("row").nth(1)).to_contain_text("%")
    talkers = page.get_by_role("region", name="Top talkers")
    talkers.get_by_role("button").first.click()
    expect(page.get_by_role("combobox", name="Display filter")).to_have_value(
        re.compile("^host .* and host .*")
    )
    page.get_by_role("grid", name="Packets").get_by_role("row").nth(1).wait_for()
