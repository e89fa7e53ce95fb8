"""Into the dashboard and out of it."""

from __future__ import annotations

import pytest

from tests.browser.screen import Screen
from tests.running import TOKEN
from wintun_api.api.tokens import Scope

pytestmark = pytest.mark.heavy

# Chromium writes every refusal into its console.
REFUSED = r"status of 401"


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


def test_a_revoked_token_ends_the_visit(visitor: Screen) -> None:
    """A page that is open when its token is revoked asks for another."""
    from playwright.sync_api import expect

    service = visitor.service
    service.session(service.adapter(name="OfficeNet"))  # so that the page asks for counters
    made = service.http.post("/v1/tokens", json={"scopes": ["read", "capture"]}).json()
    visitor.sign_in(made["token"])
    visitor.tolerated.append(REFUSED)
    service.http.delete(f"/v1/tokens/{made['id']}").raise_for_status()
    expect(visitor.page.get_by_text("The sign-in is not valid any more")).to_be_visible()


def test_a_read_only_token_sees_and_changes_nothing(visitor: Screen) -> None:
    """Adapters and events are there; what would change something is not."""
    from playwright.sync_api import expect

    service = visitor.service
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))
    visitor.sign_in(service.token(Scope.READ, Scope.CAPTURE))
    visitor.select("OfficeNet")
    expect(visitor.page.get_by_role("article")).to_contain_text("10.6.7.7/24")
    for name in ("New adapter", "Stop session", "Edit…", "Delete…", "Release"):
        expect(visitor.button(name)).to_have_count(0)
    expect(visitor.page.get_by_text("No admin, inject")).to_be_visible()
    visitor.go("Compose")
    expect(visitor.button("Send")).to_be_disabled()
    expect(visitor.page.get_by_text("This token may not inject packets.")).to_be_visible()
