"""The guide in a browser: both themes, a small screen, and the way from the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import Screen
from wintun_api import guide

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

PATHS = ["/guide", *(f"/guide/{topic.name}" for topic in guide.topics())]
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(20, 23, 28)"


def test_the_help_icon_leads_there(screen: Screen) -> None:
    """The dashboard's link opens the guide, and the guide leads to a page and to a heading."""
    screen.page.get_by_role("link", name="Guide").click()
    screen.page.get_by_role("heading", name="The guide to wintun-api").wait_for()
    topics = screen.page.get_by_role("navigation", name="Topics")
    topics.get_by_role("link", name="Packets over WebSocket").click()
    contents = screen.page.get_by_role("navigation", name="On this page")
    contents.get_by_role("link", name="Control messages").click()
    assert screen.page.url.endswith("/guide/packets#control-messages")
    assert screen.page.get_by_role("heading", name="Control messages").is_visible()


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_fit_the_screen(visitor: Screen, width: int) -> None:
    """No page is wider than the screen; tables and code scroll by themselves."""
    visitor.page.set_viewport_size({"width": width, "height": 800})
    for path in PATHS:
        visitor.page.goto(f"{visitor.service.url}{path}")
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert visitor.page.evaluate("window.violations") == [], path
        visitor.page.get_by_role("heading", level=1).wait_for()


@pytest.mark.parametrize(("scheme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_the_systems_theme(visitor: Screen, scheme: str, ground: str) -> None:
    """Without a choice the page has the system's theme."""
    visitor.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visitor.page.goto(f"{visitor.service.url}/guide")
    assert visitor.page.evaluate(GROUND) == ground


@pytest.mark.parametrize(("theme", "ground"), [("light", LIGHT), ("dark", DARK)])
def test_the_dashboards_theme(visitor: Screen, theme: str, ground: str) -> None:
    """What was chosen on the dashboard wins over the system."""
    visitor.page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    visitor.page.goto(f"{visitor.service.url}/guide")
    visitor.page.evaluate(f"localStorage.setItem('wintun-api.theme', '{theme}')")
    visitor.page.reload()
    assert visitor.page.evaluate(GROUND) == ground


def test_the_guide_without_scripts(browser: Browser, visitor: Screen) -> None:
    """A browser that runs no script shows the whole page."""
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{visitor.service.url}/guide/packets")
        assert page.get_by_role("heading", name="hello").is_visible()
        assert page.get_by_role("navigation", name="Topics").is_visible()
    finally:
        context.close()
