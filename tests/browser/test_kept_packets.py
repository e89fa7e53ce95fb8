"""What was captured stays until the reader clears it, whatever happens to the rest."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tests.browser.datagrams import capture, inject, row, show
from tests.browser.screen import Screen
from tests.running import TOKEN, running
from tests.waiting import within
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

# What Chromium writes into its console while a service is away or refuses.
AWAY = r"ERR_CONNECTION|ERR_EMPTY|WebSocket connection|status of 40[0-9]"
NEW_SESSION = "A new session of this adapter began"


def test_a_restart_of_the_service(browser: Browser, tmp_path: Path) -> None:
    """What came before is still there, and what comes after stands behind a line that says so."""
    with ExitStack() as stack:
        with running(tmp_path) as first:
            screen = stack.enter_context(Screen(browser, first))
            screen.tolerated.append(AWAY)
            screen.sign_in()
            capture(screen, 2001, 2002)
        screen.page.locator(".state[data-state=lost]").wait_for()
        row(screen, 2002).wait_for()
        with running(tmp_path, port=first.port) as second:
            screen.service = second
            screen.is_live()
            row(screen, 2001).wait_for()
            adapter = second.adapter(name="OfficeNet")
            with_service = "The session on OfficeNet ended when the service restarted."
            screen.page.get_by_text(with_service).wait_for()
            session = second.session(adapter)["id"]
            show(screen, session, 2003)
            row(screen, 2001).wait_for()
            screen.page.get_by_role("row").filter(has_text=NEW_SESSION).wait_for()


def test_a_view_that_is_opened_while_the_service_is_away(browser: Browser, tmp_path: Path) -> None:
    """It comes by itself when the service is there again, and so does what filters its packets."""
    from playwright.sync_api import expect

    with ExitStack() as stack:
        with running(tmp_path) as first:
            screen = stack.enter_context(Screen(browser, first))
            screen.tolerated.append(AWAY)
            screen.tolerated.append("Failed to load resource")
            screen.sign_in()
            first.session(first.adapter(name="OfficeNet"))
            screen.row("OfficeNet").wait_for()
        screen.page.locator(".state[data-state=lost]").wait_for()
        screen.go("Traffic")
        alert = screen.page.get_by_role("alert").filter(has_text="will be loaded")
        expect(alert).to_be_visible()
        screen.go("Packets")
        expect(alert).to_be_visible()
        with running(tmp_path, port=first.port) as second:
            screen.service = second
            screen.is_live()
            session = second.session(second.adapter(name="OfficeNet"))["id"]
            show(screen, session, 2001, 2002)
            screen.page.get_by_role("combobox", name="Display filter").fill("udp.dstport == 2002")
            expect(row(screen, 2001)).to_have_count(0)
            row(screen, 2002).wait_for()
            expect(screen.page.locator(".notice.failed")).to_have_count(0)


def test_the_end_of_a_session_and_of_its_adapter(screen: Screen) -> None:
    """The rows stay, the page shows no other adapter, and a new session goes on in the table."""
    from playwright.sync_api import expect

    service = screen.service
    session = capture(screen, 2001)
    adapter = service.http.get(f"/v1/sessions/{session}").json()["adapter"]
    other = service.session(service.adapter(name="Other"))["id"]
    service.http.delete(f"/v1/sessions/{session}")
    screen.page.locator(".stream.ended").wait_for()
    row(screen, 2001).wait_for()
    screen.page.get_by_text("The session on OfficeNet has ended").wait_for()
    service.http.delete(f"/v1/adapters/{adapter}")
    inject(service, other, 2009)
    row(screen, 2001).wait_for()
    expect(screen.page).to_have_title(re.compile(r"^Packets · OfficeNet \(deleted\) "))
    another = "0d0c9a3e-58c1-4a0f-9b51-5f1a2b3c4d5e"
    again = service.session(service.adapter(name="OfficeNet", requested_guid=another))["id"]
    show(screen, again, 2002)
    row(screen, 2001).wait_for()
    screen.page.get_by_role("row").filter(has_text="created again with another GUID").wait_for()
    assert row(screen, 2009).count() == 0


def test_a_sign_in_that_ended(visitor: Screen) -> None:
    """Who signs in again in the same tab finds the packets, and the place on the page."""
    from playwright.sync_api import expect

    visitor.tolerated.append(AWAY)
    service = visitor.service
    issued = service.api.create_token([Scope.ADMIN])
    visitor.sign_in(issued.token)
    session = capture(visitor, 2001, 2002)
    service.http.delete(f"/v1/tokens/{issued.id}")
    expect(visitor.page.get_by_text("The sign-in is no longer valid")).to_be_visible()
    visitor.page.evaluate("window.same = true")
    visitor.fill("Token", TOKEN)
    visitor.button("Sign in").click()
    visitor.is_live()
    assert "#/packets" in visitor.page.url
    row(visitor, 2001).wait_for()
    show(visitor, session, 2003)
    assert visitor.page.evaluate("window.same")


def test_another_adapter_in_between(screen: Screen) -> None:
    """Its packets are kept apart, and those of the first are there again."""
    session = capture(screen, 2001)
    service = screen.service
    service.session(service.adapter(name="Other"))
    picker = screen.page.locator(".picker")
    picker.locator("option", has_text="Other").wait_for(state="attached")
    picker.select_option(label="Other")
    row(screen, 2001).wait_for(state="hidden")
    picker.select_option(label="OfficeNet")
    row(screen, 2001).wait_for()
    show(screen, session, 2002)


def test_back_leads_to_the_adapter_before(screen: Screen) -> None:
    """Its packets and the one that was selected are shown again, and nothing is said to be lost."""
    from playwright.sync_api import expect

    capture(screen, 2001)
    row(screen, 2001).click()
    service = screen.service
    other = service.session(service.adapter(name="Other"))["id"]
    picker = screen.page.locator(".picker select")
    picker.locator("option", has_text="Other").wait_for(state="attached")
    picker.select_option(label="Other")
    show(screen, other, 2005)
    expect(screen.page).to_have_title(re.compile("Other"))
    screen.page.go_back()
    row(screen, 2001).wait_for()
    expect(row(screen, 2001)).to_have_attribute("aria-selected", "true")
    expect(screen.page).to_have_title(re.compile("packet 1 · OfficeNet"))
    expect(screen.page.get_by_text("is not in the table")).to_have_count(0)
    screen.page.locator(".stream.live").wait_for()
    screen.page.go_forward()
    row(screen, 2005).wait_for()


def test_a_pause_with_another_adapter_in_between(screen: Screen) -> None:
    """A filter finds the packets that came after those for which there was no room."""
    from playwright.sync_api import expect

    screen.page.evaluate("localStorage.setItem('wintun-api.limits', '[4,67108864,0]')")
    screen.page.reload()
    session = capture(screen, 2001, 2002, 2003, 2004)
    service = screen.service
    service.session(service.adapter(name="Other"))
    screen.button("Pause").click()
    inject(service, session, 2005)
    screen.page.get_by_text("1 not kept while paused").wait_for()
    picker = screen.page.locator(".picker")
    picker.select_option(label="Other")
    row(screen, 2001).wait_for(state="hidden")
    picker.select_option(label="OfficeNet")
    row(screen, 2001).wait_for()
    show(screen, session, 2006)
    screen.page.get_by_role("combobox", name="Display filter").fill("udp.dstport == 2006")
    row(screen, 2004).wait_for(state="hidden")
    row(screen, 2006).wait_for()
    gap = screen.page.get_by_role("row").filter(has_text="the table was paused")
    expect(gap).to_have_count(1)


def test_a_page_that_is_left_holds_no_socket(screen: Screen) -> None:
    """Going elsewhere closes what it had open; coming back opens it again."""
    session = capture(screen, 2001)
    service = screen.service

    def subscribers() -> int:
        found: int = service.http.get(f"/v1/sessions/{session}").json()["subscribers"]
        return found

    assert subscribers() == 1
    screen.page.goto(f"{service.url}/guide")
    assert within(10, lambda: subscribers() == 0)
    screen.page.go_back()
    screen.is_live()
    assert within(10, lambda: subscribers() == 1)


def test_only_views_of_packets_subscribe(screen: Screen) -> None:
    """Before a tab has shown packets it gets none; afterwards it does in every view."""
    service = screen.service
    session = service.session(service.adapter(name="OfficeNet"))["id"]

    def subscribers() -> int:
        found: int = service.http.get(f"/v1/sessions/{session}").json()["subscribers"]
        return found

    for tab in ("Events", "Captures", "Overview"):
        screen.go(tab)
    assert subscribers() == 0
    screen.go("Packets")
    screen.page.locator(".stream.live").wait_for()
    screen.go("Events")
    inject(service, session, 2001)
    screen.go("Packets")
    row(screen, 2001).wait_for()
    assert subscribers() == 1


def test_back_to_another_adapter(screen: Screen) -> None:
    """Back shows what was selected, with the filter that shows it; marks are there as well."""
    from playwright.sync_api import expect

    page, service = screen.page, screen.service
    capture(screen, 2001, 2002)
    other = service.session(service.adapter(name="Other"))["id"]
    page.get_by_label("Display filter").fill("udp.dstport < 2009")
    expect(page.locator("#filter-note")).to_contain_text("2 of 2 packets match")
    row(screen, 2001).click()
    page.keyboard.press("m")
    status = page.locator(".status-line")
    expect(status).to_contain_text("★ 1 marked")
    page.get_by_label("Packets of").select_option(label="Other")
    page.get_by_label("Display filter").fill("")
    show(screen, other, 2003)
    row(screen, 2003).click()
    expect(status).not_to_contain_text("marked")
    page.go_back()
    expect(row(screen, 2001)).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile("adapter=OfficeNet.*packet=1|packet=1.*adapter=OfficeNet"))
    expect(status).to_contain_text("★ 1 marked")
    expect(page.locator(".notice")).to_have_count(0)


def test_another_limit(screen: Screen) -> None:
    """What fits is kept, and what is selected stays so."""
    from playwright.sync_api import expect

    session = capture(screen, 2001, 2002)
    row(screen, 2002).click()
    screen.page.get_by_text("Table", exact=True).click()
    screen.page.get_by_label("Max packets").select_option("10000")
    screen.page.keyboard.press("Escape")
    inject(screen.service, session, 2003)
    row(screen, 2003).wait_for()
    expect(row(screen, 2002)).to_have_attribute("aria-selected", "true")
    expect(screen.page.locator(".status-line")).to_contain_text("3 of 3 packets shown")


def test_what_the_limit_drops(screen: Screen) -> None:
    """How many went is said with the setting; a selected packet stays, and says that it went."""
    from playwright.sync_api import expect

    screen.page.evaluate("localStorage.setItem('wintun-api.limits', '[3,67108864,0]')")
    screen.page.reload()
    session = capture(screen, 2001, 2002)
    status = screen.page.locator(".status-line")
    expect(status).to_contain_text("2 of 2 packets shown")
    expect(status).not_to_contain_text("dropped")
    row(screen, 2001).click()
    inject(screen.service, session, 2003, 2004)
    row(screen, 2004).wait_for()
    expect(status).to_contain_text("3 of 3 packets shown")
    expect(status).to_contain_text("1 older packet was dropped (Max packets: 3)")
    detail = screen.page.get_by_role("region", name="Packet details")
    expect(detail).to_contain_text("This packet is no longer in the table")
    row(screen, 2004).click()
    expect(detail).not_to_contain_text("no longer in the table")


def test_what_a_reload_drops(screen: Screen) -> None:
    """It is said once."""
    from playwright.sync_api import expect

    capture(screen, 2001, 2002)
    dropped = screen.page.get_by_text("Reloading the page discarded 2 captured packets.")
    screen.page.reload()
    expect(dropped).to_be_visible()
    screen.page.reload()
    screen.is_live()
    expect(dropped).to_have_count(0)


@pytest.mark.parametrize("found", ["", "udp"], ids=["all", "filtered"])
@pytest.mark.parametrize("way", ["wheel", "click", "number"])
def test_rows_stay_while_older_ones_go(screen: Screen, way: str, found: str) -> None:
    """Beside the end, what is read keeps its place on the screen as long as it is kept."""
    page, service = screen.page, screen.service
    page.evaluate("localStorage.setItem('wintun-api.limits', '[200,67108864,0]')")
    page.reload()
    session = capture(screen, *range(2001, 2009))
    inject(service, session, *range(2009, 2201))
    row(screen, 2200).wait_for()
    if found:
        field = page.get_by_role("combobox", name="Display filter")
        field.fill(found)
        field.blur()  # what it offers covers rows
        page.locator("#filter-note").filter(has_text="200 of 200 packets match").wait_for()
    read = 2150
    if way == "number":
        row(screen, 2180).click()
        page.keyboard.press("Control+g")
        page.keyboard.type("150")
        page.keyboard.press("Enter")
    else:
        row(screen, 2195).hover()
        page.mouse.wheel(0, -22 * 27 - 7)
    row(screen, read).wait_for()
    if way == "click":
        row(screen, read).click()
    frames(screen, 10)
    before = row(screen, read).bounding_box()
    for port in range(3001, 3101):
        inject(service, session, port)
    status = page.locator(".status-line")
    status.filter(has_text="100 older packets were dropped").wait_for()
    frames(screen, 2)
    assert row(screen, read).bounding_box() == before


@pytest.mark.parametrize("button", ["left", "right"])
def test_a_press_while_packets_come(screen: Screen, button: Literal["left", "right"]) -> None:
    """What is selected is the row under the press, which stays there until the release."""
    from playwright.sync_api import expect

    page = screen.page
    session = capture(screen, *range(2001, 2009))
    inject(screen.service, session, *range(2009, 2101))
    row(screen, 2100).wait_for()
    frames(screen, 2)
    box = row(screen, 2080).bounding_box()
    row(screen, 2080).hover()
    page.mouse.down(button=button)
    for port in range(3001, 3011):
        inject(screen.service, session, port)
    page.locator(".status-line").filter(has_text="110 of 110 packets shown").wait_for()
    page.mouse.up(button=button)
    expect(row(screen, 2080)).to_have_attribute("aria-selected", "true")
    assert row(screen, 2080).bounding_box() == box
    if button == "right":
        expect(page.get_by_role("menu", name="Actions for packet 80")).to_be_visible()


def frames(screen: Screen, count: int) -> None:
    """Let the page draw so many frames."""
    screen.page.evaluate(
        """async (count) => {
          while (count-- > 0) await new Promise(requestAnimationFrame);
        }""",
        count,
    )
