"""The captures view: captures of the service are started, watched, downloaded and deleted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen
from tests.capture.capinfos import info_of
from tests.libpcap import need_libpcap
from tests.needs import need
from tests.running import RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy


@pytest.fixture
def session(screen: Screen, session: dict[str, Any]) -> dict[str, Any]:
    """A session, whose packets the captures have, and the view of the captures."""
    screen.go("Captures")
    return session


@pytest.fixture
def form(screen: Screen, session: dict[str, Any]) -> Locator:
    """The opened form of a new capture."""
    assert session
    screen.button("New capture…").click()
    screen.dialog.wait_for()
    return screen.dialog


def captures(service: RunningService) -> list[dict[str, Any]]:
    """Return what the service has."""
    listed: list[dict[str, Any]] = service.http.get("/v1/captures").raise_for_status().json()
    return listed


def start(service: RunningService, **body: Any) -> dict[str, Any]:
    """Start a capture as another program does."""
    made: dict[str, Any] = service.http.post("/v1/captures", json=body).raise_for_status().json()
    return made


def article(screen: Screen, name: str) -> Locator:
    """Return the details of the selected capture."""
    return screen.page.get_by_role("article", name=f"Capture {name}")


def download(screen: Screen, path: Path) -> Path:
    """Download the newest file of the selected capture."""
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name=re.compile("^Download ")).first.click()
    found: Path = path / download.value.suggested_filename
    download.value.save_as(found)
    return found


def test_a_capture_is_started_watched_and_stopped(
    screen: Screen, session: dict[str, Any], form: Locator, tmp_path: Path
) -> None:
    """Its counts follow, and its file is whole while it runs and after its end."""
    from playwright.sync_api import expect

    need("capinfos")
    screen.fill("Name", "office")
    screen.choose("Some")
    form.get_by_label(re.compile("^OfficeNet")).check()
    screen.choose("To host")
    screen.button("Start capture").click()
    expect(form).to_have_count(0)
    (made,) = captures(screen.service)
    assert (made["name"], made["adapters"], made["direction"]) == (
        "office",
        [session["adapter"]],
        "injected",
    )
    screen.service.api.inject_packets(session["id"], [ECHO] * 7)
    expect(screen.row("office")).to_contain_text("running")
    expect(screen.row("office").get_by_role("cell").nth(1)).to_have_text("7")
    expect(article(screen, "office")).to_contain_text("OfficeNet")
    until(lambda: captures(screen.service)[0]["files"][0]["packets"] == 7)
    assert info_of(download(screen, tmp_path)).packets == 7
    screen.service.api.inject_packets(session["id"], [ECHO] * 3)
    screen.button("Stop").click()
    expect(screen.row("office")).to_contain_text("ended: a client stopped it")
    expect(screen.row("office").get_by_role("cell").nth(1)).to_have_text("10")
    expect(screen.button("Stop")).to_have_count(0)
    assert info_of(download(screen, tmp_path)).packets == 10


def test_a_form_asks_for_everything(screen: Screen, form: Locator) -> None:
    """What is typed is what the service does, in its units."""
    from playwright.sync_api import expect

    screen.choose("All")
    screen.fill("After packets", "1000")
    screen.fill("After size", "1 GiB")
    screen.fill("After time", "10 min")
    form.get_by_text(re.compile("^More:")).click()
    screen.fill("Max file size", "64 MiB")
    screen.fill("Max file time", "1 h")
    screen.fill("Max files", "5")
    screen.fill("Snap length", "96")
    form.get_by_label("Add comments that say what happened to each packet").check()
    form.get_by_label("Start", exact=True).select_option("At an event")
    form.get_by_label("Event", exact=True).select_option("session.failed")
    screen.fill("Before", "30 s")
    screen.fill("After", "1 min")
    screen.button("Start capture").click()
    expect(form).to_have_count(0)
    (made,) = captures(screen.service)
    assert made["name"] == "capture"
    assert made["adapters"] is None
    assert {name: made[name] for name in ("stop", "rotate", "keep", "snaplen", "marks")} == {
        "stop": {"packets": 1000, "bytes": 2**30, "seconds": 600},
        "rotate": {"bytes": 64 * 2**20, "seconds": 3600},
        "keep": {"files": 5},
        "snaplen": 96,
        "marks": True,
    }
    assert made["trigger"] == {"on": "event", "event": "session.failed", "before": 30, "after": 60}
    detail = article(screen, "capture")
    expect(detail).to_contain_text("the event session.failed, from 30 s before it")
    expect(detail).to_contain_text("after 1,000 packets, 1 GiB or 10 min")


def test_errors_are_at_their_fields(screen: Screen, form: Locator) -> None:
    """Also those in the folded part; nothing is started."""
    from playwright.sync_api import expect

    screen.fill("After packets", "0")
    form.get_by_text(re.compile("^More:")).click()
    screen.fill("Max file size", "much")
    form.get_by_text(re.compile("^More:")).click()
    screen.choose("Some")
    screen.button("Start capture").click()
    expect(form.get_by_role("alert")).to_have_text(
        [
            "Choose at least one adapter, or choose All.",
            "Enter a whole number, at least 1.",
            "Enter a number with a unit, such as 64 MiB or 2 GB.",
        ]
    )
    expect(screen.page.get_by_label("After packets", exact=True)).to_be_focused()
    field = screen.page.get_by_label("Max file size", exact=True)
    expect(field).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert captures(screen.service) == []


def test_a_filter_is_checked_while_it_is_typed(
    screen: Screen, session: dict[str, Any], form: Locator
) -> None:
    """The place of its fault is marked; a valid one chooses the packets."""
    need_libpcap()
    from playwright.sync_api import expect

    screen.fill("Filter", "icmp and prot 80")
    alert = form.get_by_role("alert")
    expect(alert).to_contain_text("syntax error")
    expect(alert.locator("mark")).to_be_visible()
    field = screen.page.get_by_label("Filter", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    screen.button("Start capture").click()  # a request would be refused, and complained of
    expect(field).to_be_focused()
    assert captures(screen.service) == []
    screen.fill("Filter", "udp")
    expect(form).to_contain_text("The filter is valid.")
    screen.button("Start capture").click()
    expect(form).to_have_count(0)
    screen.service.api.inject_packets(session["id"], [ECHO] * 5)  # none of it is UDP
    expect(screen.row("capture")).to_contain_text("udp")
    screen.button("Stop").click()
    expect(screen.row("capture")).to_contain_text("ended")
    assert captures(screen.service)[0]["packets"] == 0


def test_filters_that_are_not_available_say_so(screen: Screen, form: Locator) -> None:
    """With what to install, as the service's own answer has it."""
    from playwright.sync_api import expect

    screen.tolerated.append("status of 501")
    problem = {
        "type": "https://example.com/filter-unavailable",
        "title": "Filters unavailable",
        "status": 501,
        "detail": "No libpcap is installed for the service.",
        "hint": 'Install it with: pip install "wintun-api[filter]"',
    }
    screen.page.route(
        "**/v1/filters/check",
        lambda route: route.fulfill(
            status=501, body=json.dumps(problem), content_type="application/problem+json"
        ),
    )
    screen.fill("Filter", "tcp port 443")
    expect(form).to_contain_text("Filters are not available now. No libpcap is installed")
    expect(form).to_contain_text('pip install "wintun-api[filter]"')


def test_a_capture_that_waits_is_begun(screen: Screen, form: Locator) -> None:
    """It says what it waits for, and a button begins it."""
    from playwright.sync_api import expect

    form.get_by_label("Start", exact=True).select_option("When packets are lost")
    screen.button("Start capture").click()
    expect(screen.row("capture")).to_contain_text("waiting for its trigger")
    expect(article(screen, "capture")).to_contain_text("packets are lost")
    screen.button("Start now").click()
    expect(screen.row("capture")).to_contain_text("running")
    expect(article(screen, "capture")).to_contain_text("Triggered")
    assert captures(screen.service)[0]["triggered_at"] is not None


def test_what_others_do_is_seen(screen: Screen, session: dict[str, Any]) -> None:
    """Captures of another program come, end and go without a reload, the newest above."""
    from playwright.sync_api import expect

    assert session
    expect(screen.page.get_by_text("No captures yet.")).to_be_visible()
    first = start(screen.service, name="first")
    start(screen.service, name="second")
    names = screen.page.get_by_role("rowheader").locator("bdi")
    expect(names).to_have_text(["second", "first"])
    screen.service.http.post(f"/v1/captures/{first['id']}/stop").raise_for_status()
    expect(screen.row("first")).to_contain_text("ended: a client stopped it")
    screen.service.http.delete(f"/v1/captures/{first['id']}").raise_for_status()
    expect(names).to_have_text(["second"])
    screen.go("Events")
    log = screen.page.get_by_role("log")
    for words in ("started.", "ended", "and its files were deleted."):
        expect(log).to_contain_text(f"Capture first {words}")


def test_a_capture_is_deleted_once_that_is_confirmed(
    screen: Screen, session: dict[str, Any]
) -> None:
    """Escape keeps it, and the focus returns to the button."""
    from playwright.sync_api import expect

    assert session
    start(screen.service, name="office")
    screen.row("office").get_by_role("button").click()
    screen.button("Delete…").click()
    expect(screen.dialog).to_contain_text("The capture is stopped first.")
    expect(screen.button("Cancel")).to_be_focused()
    screen.page.keyboard.press("Escape")
    expect(screen.dialog).to_have_count(0)
    expect(screen.button("Delete…")).to_be_focused()
    assert len(captures(screen.service)) == 1
    screen.page.keyboard.press("Enter")
    screen.button("Delete capture").click()
    expect(screen.page.get_by_text("No captures yet.")).to_be_visible()
    assert captures(screen.service) == []


def test_the_keyboard_is_enough(screen: Screen, session: dict[str, Any]) -> None:
    """From the tab to a started capture, and between the captures."""
    from playwright.sync_api import expect

    assert session
    keys = screen.page.keyboard
    keys.press("1")
    keys.press("4")
    screen.button("New capture…").focus()
    keys.press("Enter")
    expect(screen.page.get_by_label("Name", exact=True)).to_be_focused()
    keys.type("typed")
    keys.press("Enter")
    expect(screen.dialog).to_have_count(0)
    expect(screen.button("New capture…")).to_be_focused()
    start(screen.service, name="other")
    screen.row("other").get_by_role("button").focus()
    keys.press("ArrowDown")
    expect(screen.row("typed").get_by_role("button")).to_be_focused()
    expect(article(screen, "typed")).to_be_visible()


def test_names_of_strangers_stay_among_themselves(screen: Screen, session: dict[str, Any]) -> None:
    """A name that is written from right to left does not turn the words around it."""
    from playwright.sync_api import expect

    assert session
    name = "\u05d0\u05d1 <b> abc\u05d0"
    start(screen.service, name=name)
    shown = screen.page.get_by_role("rowheader").locator("bdi")
    expect(shown).to_have_text([name])
    shown.click()
    heading = screen.page.get_by_role("heading", level=2).last
    assert heading.locator("bdi").inner_text() == name


def test_a_token_without_the_scope_only_sees(browser: Browser, service: RunningService) -> None:
    """It sees the captures and their files, and why there is nothing to press."""
    from playwright.sync_api import expect

    start(service, name="office")
    with Screen(browser, service) as screen:
        screen.sign_in(service.token(Scope.READ))
        screen.go("Captures")
        view = screen.page.locator("#view")
        expect(view).to_contain_text("does not have the scope “capture”")
        expect(view).to_contain_text("wintun-api tokens create read capture.")
        row = view.get_by_role("button")
        expect(row).to_have_text(["office, running"])
        row.click()
        expect(view).to_contain_text("office-00001-")
        expect(row).to_have_count(1)


def test_a_token_with_the_scope_alone_is_enough(browser: Browser, service: RunningService) -> None:
    """Whoever may read and capture may start, stop and delete."""
    from playwright.sync_api import expect

    service.session(service.adapter(name="OfficeNet"))
    with Screen(browser, service) as screen:
        screen.sign_in(service.token(Scope.READ, Scope.CAPTURE))
        screen.go("Captures")
        screen.button("New capture…").click()
        screen.button("Start capture").click()
        screen.button("Stop").click()
        expect(screen.row("capture")).to_contain_text("ended")
        screen.button("Delete…").click()
        screen.button("Delete capture").click()
        expect(screen.page.get_by_text("No captures yet.")).to_be_visible()


def test_captures_fit_a_narrow_screen(browser: Browser, service: RunningService) -> None:
    """At 360 pixels nothing is wider than the screen."""
    service.session(service.adapter(name="OfficeNet"))
    start(service, name="a rather long name of a capture that does not fit")
    with Screen(browser, service, viewport={"width": 360, "height": 640}) as screen:
        screen.sign_in()
        screen.go("Captures")
        screen.row("a rather").get_by_role("button").click()
        assert screen.page.evaluate("document.documentElement.scrollWidth") == 360
        screen.button("New capture…").click()
        assert screen.dialog.evaluate("(one) => one.scrollWidth <= one.clientWidth")
