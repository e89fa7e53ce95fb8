"""The driver, adapters and sessions, by hand."""

from __future__ import annotations

import re
from ipaddress import ip_interface
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import Screen
from tests.running import RunningService, running
from tests.waiting import until
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.wire import BATCH_TYPE, Batch, pack

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.heavy

GUID = "deadbabe-cafe-beef-0123-456789abcdef"


def test_the_driver_is_described(screen: Screen) -> None:
    """Name, version and rights; the version is there once the driver is loaded."""
    from playwright.sync_api import expect

    panel = screen.page.get_by_role("region", name="Driver")
    expect(panel).to_contain_text("emulated, pool")
    expect(panel).to_contain_text("Elevated")
    screen.service.adapter(name="OfficeNet")
    expect(panel).to_contain_text("0.13")


def test_an_adapter_is_created_with_all_its_fields(screen: Screen) -> None:
    """What the form sends is what the API then has."""
    from playwright.sync_api import expect

    screen.button("New adapter…").click()
    screen.fill("Name", "OfficeNet")
    screen.fill("Pool", "WireGuard")
    screen.fill("Requested GUID", GUID)
    screen.fill("Addresses", "10.6.7.7/24\nfd06:7::7/64")
    screen.fill("MTU", "1420")
    screen.fill("Metric", "25")
    screen.fill("Routes", "10.0.0.0/8 via 10.6.7.1 metric 5\n192.168.4.0/24")
    screen.fill("DNS servers", "10.6.7.1")
    screen.fill("Search domains", "office.example")
    screen.button("Create").click()
    expect(screen.row("OfficeNet")).to_contain_text("10.6.7.7/24, fd06:7::7/64")
    expect(screen.dialog).to_have_count(0)
    found = screen.service.http.get(f"/v1/adapters/{GUID}").json()
    assert found["pool"] == "WireGuard"
    assert found["mtu"] == 1420
    assert found["metric"] == 25
    assert found["dns"] == ["10.6.7.1"]
    assert found["dns_search"] == ["office.example"]
    routes = {route["destination"]: route for route in found["routes"]}
    assert routes["10.0.0.0/8"] == {
        "destination": "10.0.0.0/8",
        "next_hop": "10.6.7.1",
        "metric": 5,
    }
    assert "192.168.4.0/24" in routes


def test_a_form_says_what_the_api_would_refuse(screen: Screen) -> None:
    """Every field tells its own error, and nothing is sent."""
    from playwright.sync_api import expect

    screen.button("New adapter…").click()
    screen.fill("Name", "a/b")
    screen.fill("Addresses", "10.6.7.7")
    screen.fill("MTU", "12")
    screen.fill("Requested GUID", "x")
    screen.fill("Routes", "10.0.0.1/8")
    screen.fill("DNS servers", "nobody")
    screen.button("Create").click()
    alerts = screen.dialog.get_by_role("alert")
    expect(alerts).to_have_count(6)
    for text in ("cannot contain", "no prefix length", "576", "A GUID", "beyond", "not an IPv4"):
        expect(screen.dialog).to_contain_text(text)
    assert screen.service.http.get("/v1/adapters").json() == []


def test_a_refusal_of_the_service_is_shown(screen: Screen) -> None:
    """A name that is taken is known to the service alone: its field says so, until it is mended."""
    from playwright.sync_api import expect

    screen.tolerated.append("status of 409")
    screen.service.adapter(name="OfficeNet")
    screen.button("New adapter…").click()
    screen.fill("Name", "OfficeNet")
    screen.button("Create").click()
    expect(screen.dialog.get_by_role("alert")).to_have_count(1)
    expect(screen.dialog.get_by_role("alert")).to_contain_text("this name already exists")
    expect(screen.page.get_by_label("Name", exact=True)).to_be_focused()
    screen.fill("Name", "BranchNet")
    expect(screen.dialog.get_by_role("alert")).to_have_count(0)
    screen.button("Create").click()
    expect(screen.row("BranchNet")).to_be_visible()


def test_enter_starts_a_session(screen: Screen) -> None:
    """A dialog without a text field begins on its action, so that Enter does what it is for."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.select("OfficeNet")
    screen.button("Start session…").click()
    expect(screen.button("Start session")).to_be_focused()
    screen.page.keyboard.press("Enter")
    expect(screen.dialog).to_have_count(0)
    assert len(screen.service.http.get("/v1/sessions").json()) == 1


def test_an_adapter_is_renamed_and_changed(screen: Screen) -> None:
    """Only what was changed is sent; the table follows."""
    from playwright.sync_api import expect

    made = screen.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    screen.select("OfficeNet")
    screen.button("Edit…").click()
    expect(screen.button("Save")).to_be_disabled()
    screen.fill("Name", "BranchNet")
    screen.fill("Addresses", "10.9.0.1/16")
    screen.fill("MTU", "1380")
    screen.button("Save").click()
    expect(screen.row("BranchNet")).to_contain_text("10.9.0.1/16")
    found = screen.service.http.get(f"/v1/adapters/{made['guid']}").json()
    assert (found["name"], found["mtu"], found["addresses"]) == ("BranchNet", 1380, ["10.9.0.1/16"])


def test_an_adapter_is_released_and_opened_again(screen: Screen) -> None:
    """In the pool generation the device outlives its handle."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet", pool="WireGuard")
    screen.select("OfficeNet")
    screen.button("Release").click()
    expect(screen.row("OfficeNet")).to_contain_text("Not opened")
    screen.button("Open…").click()
    screen.fill("Name", "OfficeNet")
    screen.fill("Pool", "WireGuard")
    screen.dialog.get_by_role("button", name="Open", exact=True).click()
    expect(screen.row("OfficeNet")).to_contain_text("No session")


def test_a_deletion_wants_the_name_typed(screen: Screen) -> None:
    """Until the name is right the button does nothing."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.select("OfficeNet")
    screen.button("Delete…").click()
    delete = screen.button("Delete adapter")
    screen.fill("Type OfficeNet to confirm", "officenet")
    expect(delete).to_be_disabled()
    screen.fill("Type OfficeNet to confirm", "OfficeNet")
    delete.click()
    expect(screen.page.get_by_text("No adapters yet.")).to_be_visible()
    assert screen.service.http.get("/v1/adapters").json() == []


def test_an_adapter_that_goes_is_said_to_be_gone(screen: Screen) -> None:
    """Another program deleted it while it was selected."""
    from playwright.sync_api import expect

    made = screen.service.adapter(name="OfficeNet")
    screen.select("OfficeNet")
    screen.service.http.delete(f"/v1/adapters/{made['guid']}").raise_for_status()
    expect(screen.page.get_by_text("Adapter OfficeNet was deleted.")).to_be_visible()


def test_a_session_is_started_counted_and_stopped(screen: Screen) -> None:
    """With a capacity; counters and the rate follow by themselves."""
    from playwright.sync_api import expect

    made = screen.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    screen.select("OfficeNet")
    screen.button("Start session…").click()
    screen.dialog.get_by_label("Ring capacity").select_option("1 MiB")
    screen.button("Start session").click()
    detail = screen.page.get_by_role("article")
    expect(detail).to_contain_text("1 MiB")
    expect(screen.row("OfficeNet").get_by_role("img")).to_be_visible()
    (session,) = screen.service.http.get("/v1/sessions").json()
    assert session["adapter"] == made["guid"]
    assert session["capacity"] == 0x100000
    screen.button("Stop session").click()
    expect(screen.row("OfficeNet")).to_contain_text("No session")
    expect(screen.button("Start session…")).to_be_visible()


def test_the_link_follows_the_session_and_the_system(
    faulty: Screen, library: EmulatedLibrary
) -> None:
    """Nobody asks for a list: what is shown is how it is, in the table and in the detail."""
    from playwright.sync_api import expect

    adapter = faulty.service.adapter(name="OfficeNet")
    faulty.select("OfficeNet")
    badge = faulty.page.get_by_role("article").locator(".panel-head .badge")
    faulty.service.session(adapter)
    expect(badge).to_have_text("Up")
    library.machine.disable("OfficeNet")
    expect(badge).to_have_text("No session")
    expect(faulty.row("OfficeNet").locator(".state")).to_have_text("No session")


def test_a_name_of_another_program_rewrites_nothing(
    faulty: Screen, library: EmulatedLibrary
) -> None:
    """A character that turns the text around is shown as its code, and need not be typed."""
    from playwright.sync_api import expect

    faulty.service.adapter(name="OfficeNet")  # the pool is known, and the driver loaded
    library.machine.create("a\u202eexe.live", "wintun-api", None, persistent=True)
    faulty.page.get_by_role("row").filter(has_text="aU+202Eexe.live").click()
    faulty.button("Delete…").click()
    expect(faulty.dialog.get_by_role("heading")).to_have_text("Delete aU+202Eexe.live")
    faulty.fill("Type delete to confirm", "delete")
    faulty.button("Delete adapter").click()
    expect(faulty.page.locator("tbody tr")).to_have_count(1)


def test_a_failure_makes_way_for_a_dialog(screen: Screen) -> None:
    """What failed is said in the page's words, can be closed, and does not lie under a dialog."""
    from playwright.sync_api import expect

    screen.tolerated.append("status of [45]")
    screen.service.session(screen.service.adapter(name="OfficeNet"))
    screen.select("OfficeNet")
    expect(screen.button("Release")).to_be_disabled()
    screen.button("Stop session").click()
    notice = screen.page.locator(".notice.failed")
    screen.page.route("**/release", lambda route: route.fulfill(status=503, body="{}"))
    screen.button("Release").click()
    expect(notice).to_contain_text("Could not release OfficeNet")
    screen.button("Edit…").click()
    expect(notice).to_have_count(0)
    screen.page.keyboard.press("Escape")
    expect(notice).to_have_count(0)
    screen.button("Release").click()
    screen.button("Close this message").click()
    expect(notice).to_have_count(0)


def test_directions_are_explained(screen: Screen) -> None:
    """Both, with the words of the API, one key away in the view."""
    from playwright.sync_api import expect

    screen.page.locator(".legend summary").press("Enter")
    legend = screen.page.locator(".legend dl")
    expect(legend).to_contain_text("Packets that this computer sent into the adapter.")
    expect(legend).to_contain_text("The API calls them injected.")
    screen.page.keyboard.press("Escape")
    expect(legend).not_to_be_visible()


def test_values_are_copied_without_a_secure_context(screen: Screen) -> None:
    """An address is on the clipboard, and the page says so."""
    from playwright.sync_api import expect

    page = screen.page
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    screen.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    screen.button("Copy address 10.6.7.7/24").click()
    expect(page.get_by_text("Copied 10.6.7.7.")).to_be_visible()
    screen.button("New adapter…").click()
    page.get_by_label("Name", exact=True).press("Control+v")
    expect(page.get_by_label("Name", exact=True)).to_have_value("10.6.7.7")


def test_forced_colours_show_what_is_chosen(browser: Browser, service: RunningService) -> None:
    """The selected row, the open tab and the chosen option differ from their neighbours."""
    for name in ("OfficeNet", "BranchNet"):
        service.session(service.adapter(name=name))
    with Screen(browser, service, forced_colors="active") as screen:
        screen.sign_in()
        screen.select("OfficeNet")

        def colours(*wanted: str) -> list[str]:
            background = "getComputedStyle(document.querySelector(one)).background"
            get = f"(all) => all.map((one) => {background})"
            return [str(one) for one in screen.page.evaluate(get, list(wanted))]

        row, other = colours("tbody tr.selected", "tbody tr:not(.selected)")
        assert row != other
        tab, other = colours("nav a[aria-current]", "nav a:not([aria-current])")
        assert tab != other
        screen.go("Compose")
        screen.page.get_by_role("group", name="Kind of packet").wait_for()
        kind = ".choice label:has(input{}checked{}) span"
        chosen, other = colours(kind.format(":", ""), kind.format(":not(:", ")"))
        assert chosen != other


def test_refused_packets_are_counted_by_reason(screen: Screen) -> None:
    """What an injection was refused for is beside the losses, and stands out."""
    from playwright.sync_api import expect

    session = screen.service.session(screen.service.adapter(name="OfficeNet"))["id"]
    answer = screen.service.http.post(
        f"/v1/sessions/{session}/packets",
        content=pack(Batch([b"\x75" + bytes(19)])),
        headers={"Content-Type": BATCH_TYPE},
    )
    assert answer.json()["rejected"] == {"bad_version": 1}
    screen.select("OfficeNet")
    expect(screen.page.get_by_role("article")).to_contain_text("1 lost: neither IPv4 nor IPv6")
    expect(screen.row("OfficeNet").locator(".lost")).to_have_text("1")


def test_settings_that_the_system_does_not_have_are_shown(
    faulty: Screen, library: EmulatedLibrary
) -> None:
    """Somebody else changed the MTU: a mark in the table, and what was asked for in the detail."""
    from playwright.sync_api import expect

    made = faulty.service.adapter(name="OfficeNet", mtu=1420)
    library.machine.device("OfficeNet").mtu = 9000
    until(
        lambda: faulty.service.http.get(f"/v1/adapters/{made['guid']}").json()["wanted"] is not None
    )  # another call was under way, so this was not a reading of its own
    expect(faulty.row("OfficeNet")).to_contain_text("settings differ")
    faulty.select("OfficeNet")
    warning = faulty.page.get_by_role("article").locator(".warning-box")
    expect(warning).to_contain_text("The adapter differs from what was requested")
    expect(warning.get_by_role("listitem")).to_have_text(["Not set: MTU 1420"])
    faulty.button("Restore").click()
    expect(faulty.page.get_by_text("OfficeNet has its requested settings again.")).to_be_visible()
    expect(warning).to_have_count(0)
    assert library.machine.device("OfficeNet").mtu == 1420


def test_restore_says_what_it_removes(faulty: Screen, library: EmulatedLibrary) -> None:
    """An address of another program is named at the button, and again once it is gone."""
    from playwright.sync_api import expect

    made = faulty.service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    both = [ip_interface("10.6.7.7/24"), ip_interface("10.99.9.9/24")]
    library.machine.device("OfficeNet").set_addresses(both)
    until(
        lambda: faulty.service.http.get(f"/v1/adapters/{made['guid']}").json()["wanted"] is not None
    )
    faulty.select("OfficeNet")
    warning = faulty.page.get_by_role("article").locator(".warning-box")
    expect(warning).to_contain_text(
        "Restore also removes 10.99.9.9/24, which other programs added."
    )
    faulty.button("Restore").click()
    expect(faulty.page.get_by_text("Restore also removed 10.99.9.9/24.")).to_be_visible()
    assert library.machine.device("OfficeNet").addresses == (both[0],)


def test_the_tunnel_type_is_asked_for_by_its_name(browser: Browser, tmp_path: Path) -> None:
    """Wintun 0.14 has tunnel types in place of pools, and adapters that end with the service."""
    from playwright.sync_api import expect

    with (
        running(tmp_path, generation="tunnel-type") as service,
        Screen(browser, service) as screen,
    ):
        screen.sign_in()
        screen.button("New adapter…").click()
        screen.fill("Name", "OfficeNet")
        screen.fill("Tunnel type", "WireGuard")
        screen.button("Create").click()
        detail = screen.page.get_by_role("article")
        expect(detail).to_contain_text("Tunnel typeWireGuard")
        expect(detail).to_contain_text("Until the service stops")
        (adapter,) = service.http.get("/v1/adapters").json()
        assert adapter["pool"] == "WireGuard"


def test_a_driver_that_fails_says_what_it_said(faulty: Screen, library: EmulatedLibrary) -> None:
    """The hint reaches the dialog, and the code is folded away below it."""
    from playwright.sync_api import expect

    faulty.tolerated.append("status of [45]")
    faulty.service.adapter(name="OfficeNet")
    library.fail_next("WintunStartSession", 5)
    faulty.select("OfficeNet")
    faulty.button("Start session…").click()
    faulty.button("Start session").click()
    alert = faulty.dialog.get_by_role("alert")
    expect(alert).to_be_visible()
    expect(alert.get_by_role("strong")).not_to_contain_text("error 5")
    faulty.dialog.get_by_text("Details").click()
    expect(alert).to_contain_text("WintunStartSession: Windows error 5")


def test_fifty_adapters_are_found_and_sorted(screen: Screen) -> None:
    """The list scrolls by itself beside the detail, the page does not; a text finds one of them."""
    from playwright.sync_api import expect

    for number in range(50):
        screen.service.adapter(name=f"Net {number}", addresses=[f"10.9.{number}.1/24"])
    expect(screen.page.locator(".grid tbody tr")).to_have_count(50)
    screen.select("Net 39")
    expect(screen.page.get_by_role("article", name="Adapter Net 39")).to_be_in_viewport(ratio=0.3)
    heights = "[document.documentElement, document.querySelector('main')]"
    over = f"{heights}.map((one) => one.scrollHeight - one.clientHeight)"
    assert screen.page.evaluate(over) == [0, 0]
    screen.button("Name").click()
    screen.button("Name").click()
    expect(screen.page.locator(".grid tbody tr").first).to_contain_text("Net 49")
    screen.fill("Find adapters", "10.9.7.")
    expect(screen.page.locator(".grid tbody tr")).to_have_count(1)
    expect(screen.page.get_by_text("1 of 50", exact=True)).to_be_visible()
    screen.fill("Find adapters", "nowhere")
    screen.button("Show all adapters").click()
    expect(screen.page.locator(".grid tbody tr")).to_have_count(50)


def test_a_selected_adapter_is_brought_into_view(screen: Screen) -> None:
    """A link to the last of fifty shows its row; those that run come first."""
    from playwright.sync_api import expect

    for number in range(50):
        adapter = screen.service.adapter(name=f"Net {number}")
    screen.page.goto(f"{screen.service.url}/#/overview?adapter=Net 48")
    screen.page.reload()
    expect(screen.row("Net 48")).to_be_in_viewport(ratio=0.9)
    expect(screen.row("Net 1")).not_to_be_in_viewport()
    screen.service.session(adapter)
    expect(screen.page.locator(".grid tbody tr").first).to_contain_text("Net 49")


def test_the_only_adapter_is_selected(screen: Screen) -> None:
    """Nobody needs to choose where there is no choice."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    expect(screen.page.get_by_role("article", name="Adapter OfficeNet")).to_be_visible()


def test_a_link_to_an_adapter_that_never_was_says_so(screen: Screen) -> None:
    """It is not said to have been deleted, and no other adapter is shown in its place."""
    from playwright.sync_api import expect

    screen.service.adapter(name="OfficeNet")
    screen.page.goto(f"{screen.service.url}/#/overview?adapter=Nowhere")
    expect(screen.page.get_by_text("No adapter is called Nowhere.")).to_be_visible()
    screen.page.goto(f"{screen.service.url}/#/packets?adapter=Nowhere")
    expect(screen.page.get_by_text("No adapter is called Nowhere.")).to_be_visible()
    expect(screen.page).to_have_title(re.compile("^Packets . wintun-api$"))
