"""The view of tokens and of connected clients."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.api.host import closed_code
from tests.browser.screen import Screen
from tests.raw_websocket import open_websocket
from tests.waiting import until
from wintun_api.choices import Scope
from wintun_api.wire import BATCH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

    from tests.running import RunningService

pytestmark = pytest.mark.heavy


@pytest.fixture
def access(screen: Screen) -> Screen:
    """The view, as an administrator sees it."""
    screen.go("Access")
    screen.page.get_by_role("heading", name="Tokens").wait_for()
    return screen


def tokens(service: RunningService) -> list[dict[str, Any]]:
    """Return what the service has."""
    listed: list[dict[str, Any]] = service.http.get("/v1/tokens").raise_for_status().json()
    return listed


def clients(screen: Screen) -> Locator:
    """Return the rows of connected clients."""
    region = screen.page.get_by_role("region", name="Connected clients")
    return region.locator("tbody").get_by_role("row")


def test_a_token_is_created_and_shown_once(access: Screen) -> None:
    """The secret works, and is gone when the reader has kept it."""
    from playwright.sync_api import expect

    page = access.page
    access.button("New token…").click()
    access.fill("Name", "grafana")
    page.get_by_role("checkbox", name=re.compile("^capture")).check()
    page.get_by_label("Expires", exact=True).select_option("In 7 days")
    access.button("Create token").click()
    expect(page.get_by_text("it is shown only this once")).to_be_visible()
    secret = page.locator(".created .copy .mono").inner_text()
    with access.service.client(secret) as http:
        assert http.get("/v1/system").json()["scopes"] == ["capture", "read"]
    access.button("I have saved it").click()
    assert secret not in page.content()
    row = page.get_by_role("row", name=re.compile("^grafana"))
    expect(row).to_contain_text("in 6 d 23 h")


def test_what_is_wrong_is_said_at_the_field(access: Screen) -> None:
    """Nothing is sent before it is right; the error goes when it is mended."""
    from playwright.sync_api import expect

    page = access.page
    access.button("New token…").click()
    page.get_by_role("checkbox", name=re.compile("^read")).uncheck()
    page.get_by_label("Expires", exact=True).select_option("On a date…")
    access.button("Create token").click()
    expect(page.get_by_role("alert")).to_have_text(
        ["Choose at least one scope.", "Enter a date and a time."]
    )
    page.get_by_role("checkbox", name=re.compile("^metrics")).check()
    page.get_by_label("Date and time").fill("2020-01-01T00:00")
    expect(page.get_by_role("alert")).to_have_text(["Choose a time in the future."])
    assert tokens(access.service) == []


def test_a_token_is_revoked_with_its_connections(access: Screen) -> None:
    """The question says how many connections end."""
    from playwright.sync_api import expect

    made = access.service.http.post("/v1/tokens", json={"scopes": ["read"], "label": "monitor"})
    with open_websocket(access.service, "/v1/events", token=made.json()["token"]) as socket:
        socket.recv(30)
        row = access.page.get_by_role("row", name=re.compile("^monitor"))
        expect(row.get_by_role("cell").nth(3)).to_have_text("1")
        row.get_by_role("button", name="Revoke…").click()
        expect(access.dialog).to_contain_text("1 connection ends")
        access.button("Revoke token").click()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed_code(closed) == 4001
    until(lambda: tokens(access.service) == [])


def test_a_client_is_disconnected(access: Screen) -> None:
    """A program's stream is in the list, and ends when an administrator says so."""
    from playwright.sync_api import expect

    service = access.service
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    with open_websocket(service, f"/v1/sessions/{session}/packets", BATCH) as socket:
        socket.recv(30)
        row = clients(access).filter(has_text="Packets")
        expect(row).to_contain_text("OfficeNet")
        expect(row).to_contain_text("admin token")
        row.get_by_role("button", name=re.compile("^Disconnect .* at .*…$")).click()
        access.button("Disconnect").click()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(30)
        assert closed_code(closed) == 4002
        expect(row).to_have_count(0)


def test_a_page_that_was_disconnected_stays_away(access: Screen) -> None:
    """It says who did it, and connects again when the reader wants it."""
    from playwright.sync_api import expect

    page = access.page
    row = clients(access).filter(has_text="This page")
    expect(row).to_have_count(1)
    row.get_by_role("button", name=re.compile("^Disconnect .* at .*…$")).click()
    expect(access.dialog).to_contain_text("This is the page you are looking at.")
    access.button("Disconnect").click()
    status = page.get_by_role("contentinfo")
    expect(status).to_contain_text("You disconnected this page.")
    access.button("Connect again").click()
    access.is_live()


@pytest.mark.parametrize("scope", [Scope.READ])
def test_without_the_scope_the_view_says_so(
    browser: Browser, service: RunningService, scope: Scope
) -> None:
    """Which scope is missing, and how to get it; nothing is asked for in vain."""
    from playwright.sync_api import expect

    with Screen(browser, service) as screen:
        screen.sign_in(service.token(scope))
        screen.go("Access")
        expect(screen.page.locator("main")).to_contain_text("needs a token with the scope admin")
        expect(screen.button("New token…")).to_have_count(0)
