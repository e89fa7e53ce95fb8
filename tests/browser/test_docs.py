"""The API docs, with the key of the browser's sign-in."""

from __future__ import annotations

import pytest

from tests.browser.screen import Screen
from tests.running import TOKEN

pytestmark = pytest.mark.heavy

REFUSED = r"status of 401"
KEY = "wintun-api.key"


def try_out(screen: Screen) -> str:
    """Ask for the adapters in Swagger UI and return what it shows of the answer."""
    operation = screen.page.locator("#operations-adapters-list_adapters")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    shown = operation.locator(".live-responses-table")
    shown.wait_for()
    text: str = operation.inner_text()
    return text


def test_the_docs_sign_in_by_their_own_address(visitor: Screen) -> None:
    """The key goes from the address, and a request that is tried out has it."""
    visitor.page.goto(f"{visitor.service.url}/docs?token={TOKEN}")
    with visitor.page.expect_response("**/v1/adapters") as answered:
        shown = try_out(visitor)
    key = visitor.page.evaluate(f"localStorage.getItem('{KEY}')")
    assert visitor.page.url.partition("#key=")[2] == ""
    assert answered.value.request.headers["x-wintun-api-key"] == key
    assert answered.value.status == 200
    assert key not in shown


def test_the_docs_share_the_sign_in_of_the_dashboard(screen: Screen) -> None:
    """Whoever is signed in on one page is so on the other, after a reload too."""
    screen.page.goto(f"{screen.service.url}/docs")
    screen.page.reload()
    assert "200" in try_out(screen)


def test_a_pasted_token_leads_back_to_the_docs(visitor: Screen) -> None:
    """The form is shown in place of the docs, and gives way to them."""
    visitor.tolerated.append(REFUSED)
    visitor.page.goto(f"{visitor.service.url}/docs")
    visitor.fill("Token", TOKEN)
    visitor.button("Sign in").click()
    visitor.page.locator("#operations-adapters-list_adapters").wait_for()
    assert visitor.page.url.startswith(f"{visitor.service.url}/docs")
    assert "key=" not in visitor.page.url


@pytest.mark.parametrize("key", [None, "old"])
def test_the_docs_without_a_good_key_lead_to_the_sign_in(screen: Screen, key: str | None) -> None:
    """A sentence with a link stands in their place."""
    screen.tolerated.append(REFUSED)
    screen.page.evaluate("localStorage.clear()")
    if key is not None:
        screen.page.evaluate(f"localStorage.setItem('{KEY}', '{key}')")
    screen.page.goto(f"{screen.service.url}/docs")
    screen.page.get_by_text("This browser is not signed in to the service.").wait_for()
    screen.page.get_by_role("link", name="Sign in on the dashboard").click()
    screen.button("Sign in").wait_for()


def test_a_link_with_a_wrong_key_does_not_sign_the_docs_out(screen: Screen) -> None:
    """The key that works stays."""
    screen.tolerated.append(REFUSED)
    screen.page.goto(f"{screen.service.url}/docs#key=x")
    assert "200" in try_out(screen)
    assert "key=" not in screen.page.url
