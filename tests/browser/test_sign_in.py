"""Into the dashboard and out of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import ARGUMENTS, CHROMIUM, Screen
from tests.running import TOKEN, RunningService, running
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.heavy

# Chromium writes every refusal into its console.
REFUSED = r"status of 401"
# What it writes while a service is away.
AWAY = r"ERR_CONNECTION_REFUSED|WebSocket connection to|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE"
KEY = "wintun-api.key"


def key_of(page: Page) -> str | None:
    """Return the key that the page's origin stores."""
    key: str | None = page.evaluate(f"localStorage.getItem('{KEY}')")
    return key


def watch(page: Page, sockets: list[Any]) -> None:
    """Add every WebSocket that the page opens to the list."""

    def opened(socket: Any) -> None:
        sockets.append(socket)

    page.on("websocket", opened)


def paste(screen: Screen, token: str = TOKEN) -> None:
    """Sign in on the form."""
    screen.fill("Token", token)
    screen.button("Sign in").click()
    screen.is_live()


def test_the_printed_address_signs_in_once(screen: Screen) -> None:
    """The token is traded for a cookie, and gone from the address bar and the history."""
    from playwright.sync_api import expect

    expect(screen.page.get_by_role("heading", name="Adapters")).to_be_visible()
    assert TOKEN not in screen.page.url
    assert screen.page.evaluate("history.length") <= 2
    cookie = screen.context.cookies()[0]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    screen.page.reload()
    screen.is_live()


def test_the_key_is_seen_by_no_one(visitor: Screen) -> None:
    """It is in storage alone: in no address, cookie, page or console message."""
    said: list[str] = []
    visitor.page.on("console", lambda message: said.append(message.text))
    visitor.sign_in()
    page = visitor.page
    key = key_of(page)
    assert key is not None
    assert len(key) >= 43
    assert page.url == f"{visitor.service.url}/"
    for tab in ("Packets", "Events", "Overview"):
        visitor.go(tab)
    page.reload()
    visitor.is_live()
    while page.url != "about:blank" and page.evaluate("history.length > 1"):
        assert key not in page.url
        if page.go_back() is None and not page.url.startswith(visitor.service.url):
            break
    page.goto(f"{visitor.service.url}/#/events")
    visitor.is_live()
    assert key not in page.content()
    assert key not in str(visitor.context.cookies())
    assert not any(key in text or TOKEN in text for text in said)


def test_a_sign_in_leads_to_no_place_of_the_page(visitor: Screen) -> None:
    """The places of the page are as they were: they are kept, linked and gone back to."""
    visitor.sign_in()
    visitor.page.goto(f"{visitor.service.url}/#/events")
    visitor.is_live()
    visitor.page.reload()
    visitor.is_live()
    assert visitor.page.url.endswith("/#/events")
    visitor.go("Packets")
    visitor.page.go_back()
    assert visitor.page.url.endswith("/#/events")


def test_a_key_in_the_address_of_an_open_page_is_taken_too(screen: Screen) -> None:
    """The page is not loaded anew then, but the key is tried and goes from the address."""
    screen.tolerated.append(REFUSED)
    before = key_of(screen.page)
    with screen.page.expect_response("**/v1/system") as tried:
        screen.page.evaluate("window.location.hash = 'key=x'")
    assert tried.value.status == 401
    assert screen.page.url == f"{screen.service.url}/"
    screen.is_live()
    assert key_of(screen.page) == before


def test_requests_carry_the_key_and_sockets_offer_it(visitor: Screen) -> None:
    """Every request of the API has the header; the WebSockets open with the offer."""
    service = visitor.service
    service.session(service.adapter(name="OfficeNet"))
    requests: list[Any] = []
    sockets: list[Any] = []
    visitor.page.on("request", lambda one: requests.append(one) if "/v1/" in one.url else None)
    watch(visitor.page, sockets)
    visitor.sign_in()
    visitor.go("Packets")
    visitor.page.locator(".stream.live").wait_for()
    key = key_of(visitor.page)
    assert len(requests) > 2
    assert {one.headers.get("x-wintun-api-key") for one in requests} == {key}
    assert len(sockets) >= 2


def test_a_cookie_without_a_key_asks_for_the_token(screen: Screen) -> None:
    """The page says so in a sentence, and signing in again works."""
    from playwright.sync_api import expect

    screen.tolerated.append(REFUSED)
    screen.page.evaluate("localStorage.clear()")
    screen.page.reload()
    expect(screen.page.get_by_text("no longer has the key of its sign-in")).to_be_visible()
    assert len(screen.context.cookies()) == 1
    paste(screen)
    assert key_of(screen.page) is not None


def test_an_old_key_asks_for_the_token(screen: Screen) -> None:
    """A key that fits another sign-in is as good as none, and the new one takes its place."""
    from playwright.sync_api import expect

    screen.tolerated.append(REFUSED)
    screen.page.evaluate(f"localStorage.setItem('{KEY}', 'old')")
    screen.page.reload()
    expect(screen.page.get_by_text("no longer has the key of its sign-in")).to_be_visible()
    paste(screen)
    assert key_of(screen.page) != "old"


BLOCKED = """
Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
});
"""
FULL = """
Storage.prototype.setItem = () => {
  throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
};
"""


@pytest.mark.parametrize("fault", [BLOCKED, FULL], ids=["blocked", "full"])
def test_a_browser_without_storage_is_signed_in_until_a_reload(visitor: Screen, fault: str) -> None:
    """The key is kept in memory then; after a reload the page asks for the token."""
    visitor.tolerated.append(REFUSED)
    visitor.context.add_init_script(fault)
    visitor.sign_in()
    visitor.go("Events")
    visitor.button("Theme: system").click()
    visitor.page.reload()
    visitor.button("Sign in").wait_for()
    paste(visitor)


def test_a_pasted_token_signs_in(visitor: Screen) -> None:
    """Who has no such address pastes the token; it never becomes a part of the address."""
    visitor.tolerated.append(REFUSED)
    visitor.page.goto(f"{visitor.service.url}/#/events")
    visitor.fill("Token", f"  {TOKEN} \n")
    visitor.button("Sign in").click()
    visitor.is_live()
    assert visitor.page.url.endswith("/#/events")


def test_a_pasted_address_signs_in(visitor: Screen) -> None:
    """The whole printed address is as good as the token in it."""
    visitor.tolerated.append(REFUSED)
    visitor.page.goto(visitor.service.url)
    visitor.fill("Token", f"{visitor.service.url}/?token={TOKEN}")
    visitor.page.keyboard.press("Enter")
    visitor.is_live()


def test_a_wrong_token_is_explained(visitor: Screen) -> None:
    """Both in the address and in the field."""
    from playwright.sync_api import expect

    visitor.tolerated.append(REFUSED)
    visitor.page.goto(f"{visitor.service.url}/?token=wrong")
    expect(visitor.page.get_by_text("The token in the address is wrong")).to_be_visible()
    assert "wrong" not in visitor.page.url
    visitor.fill("Token", "wrong as well")
    visitor.button("Sign in").click()
    expect(visitor.page.get_by_role("alert")).to_contain_text("does not know this token")


def test_sign_out(screen: Screen) -> None:
    """The cookie is void afterwards, and the page says so."""
    from playwright.sync_api import expect

    screen.tolerated.append(REFUSED)
    screen.button("Sign out").click()
    expect(screen.page.get_by_text("You are signed out.")).to_be_visible()
    assert screen.context.cookies() == []
    screen.page.reload()
    expect(screen.button("Sign in")).to_be_visible()


def test_sign_out_ends_the_visit_in_every_tab(screen: Screen) -> None:
    """The tabs of a browser share the cookie: another one asks for the token, too."""
    from playwright.sync_api import expect

    screen.tolerated.append(REFUSED)
    other = screen.context.new_page()
    other.goto(screen.service.url)
    expect(other.get_by_role("heading", name="Adapters")).to_be_visible()
    screen.button("Sign out").click()
    expect(other.get_by_text("You are signed out.")).to_be_visible()


def test_a_sign_in_reaches_every_tab(visitor: Screen) -> None:
    """After a sign-out, signing in again in one tab brings all of them back."""
    visitor.tolerated.append(REFUSED)
    visitor.sign_in()
    tabs = [visitor.page, visitor.context.new_page(), visitor.context.new_page()]
    live = ".state[data-state=live]"
    for tab in tabs[1:]:
        tab.goto(visitor.service.url)
        tab.locator(live).wait_for()
    visitor.button("Sign out").click()
    for tab in tabs:
        tab.get_by_text("You are signed out.").wait_for()
        assert key_of(tab) is None
    paste(visitor)
    for tab in tabs:
        tab.locator(live).wait_for()
        tab.reload()
        tab.locator(live).wait_for()


def test_another_token_in_one_tab_counts_in_all(visitor: Screen) -> None:
    """A new sign-in replaces the cookie and the key, so the other tabs go on with it."""
    from playwright.sync_api import expect

    visitor.tolerated.append(REFUSED)
    visitor.sign_in()
    other = visitor.context.new_page()
    other.goto(f"{visitor.service.url}/?token={visitor.service.token(Scope.READ)}")
    expect(other.get_by_text("Read-only")).to_be_visible()
    expect(visitor.page.get_by_text("Read-only")).to_be_visible()


def test_a_service_that_was_started_anew_knows_its_browsers(
    browser: Browser, tmp_path: Path
) -> None:
    """The page comes back by itself, with the key that it had."""
    with ExitStack() as stack:
        with running(tmp_path) as service:
            screen = stack.enter_context(Screen(browser, service))
            screen.tolerated += [REFUSED, AWAY]
            screen.sign_in()
            before = key_of(screen.page)
        screen.page.locator(".state[data-state=lost]").wait_for()
        with running(tmp_path, port=service.port):
            screen.is_live()
            assert key_of(screen.page) == before


def test_a_browser_that_was_started_anew_asks_for_the_token(
    browser: Browser, service: RunningService, tmp_path: Path
) -> None:
    """The cookie ends with the browser, so the stored key opens nothing; signing in replaces it."""
    assert browser.is_connected()  # Playwright runs once for all tests

    def start() -> Any:
        return browser.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=ARGUMENTS
        )

    context = start()
    page = context.pages[0]
    page.goto(f"{service.url}/?token={TOKEN}")
    page.locator(".state[data-state=live]").wait_for()
    before = key_of(page)
    context.close()

    context = start()
    page = context.pages[0]
    page.goto(service.url)
    page.get_by_label("Token", exact=True).fill(TOKEN)
    assert key_of(page) == before
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.locator(".state[data-state=live]").wait_for()
    assert key_of(page) != before
    context.close()


def test_two_services_stay_signed_in(browser: Browser, tmp_path: Path) -> None:
    """Two ports of one host have a cookie and a key each, in one browser."""
    with (
        running(tmp_path / "one") as one,
        running(tmp_path / "two") as two,
        Screen(browser, one) as screen,
    ):
        screen.sign_in()
        other = screen.context.new_page()
        live = other.locator(".state[data-state=live]")
        other.goto(f"{two.url}/?token={TOKEN}")
        live.wait_for()
        screen.page.reload()
        screen.is_live()
        other.reload()
        live.wait_for()
        assert key_of(screen.page) != key_of(other)
        screen.button("Sign out").click()
        screen.page.get_by_text("You are signed out.").wait_for()
        other.reload()
        live.wait_for()


def ended(visitor: Screen, end: Callable[[], object]) -> None:
    """Let a sign-in end while events and packets are seen: all ends, and nothing is tried again."""
    from playwright.sync_api import expect

    page = visitor.page
    visitor.tolerated.append(REFUSED)
    sockets: list[Any] = []
    page.goto("about:blank")  # a browser does not always tell that a page's sockets end with it
    watch(page, sockets)
    page.goto(visitor.service.url)
    visitor.go("Packets")
    page.locator(".stream.live").wait_for()
    assert sum(not one.is_closed() for one in sockets) >= 2
    end()
    expect(page.get_by_text("The sign-in is no longer valid")).to_be_visible()
    expect(visitor.button("Sign in")).to_be_visible()
    for one in sockets:
        if not one.is_closed():  # the closing handshake may last longer than the next drawing
            one.wait_for_event("close")
    tried: list[str] = []
    page.on("request", lambda one: tried.append(one.url))
    page.on("websocket", lambda one: tried.append(one.url))
    page.clock.fast_forward(120_000)
    page.evaluate("new Promise(requestAnimationFrame)")
    assert tried == []


def test_a_revoked_token_ends_the_streams(visitor: Screen) -> None:
    """Events and packets end with their token, and no dead key is tried again and again."""
    service = visitor.service
    service.session(service.adapter(name="OfficeNet"))
    made = service.http.post("/v1/tokens", json={"scopes": ["read", "capture"]}).json()
    visitor.page.clock.install()
    visitor.sign_in(made["token"])
    ended(visitor, lambda: service.http.delete(f"/v1/tokens/{made['id']}").raise_for_status())


def test_a_revoked_token_ends_a_page_that_asks_for_nothing(visitor: Screen) -> None:
    """Without a session the page only listens to events: their end takes it to the sign-in."""
    from playwright.sync_api import expect

    service = visitor.service
    made = service.http.post("/v1/tokens", json={"scopes": ["read"]}).json()
    visitor.sign_in(made["token"])
    service.http.delete(f"/v1/tokens/{made['id']}").raise_for_status()
    expect(visitor.page.get_by_text("The sign-in is no longer valid")).to_be_visible()


def test_a_revoked_token_ends_the_visit(visitor: Screen) -> None:
    """A page that is open when its token is revoked asks for another."""
    from playwright.sync_api import expect

    service = visitor.service
    service.session(service.adapter(name="OfficeNet"))  # so that the page asks for counters
    made = service.http.post("/v1/tokens", json={"scopes": ["read", "capture"]}).json()
    visitor.sign_in(made["token"])
    expect(visitor.button("Sign out")).to_be_visible()  # the page has its key
    visitor.tolerated += [REFUSED, "WebSocket connection to"]  # one may be about to open
    service.http.delete(f"/v1/tokens/{made['id']}").raise_for_status()
    expect(visitor.page.get_by_text("The sign-in is no longer valid")).to_be_visible()


def test_a_token_that_may_not_read_is_told_and_left(visitor: Screen) -> None:
    """The page says what the token allows, on every page, and another token signs in there."""
    from playwright.sync_api import expect

    visitor.tolerated.append("status of 403")
    service, page = visitor.service, visitor.page
    page.goto(f"{service.url}/?token={service.token(Scope.INJECT)}")
    for path in ("/", "/docs"):
        page.goto(f"{service.url}{path}")
        expect(page.get_by_text("It has: inject.")).to_be_visible()
    page.get_by_label("Token", exact=True).fill(TOKEN)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(service.url)
    page.locator(".state[data-state=live]").wait_for()


def test_a_read_only_token_sees_and_changes_nothing(visitor: Screen) -> None:
    """Adapters and events are there; what would change something is not."""
    from playwright.sync_api import expect

    service = visitor.service
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))
    visitor.sign_in(service.token(Scope.READ, Scope.CAPTURE))
    visitor.select("OfficeNet")
    expect(visitor.page.get_by_role("article")).to_contain_text("10.6.7.7/24")
    for name in ("New adapter…", "Stop session", "Edit…", "Delete…", "Release"):
        expect(visitor.button(name)).to_have_count(0)
    expect(visitor.page.get_by_text("No admin, inject")).to_be_visible()
    visitor.go("Compose")
    expect(visitor.button("Send")).to_be_disabled()
    expect(visitor.page.get_by_text("This token may not inject packets.")).to_contain_text(
        "a token that has the scope “inject”"
    )


def test_a_token_that_may_not_read_gets_a_page_that_says_so(visitor: Screen) -> None:
    """What it allows, and a way out: another token signs in at the same place."""
    from playwright.sync_api import expect

    service = visitor.service
    visitor.tolerated += [REFUSED, "status of 403"]
    visitor.page.goto(f"{service.url}/?token={service.token(Scope.INJECT)}")
    expect(visitor.page.get_by_text("It has: inject.")).to_be_visible()
    visitor.page.reload()
    expect(visitor.page.get_by_text("It has: inject.")).to_be_visible()
    paste(visitor)
    visitor.is_live()


def test_a_token_that_may_not_read_is_signed_out(visitor: Screen) -> None:
    """On the page that it gets, after a reload too, there is a way to end its sign-in."""
    from playwright.sync_api import expect

    service = visitor.service
    visitor.tolerated += [REFUSED, "status of 403"]
    visitor.page.goto(f"{service.url}/?token={service.token(Scope.INJECT)}")
    visitor.button("Sign out").wait_for()
    visitor.page.reload()
    visitor.button("Sign out").click()
    expect(visitor.page.get_by_text("You are signed out.")).to_be_visible()
    expect(visitor.button("Sign out")).to_have_count(0)
    assert key_of(visitor.page) is None
    assert visitor.context.cookies() == []


def test_pasting_a_token_that_may_not_read_says_so(visitor: Screen) -> None:
    """It is not said to be wrong, as it is not."""
    from playwright.sync_api import expect

    visitor.tolerated += [REFUSED, "status of 403"]
    visitor.page.goto(visitor.service.url)
    visitor.fill("Token", visitor.service.token(Scope.CAPTURE))
    visitor.button("Sign in").click()
    expect(visitor.page.get_by_text("This token does not have the scope read")).to_be_visible()
    paste(visitor)
    visitor.is_live()
