"""The page as a whole: accessible, within its policy, of every width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.axe import violations
from tests.browser.screen import Screen
from tests.running import RunningService

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

TABS = [
    "Overview",
    "Packets",
    "Conversations",
    "Captures",
    "Traffic",
    "Compose",
    "Events",
    "Hosts",
    "Access",
]

REPORT: dict[str, Any] = {
    "host": "a" * 12,
    "connected": False,
    "more_hosts": 3,
    "hosts": [
        {
            "id": letter * 12,
            "name": name,
            "state": state,
            "prefixes": ["10.6.7.7/32", "fd06:7::7/128"] * 9,
            "adapters": [{"name": "OfficeNet", "state": "up"}] * 3,
            "lost": {"no_route": 1234567, "ring": 7},
            "counts": {"uncounted": 2, "link_local": 12, "messages_dropped": 1234567},
            "more_adapters": 3,
            "clock_offset_ms": -86_400_000.0,
        }
        for letter, name, state in (
            ("a", "hub", "attached"),
            ("b", "x" * 128, "detached"),
            ("c", "c" * 12, "unknown"),
        )
    ],
}


# Left to right, right to left, East Asian, and as long as a name can be.
NAMES = ["OfficeNet", "شبكة المكتب الرئيسي", "研究開発ネットワーク", "Long name " * 12 + "to 127!"]

# What can be pressed or typed into and is not whole between the edges of the page, nor scrolls.
BEYOND = """(() => {
  const scrolls = (one) => one !== document.body && (one.id !== "view") &&
    getComputedStyle(one).overflowX !== "visible";
  const isIn = (one) => {
    for (let at = one.parentElement; at; at = at.parentElement) if (scrolls(at)) return true;
    const { left, right } = one.getBoundingClientRect();
    return left >= 0 && right <= innerWidth;
  };
  const all = document.querySelectorAll("main :is(button, a, input, select, textarea, summary)");
  return [...all]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .filter((one) => !one.closest(".unseen"))
    .filter((one) => !isIn(one))
    .map((one) => one.outerHTML.slice(0, 120));
})()"""
# How far the page scrolls, and how far the view scrolls across.
OVER = """[document.documentElement, document.querySelector("main")].flatMap((one, index) =>
  [one.scrollWidth - one.clientWidth, index ? 0 : one.scrollHeight - one.clientHeight])"""


# What reaches out of the panel that it is in, and does not scroll in it.
OUTSIDE = """[...document.querySelectorAll("main .panel")].flatMap((panel) => {
  const edge = panel.getBoundingClientRect();
  const scrolls = (one) => {
    for (let at = one; at !== panel; at = at.parentElement) {
      const { overflowX, position } = getComputedStyle(at);
      if (overflowX !== "visible" || position === "absolute") return true;
    }
    return false;
  };
  return [...panel.querySelectorAll("*")].filter((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    return width > 0 && (left < edge.left || right > edge.right) && !scrolls(one);
  }).map((one) => one.outerHTML.slice(0, 120));
})"""


@pytest.mark.parametrize("width", [320, 640, 1280])
def test_nothing_reaches_out_of_its_panel(
    browser: Browser, service: RunningService, width: int
) -> None:
    """Nor touches its edge: also what is in a panel only while something is chosen or open."""
    session = service.session(service.adapter(name=NAMES[-1], addresses=["10.6.7.7/24"], mtu=1420))
    for feature, body in (("impairment", {"received": {"delay_ms": 60}}), ("recorder", {})):
        path = f"/v1/sessions/{session['id']}/{feature}"
        service.http.put(path, json=body).raise_for_status()
    service.http.post("/v1/captures", json={"name": "runs"}).raise_for_status()
    service.api.set_network("lab", **REPORT)
    with Screen(browser, service, viewport={"width": width, "height": 800}) as screen:
        screen.sign_in()
        choose(screen, NAMES[-1])
        screen.button("Impair…").click()
        screen.page.locator(".counters").wait_for()
        assert screen.page.evaluate(OUTSIDE) == [], "Impair…"
        screen.go("Captures")
        choose(screen, "runs")
        files = screen.page.locator(".counters")
        box, panel = files.bounding_box(), screen.page.locator("aside.panel").bounding_box()
        assert box is not None
        assert panel is not None
        assert box["x"] >= panel["x"] + 8
        for tab in TABS:
            assert screen.page.evaluate(OUTSIDE) == [], tab
            screen.go(tab)


def choose(screen: Screen, name: str) -> None:
    """Select an adapter whose name may have no word in it that a pattern knows."""
    screen.page.get_by_role("row").filter(has_text=name).get_by_role("button").click()


@pytest.mark.parametrize(
    ("width", "height"),
    [(320, 568), (360, 640), (640, 400), (768, 1024), (1024, 600), (1280, 800), (2560, 1440)],
)
def test_views_fit_every_size(
    browser: Browser, service: RunningService, width: int, height: int
) -> None:
    """With 50 adapters, the page has no scroll bar beside that of the view, and nothing is cut."""
    for name in NAMES:
        service.session(service.adapter(name=name, addresses=["10.6.7.7/24"], mtu=1420))
    for number in range(46):
        service.adapter(name=f"Net {number}")
    service.api.set_network("lab", **REPORT)
    with Screen(browser, service, viewport={"width": width, "height": height}) as screen:
        screen.sign_in()
        for name in (NAMES[0], NAMES[-1]):
            choose(screen, name)
            for tab in TABS:
                screen.go(tab)
                screen.page.locator("main h1").wait_for(state="attached")
                assert screen.page.evaluate(OVER) == [0, 0, 0, 0], tab
                assert screen.page.evaluate(BEYOND) == [], tab
            screen.go("Overview")


def test_nothing_moves_where_motion_is_reduced(browser: Browser, service: RunningService) -> None:
    """No animation runs and none would, in any view."""
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"], mtu=1420))
    service.api.set_network("lab", **REPORT)
    moving = """[...document.querySelectorAll("*")].filter((one) => {
      const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(one);
      return animationName !== "none" || scrollBehavior === "smooth" ||
        transitionDuration.split(",").some((time) => parseFloat(time) > 0);
    }).length + document.getAnimations().length"""
    with Screen(browser, service, reduced_motion="reduce") as screen:
        screen.sign_in()
        for tab in TABS:
            screen.go(tab)
            assert int(screen.page.evaluate(moving)) == 0, tab


def test_names_of_either_direction_keep_to_themselves(
    browser: Browser, service: RunningService
) -> None:
    """A name that runs from right to left moves nothing of the sentence or row around it."""
    name = NAMES[1]
    service.adapter(name=name, addresses=["10.6.7.7/24"])
    service.api.set_network("lab", **REPORT)
    marked = f"\u2068{name}\u2069"  # as where a text has no elements
    isolated = f"""[...document.querySelectorAll("main *, dialog *")].filter((one) =>
      [...one.childNodes].some((text) => text.nodeType === 3 &&
        text.data.replaceAll({marked!r}, "").includes({name!r})) &&
      !one.closest("bdi, option")).map((one) => one.outerHTML.slice(0, 120))"""
    with Screen(browser, service) as screen:
        screen.sign_in()
        choose(screen, name)
        screen.button("Delete…").click()
        screen.dialog.wait_for()
        assert screen.page.evaluate(isolated) == [], "Delete…"
        screen.page.keyboard.press("Escape")
        for tab in TABS:
            screen.go(tab)
            assert screen.page.evaluate(isolated) == [], tab


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_views_are_accessible(
    browser: Browser, service: RunningService, scheme: str, width: int
) -> None:
    """Every view and every dialog, in both themes, narrow and wide; none is wider than the page."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"], mtu=1420)
    session = service.session(adapter)
    service.http.put(
        f"/v1/sessions/{session['id']}/impairment", json={"received": {"delay_ms": 60}}
    ).raise_for_status()
    service.http.put(f"/v1/sessions/{session['id']}/recorder", json={}).raise_for_status()
    for body in ({"name": "waits", "trigger": {"on": "loss"}}, {"name": "runs", "snaplen": 96}):
        service.http.post("/v1/captures", json=body).raise_for_status()
    service.adapter(name="Idle")
    service.api.set_network("lab", **REPORT)
    viewport = {"width": width, "height": 800}
    with Screen(browser, service, color_scheme=scheme, viewport=viewport) as screen:
        screen.tolerated.append("status of 401")
        screen.page.goto(service.url)
        screen.button("Sign in").wait_for()
        assert violations(screen) == []
        screen.sign_in()
        for tab in TABS:
            screen.go(tab)
            assert violations(screen) == [], tab
            assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, tab
        screen.go("Captures")
        screen.select("waits")
        screen.button("Delete…").click()
        assert violations(screen) == [], "Delete… of a capture"
        screen.page.keyboard.press("Escape")
        screen.button("New capture…").click()
        screen.fill("After packets", "0")
        screen.page.get_by_text(re.compile("^More:")).click()
        screen.fill("Max file size", "much")
        screen.choose("Some")
        screen.button("Start capture").click()
        screen.dialog.get_by_role("alert").first.wait_for()
        assert violations(screen) == [], "New capture…"
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, "New capture…"
        screen.page.keyboard.press("Escape")
        screen.go("Overview")
        screen.select("OfficeNet")
        screen.button("Change…").click()
        assert violations(screen) == [], "Change… of the recorder"
        screen.page.keyboard.press("Escape")
        screen.button("Impair…").click()
        screen.button("Remove").wait_for()
        screen.page.get_by_text(re.compile("^More:")).click()
        assert violations(screen) == [], "Impair…"
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width, "Impair…"
        screen.select("Idle")
        for button in ("New adapter…", "Open…", "Edit…", "Delete…", "Start session…"):
            screen.button(button).click()
            assert violations(screen) == [], button
            screen.page.keyboard.press("Escape")
