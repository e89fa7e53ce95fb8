"""What the page shows when its service goes, comes back, or cannot work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.datagrams import capture, inject, row
from tests.browser.screen import Screen
from tests.running import running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

# What Chromium writes when the page goes on before its socket is open.
HASTE = "closed before the connection is established"
REFUSED_CONNECTIONS = [r"ERR_CONNECTION_REFUSED", r"status of 401", r"WebSocket connection"]


def test_a_service_that_stops_and_returns(browser: Browser, tmp_path: Path) -> None:
    """The page says that it stopped, tries again, and goes on with the new service."""
    from playwright.sync_api import expect

    with running(tmp_path) as first:
        screen = Screen(browser, first)
        screen.tolerated.extend(REFUSED_CONNECTIONS)
        screen.sign_in()
        port = first.port
    state = screen.page.locator(".state")
    expect(state).to_have_attribute("data-state", "lost")
    expect(screen.page.get_by_text("Next attempt in")).to_be_visible()
    screen.button("Try now").click()
    expect(state).to_have_text("Service stopped")  # a failed attempt does not say less
    expect(screen.button("New adapter…")).to_be_disabled()
    expect(screen.page.get_by_text("nothing can be changed")).to_be_visible()
    with running(tmp_path, port=port) as second, screen:
        screen.service = second
        screen.is_live()
        expect(screen.button("New adapter…")).to_be_enabled()


def test_a_view_that_there_is_not(screen: Screen) -> None:
    """The address is put right, and the page says what it did not find."""
    from playwright.sync_api import expect

    screen.go("Events")
    screen.page.goto(f"{screen.service.url}/#/nonsense?filter=tcp")
    expect(screen.page).to_have_url(f"{screen.service.url}/#/overview")
    expect(screen.page.get_by_text("There is no view “nonsense”.")).to_be_visible()
    screen.page.go_back()
    expect(screen.page).to_have_url(f"{screen.service.url}/#/events")


def test_a_form_outlives_a_restart_of_the_service(browser: Browser, tmp_path: Path) -> None:
    """What was typed is still there, and can be sent to the new service."""
    from playwright.sync_api import expect

    with running(tmp_path) as first:
        screen = Screen(browser, first)
        screen.tolerated.extend(REFUSED_CONNECTIONS)
        screen.sign_in()
        screen.button("New adapter…").click()
        screen.fill("Name", "OfficeNet")
        port = first.port
    expect(screen.page.locator(".state")).to_have_attribute("data-state", "lost")
    with running(tmp_path, port=port) as second, screen:
        screen.service = second
        screen.is_live()
        expect(screen.page.get_by_label("Name", exact=True)).to_have_value("OfficeNet")
        screen.button("Create").click()
        expect(screen.row("OfficeNet")).to_be_visible()


def test_a_broken_connection_resumes_without_a_gap(screen: Screen) -> None:
    """Events that happened meanwhile are there, once each, and no snapshot was needed."""
    from playwright.sync_api import expect

    screen.tolerated.extend([r"ERR_INTERNET_DISCONNECTED", r"WebSocket connection"])
    screen.service.adapter(name="Before")
    screen.go("Events")
    log = screen.page.get_by_role("log")
    expect(log).to_contain_text("Adapter Before was created")
    client = screen.context.new_cdp_session(screen.page)
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", offline)
    events = screen.service.service.context.registry.events
    screen.service.loop.call_soon_threadsafe(events.close)
    expect(screen.page.locator(".state")).to_have_attribute("data-state", "lost")
    screen.service.adapter(name="Meanwhile")
    client.send("Network.emulateNetworkConditions", {**offline, "offline": False})
    screen.page.get_by_role("button", name="Try now").click()
    screen.is_live()
    expect(log.get_by_text("Adapter Meanwhile was created")).to_have_count(1)
    expect(log.get_by_text("Adapter Before was created")).to_have_count(1)


def test_an_unavailable_driver_says_what_to_do(browser: Browser, tmp_path: Path) -> None:
    """The reason, the hint, and no button that could not work."""
    from playwright.sync_api import expect

    with running(tmp_path, driver="wintun") as service, Screen(browser, service) as screen:
        screen.sign_in()
        unavailable = service.http.get("/v1/system").json()["unavailable"]
        alert = screen.page.get_by_role("alert")
        expect(alert).to_contain_text(unavailable["message"])
        expect(alert).to_contain_text(unavailable["hint"])
        expect(screen.button("New adapter…")).to_be_disabled()


def test_a_reload_keeps_the_view_the_adapter_and_the_filter(screen: Screen) -> None:
    """They are in the address and in the title; a packet that is not kept is said to be gone."""
    from playwright.sync_api import expect

    screen.tolerated.append(HASTE)
    for name, net in (("Alpha", 7), ("Beta", 8)):
        screen.service.session(screen.service.adapter(name=name, addresses=[f"10.6.{net}.1/24"]))
    screen.page.goto(f"{screen.service.url}/#/packets?adapter=Beta&filter=icmp&packet=40")
    title = re.compile("^Packets · icmp · Beta ")
    expect(screen.page).to_have_title(title)
    screen.page.locator(".stream.live").wait_for()  # what is left half open is complained of
    screen.page.reload()
    expect(screen.page).to_have_title(title)
    expect(screen.page.get_by_label("Display filter")).to_have_value("icmp")
    expect(screen.page.get_by_label("Packets of").locator("option:checked")).to_have_text("Beta")
    screen.page.locator(".stream.live").wait_for()
    screen.page.goto("about:blank")
    screen.page.goto(f"{screen.service.url}/#/packets?packet=40")
    expect(screen.page.locator(".notice")).to_contain_text("Packet 40 is not here")
    screen.page.locator(".stream.live").wait_for()


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        ("abc", "“abc” is not a packet number. Packet numbers start at 1."),
        ("-5", "“-5” is not a packet number. Packet numbers start at 1."),
        ("99999999", "There is no packet 99,999,999 yet: the last one is 3."),
        ("1", "Packet 1 is no longer kept: newer ones took its place."),
    ],
)
def test_a_packet_of_the_address_that_is_not_there(screen: Screen, packet: str, said: str) -> None:
    """What is wrong with it is said, and the address names it no more."""
    from playwright.sync_api import expect

    page = screen.page
    page.evaluate("localStorage.setItem('wintun-api.limits', '[2,67108864,0]')")
    page.reload()
    capture(screen, 2001, 2002)
    inject(screen.service, screen.service.http.get("/v1/sessions").json()[0]["id"], 2003)
    row(screen, 2003).wait_for()
    page.evaluate(f"location.hash = '#/packets?packet={packet}'")
    expect(page.locator(".notice")).to_have_text(re.compile(re.escape(said)))
    assert "packet=" not in page.url


def test_a_packet_of_the_address_is_selected(screen: Screen) -> None:
    """Also where it names another adapter that packets are kept of."""
    from playwright.sync_api import expect

    page = screen.page
    screen.tolerated.append(HASTE)
    capture(screen, 2001, 2002)
    screen.service.session(screen.service.adapter(name="Other"))
    heading = page.get_by_role("region", name="Packet details").get_by_role("heading")
    page.evaluate("location.hash = '#/packets?adapter=OfficeNet&packet=2'")
    expect(heading).to_have_text("Packet 2")
    page.evaluate("location.hash = '#/packets?adapter=Other'")
    expect(heading).to_have_count(0)
    page.evaluate("location.hash = '#/packets?adapter=OfficeNet&packet=1'")
    expect(heading).to_have_text("Packet 1")
    expect(row(screen, 2001)).to_have_attribute("aria-selected", "true")


def test_a_refused_filter_is_not_in_the_title(screen: Screen) -> None:
    """The field says what is wrong with it."""
    from playwright.sync_api import expect

    screen.service.session(screen.service.adapter(name="OfficeNet"))
    screen.page.goto(f"{screen.service.url}/#/packets?filter=tcp+tcp")
    expect(screen.page.get_by_label("Display filter")).to_have_attribute("aria-invalid", "true")
    expect(screen.page).to_have_title(re.compile("^Packets · OfficeNet "))


def test_the_theme_is_chosen_and_kept(screen: Screen) -> None:
    """As the system has it, until someone chooses."""
    from playwright.sync_api import expect

    root = screen.page.locator("html")
    expect(root).to_have_attribute("data-theme", "light")
    screen.page.emulate_media(color_scheme="dark")
    expect(root).to_have_attribute("data-theme", "dark")
    screen.button("Theme: system").click()
    expect(root).to_have_attribute("data-theme", "light")
    screen.page.reload()
    expect(root).to_have_attribute("data-theme", "light")


def test_the_keyboard_goes_everywhere(screen: Screen) -> None:
    """Digits choose a tab, arrows an adapter, Enter and Escape open and close a dialog."""
    from playwright.sync_api import expect

    screen.service.adapter(name="Alpha")
    screen.service.adapter(name="Beta")
    expect(screen.row("Beta")).to_be_visible()
    keys = screen.page.keyboard
    keys.press("7")
    expect(screen.page.get_by_role("log")).to_be_visible()
    keys.press("8")  # the eighth that is shown: without a network there is no tab Hosts
    access = screen.page.get_by_role("link", name="Access")
    expect(access).to_have_attribute("aria-current", "page")
    keys.press("1")
    screen.row("Alpha").get_by_role("button").focus()
    keys.press("ArrowDown")
    expect(screen.page.get_by_role("article", name="Adapter Beta")).to_be_visible()
    screen.button("Delete…").focus()
    keys.press("Enter")
    expect(screen.dialog).to_be_visible()
    keys.type("1 stays text")
    keys.press("Escape")
    expect(screen.dialog).to_have_count(0)
    expect(screen.button("Delete…")).to_be_focused()
