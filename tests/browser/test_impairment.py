"""Bad networks on request: the panel beside a session, and the marks of an impaired adapter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.screen import Screen
from tests.running import RunningService
from tests.samples import ECHO
from tests.waiting import until
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy

TABS = ("Overview", "Packets", "Conversations", "Captures", "Traffic", "Compose", "Events")


@pytest.fixture
def panel(screen: Screen, session: dict[str, Any]) -> Locator:
    """The opened panel of the session."""
    screen.button("Impair…").click()
    found = screen.page.get_by_role("region", name="Network", exact=True)
    found.get_by_label("Preset").wait_for()
    return found


def impairment(service: RunningService, session: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the service says of a session's impairment; None if there is none."""
    answer = service.http.get(f"/v1/sessions/{session['id']}/impairment")
    return answer.json() if answer.status_code == 200 else None


def impair(service: RunningService, session: dict[str, Any], **body: Any) -> None:
    """Impair a session as another program does."""
    path = f"/v1/sessions/{session['id']}/impairment"
    service.http.put(path, json=body).raise_for_status()


def repair(service: RunningService, session: dict[str, Any]) -> None:
    """Remove it as another program does."""
    service.http.delete(f"/v1/sessions/{session['id']}/impairment").raise_for_status()


def line(screen: Screen) -> Locator:
    """Return the line below the bar that names the impaired adapters."""
    return screen.page.get_by_role("region", name="Impaired adapters")


def counter(panel: Locator, name: str) -> Locator:
    """Return a row of the counters."""
    return panel.get_by_role("row", name=re.compile(f"^{name}"))


def test_a_session_is_impaired_and_repaired(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """What the form says is what the service does, in both directions, with this seed."""
    from playwright.sync_api import expect

    screen.fill("Delay", "60")
    screen.fill("Jitter", "5")
    screen.fill("Loss", "2")
    screen.fill("Rate", "0.384")
    screen.fill("Max size", "1280")
    screen.fill("Seed", "7")
    panel.get_by_label("Blackout: lose every packet").check()
    screen.button("Apply").click()
    expect(screen.button("Apply again")).to_be_visible()
    now = impairment(screen.service, session)
    assert now is not None
    assert now["seed"] == 7
    for direction in ("now_received", "now_injected"):
        (does,) = [rule[direction] for rule in now["rules"]]
        assert (does["delay_ms"], does["jitter_ms"], does["loss"]) == (60, 5, 0.02)
        assert (does["rate_bps"], does["max_size"], does["blackout"]) == (384_000, 1280, True)
    screen.button("Remove").click()
    expect(screen.button("Remove")).to_have_count(0)
    expect(panel).to_contain_text("Packets pass unchanged.")
    assert impairment(screen.service, session) is None


def test_a_delay_of_nothing_is_no_impairment(screen: Screen, panel: Locator) -> None:
    """The page says that nothing happens to packets, and does not contradict itself."""
    from playwright.sync_api import expect

    screen.fill("Delay", "0")
    screen.button("Apply").click()
    expect(screen.page.locator(".notice")).to_contain_text("Packets of OfficeNet pass unchanged.")
    expect(panel).to_contain_text("Packets pass unchanged.")


def test_thousands_are_written_with_commas(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """As the page writes them; what may mean two numbers is refused."""
    from playwright.sync_api import expect

    screen.fill("Delay", "1,000")
    screen.fill("Rate", "1234,567")
    screen.button("Apply").click()
    expect(panel.get_by_role("alert")).to_contain_text("Write it like 1000 or 1,000")
    screen.fill("Rate", "1,000")
    screen.button("Apply").click()
    expect(screen.button("Apply again")).to_be_visible()
    now = impairment(screen.service, session)
    assert now is not None
    does = now["rules"][0]["now_received"]
    assert (does["delay_ms"], does["rate_bps"]) == (1000, 1_000_000_000)


def test_one_direction_is_impaired(screen: Screen, session: dict[str, Any], panel: Locator) -> None:
    """The other is left alone, and both together say how they differ."""
    from playwright.sync_api import expect

    screen.choose("To host")
    screen.fill("Loss", "10")
    screen.choose("From host")
    expect(screen.page.get_by_label("Loss", exact=True)).to_have_value("")
    screen.fill("Delay", "20")
    screen.choose("Both directions")
    expect(panel).to_contain_text("From host 20, to host not set.")
    screen.button("Apply").click()
    expect(screen.button("Apply again")).to_be_visible()
    now = impairment(screen.service, session)
    assert now is not None
    (rule,) = now["rules"]
    assert (rule["now_received"]["delay_ms"], rule["now_received"]["loss"]) == (20, 0)
    assert (rule["now_injected"]["delay_ms"], rule["now_injected"]["loss"]) == (0, 0.1)


def test_the_keyboard_does_all_of_it(screen: Screen, session: dict[str, Any]) -> None:
    """From the button to the slider, its steps said in words, and Enter in a field applies."""
    from playwright.sync_api import expect

    keys = screen.page.keyboard
    opens = screen.button("Impair…")
    expect(opens).to_have_attribute("aria-expanded", "false")
    opens.focus()
    keys.press("Enter")
    expect(screen.button("Close")).to_have_attribute("aria-expanded", "true")
    screen.page.get_by_label("Preset").wait_for()
    for _ in range(3):  # the preset, the direction, the first slider
        keys.press("Tab")
    slider = screen.page.get_by_label("Delay, slider")
    expect(slider).to_be_focused()
    expect(slider).to_have_attribute("aria-valuetext", "0 ms")
    for _ in range(4):
        keys.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "10 ms")
    keys.press("Tab")
    expect(screen.page.get_by_label("Delay", exact=True)).to_have_value("10")
    keys.press("End")
    keys.type("0")
    keys.press("Enter")
    expect(screen.button("Apply again")).to_be_visible()
    now = impairment(screen.service, session)
    assert now is not None
    assert now["rules"][0]["now_received"]["delay_ms"] == 100


def test_every_view_marks_an_impaired_adapter(screen: Screen, session: dict[str, Any]) -> None:
    """Set by another program: a line with the summary, the title, the picker, each name."""
    from playwright.sync_api import expect

    impair(screen.service, session, received={"delay_ms": 60, "loss": 0.02})
    summary = screen.service.http.get(f"/v1/sessions/{session['id']}").json()["impairment"]
    assert "60ms" in summary
    for tab in TABS:
        screen.go(tab)
        expect(line(screen)).to_contain_text(f"OfficeNet is impaired: {summary}")
        expect(screen.page).to_have_title(re.compile("OfficeNet impaired"))
    screen.go("Compose")
    send = screen.page.get_by_role("region", name="Send")
    expect(send.locator("option:checked")).to_contain_text("impaired")
    expect(send).to_contain_text(f"impaired: {summary}")
    screen.go("Events")
    line(screen).get_by_role("button", name="OfficeNet").click()
    expect(screen.row("OfficeNet")).to_contain_text(f"impaired: {summary}")
    detail = screen.page.get_by_role("article", name="Adapter OfficeNet")
    expect(detail.locator("header").first).to_contain_text(f"impaired: {summary}")
    repair(screen.service, session)
    expect(line(screen)).to_have_count(0)
    expect(screen.page.get_by_text("impaired", exact=True)).to_have_count(0)
    expect(screen.page).to_have_title(re.compile("^Overview · OfficeNet "))


def test_the_mark_goes_with_the_session(screen: Screen, session: dict[str, Any]) -> None:
    """And it is there for a page that is opened later."""
    from playwright.sync_api import expect

    impair(screen.service, session, injected={"blackout": True})
    screen.page.reload()
    expect(line(screen)).to_contain_text("OfficeNet is impaired")
    screen.service.http.delete(f"/v1/sessions/{session['id']}").raise_for_status()
    expect(line(screen)).to_have_count(0)
    expect(screen.page).to_have_title(re.compile("^Overview · OfficeNet "))


def test_counters_follow_by_cause_and_direction(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """What is delayed now, what a blackout took, and what was dropped; they outlive the removal."""
    from playwright.sync_api import expect

    impair(screen.service, session, injected={"delay_ms": 600_000}, on_change="drop")
    screen.service.api.inject_packets(session["id"], [ECHO] * 5)
    expect(counter(panel, "Delayed now")).to_contain_text("5")
    impair(screen.service, session, injected={"blackout": True})
    screen.service.api.inject_packets(session["id"], [ECHO] * 3)
    lost = counter(panel, "Lost during a blackout")
    # The page may ask for the counters once more before it hears that they are gone.
    screen.tolerated.append("status of 404")
    expect(lost.get_by_role("cell").nth(2)).to_have_text("3")
    expect(lost.get_by_role("cell").nth(0)).to_have_text("0")
    expect(lost).to_have_class("lost")
    expect(counter(panel, "Lost when it changed").get_by_role("cell").nth(2)).to_have_text("5")
    expect(counter(panel, "Arrived").get_by_role("cell").nth(2)).to_have_text("8")
    repair(screen.service, session)
    expect(panel).to_contain_text("Packets until it was removed")
    expect(lost.get_by_role("cell").nth(2)).to_have_text("3")


def test_errors_of_the_service_are_at_their_field(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """In the direction that has them, also among the rarer fields; nothing is set."""
    from playwright.sync_api import expect

    screen.tolerated.append("status of 422")
    screen.choose("To host")
    screen.fill("Reorder", "25")
    screen.choose("From host")
    screen.button("Apply").click()
    field = screen.page.get_by_label("Reorder", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(screen.page.get_by_role("radio", name="To host")).to_be_checked()
    error = panel.get_by_role("alert")
    expect(error).to_contain_text("delay_ms")
    described = field.get_attribute("aria-describedby")
    assert described is not None
    assert error.get_attribute("id") == described
    screen.fill("Reorder", "")
    screen.fill("Loss", "2")
    panel.get_by_text(re.compile("^More:")).click()
    screen.fill("Good to bad, Losses in bursts (Gilbert-Elliott), in place of Loss", "1")
    screen.fill("Bad to good, Losses in bursts (Gilbert-Elliott), in place of Loss", "30")
    panel.get_by_text(re.compile("^More:")).click()
    screen.button("Apply").click()
    expect(panel.get_by_role("alert")).to_be_visible()
    assert impairment(screen.service, session) is None


def test_a_form_says_what_the_service_would_refuse(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """A number that is out of range is not sent."""
    from playwright.sync_api import expect

    screen.fill("Loss", "200")
    screen.fill("Delay", "soon")
    screen.button("Apply").click()
    expect(panel.get_by_role("alert")).to_have_text(
        [
            "Delay must be a number from 0 to 600000 ms.",
            "Loss must be a number from 0 to 100 %.",
        ]
    )
    assert impairment(screen.service, session) is None


def test_a_preset_is_chosen_and_says_its_source(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """Its numbers stand in the form; the service is asked for it by name."""
    from playwright.sync_api import expect

    presets = {
        one["name"]: one for one in screen.service.http.get("/v1/impairments/presets").json()
    }
    lossy = presets["lossy-5"]
    panel.get_by_label("Preset").select_option(lossy["title"])
    expect(panel).to_contain_text(f"Source: {lossy['source']}")
    expect(screen.page.get_by_label("Loss", exact=True)).to_have_value("5")
    screen.button("Apply").click()
    expect(screen.button("Apply again")).to_be_visible()
    now = impairment(screen.service, session)
    assert now is not None
    assert now["rules"][0]["preset"] == "lossy-5"
    screen.fill("Loss", "6")
    expect(panel.get_by_label("Preset")).to_have_value("")
    screen.button("Apply again").click()
    until(lambda: (impairment(screen.service, session) or now)["rules"][0]["preset"] is None)


def test_every_preset_can_be_applied(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """By its name, and as own values: the form loses none of its numbers."""
    from playwright.sync_api import expect

    for preset in screen.service.http.get("/v1/impairments/presets").json():
        panel.get_by_label("Preset").select_option(preset["title"])
        panel.get_by_label("Preset").select_option("Custom values")
        panel.locator("button[type=submit]").click()
        expect(screen.page.locator(".notice")).to_contain_text("is impaired")
        screen.button("Close this message").click()
        now = impairment(screen.service, session)
        assert now is not None
        (rule,) = now["rules"]
        assert rule["preset"] is None
        for direction in ("received", "injected"):
            assert rule[f"now_{direction}"] == preset[direction], preset["name"]


def test_rules_of_another_program_are_shown_and_replaced(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """With their matches and how far their scenario is; they cannot be edited by accident."""
    from playwright.sync_api import expect

    steps = [{"at": 0, "received": {"delay_ms": 50}}, {"at": 3000, "received": None}]
    rules = [
        {"match": {"protocol": "tcp", "port": 443}, "received": {"loss": 0.5}},
        {"scenario": {"steps": steps, "length": 3600, "loop": True}},
    ]
    impair(screen.service, session, rules=rules, seed=11)
    listed = panel.get_by_role("listitem")
    expect(listed).to_have_count(2)
    expect(listed.nth(0)).to_contain_text("protocol tcp, port 443")
    expect(listed.nth(0)).to_contain_text("loss 50 %")
    expect(listed.nth(1)).to_contain_text("step 1 of 2, round 1")
    expect(listed.nth(1)).to_contain_text("delay 50 ms")
    expect(panel.get_by_role("progressbar", name="Progress of the scenario")).to_be_visible()
    expect(panel).to_contain_text("11")
    expect(screen.page.get_by_label("Delay", exact=True)).to_have_count(0)
    screen.button("Replace…").click()
    screen.fill("Loss", "1")
    screen.button("Replace the rules").click()
    expect(listed).to_have_count(0)
    expect(screen.page.get_by_label("Loss", exact=True)).to_have_value("1")
    now = impairment(screen.service, session)
    assert now is not None
    assert [rule["now_received"]["loss"] for rule in now["rules"]] == [0.01]


def test_what_is_typed_outlives_what_others_set(
    screen: Screen, session: dict[str, Any], panel: Locator
) -> None:
    """The panel shows both, and a button takes what is set."""
    from playwright.sync_api import expect

    screen.fill("Loss", "9")
    screen.go("Packets")
    screen.go("Overview")
    impair(screen.service, session, received={"delay_ms": 70}, injected={"delay_ms": 70})
    expect(panel).to_contain_text("70ms")
    expect(screen.page.get_by_label("Loss", exact=True)).to_have_value("9")
    screen.button("Reset").click()
    expect(screen.page.get_by_label("Loss", exact=True)).to_have_value("")
    expect(screen.page.get_by_label("Delay", exact=True)).to_have_value("70")


def test_events_of_impairments_are_sentences(screen: Screen, session: dict[str, Any]) -> None:
    """Those of clients that left and came back, too."""
    from playwright.sync_api import expect

    impair(screen.service, session, injected={"blackout": True})
    screen.service.api.inject_packets(session["id"], [ECHO] * 4)
    screen.go("Events")
    log = screen.page.get_by_role("log")
    expect(log).to_contain_text("Adapter OfficeNet is impaired: ")
    expect(log).to_contain_text(
        "The impairment of adapter OfficeNet lost 4 packets to the host: during a blackout."
    )
    repair(screen.service, session)
    expect(log).to_contain_text("Adapter OfficeNet is no longer impaired. It lost 4 of 4 packets.")


def test_a_reader_sees_what_is_set_and_changes_nothing(
    browser: Browser, service: RunningService
) -> None:
    """A token without the scope admin gets counters and marks, and no form."""
    from playwright.sync_api import expect

    session = service.session(service.adapter(name="OfficeNet"))
    impair(service, session, received={"delay_ms": 60})
    with Screen(browser, service) as screen:
        screen.tolerated.append("status of 403")  # the packets need a scope of their own
        screen.tolerated.append("WebSocket connection")
        screen.sign_in(service.token(Scope.READ))
        expect(line(screen)).to_contain_text("60ms")
        screen.select("OfficeNet")
        screen.button("Show…").click()
        panel = screen.page.get_by_role("region", name="Network", exact=True)
        expect(counter(panel, "Arrived")).to_be_visible()
        expect(panel.get_by_role("textbox")).to_have_count(0)
        expect(panel.get_by_role("button")).to_have_text(["Close"])


def test_the_panel_is_loaded_when_it_is_opened(screen: Screen, session: dict[str, Any]) -> None:
    """Not before; and where that fails, the page says so and tries again."""
    from playwright.sync_api import expect

    assert session
    screen.tolerated.append("Failed to load resource")
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url))
    screen.page.reload()
    screen.is_live()
    screen.select("OfficeNet")
    assert not [url for url in asked if url.endswith(("/impairment.js", "/traffic.js"))]
    screen.page.route("**/impairment.js", lambda route: route.abort())
    screen.button("Impair…").click()
    expect(screen.page.get_by_role("alert")).to_contain_text("could not be loaded")
    screen.page.unroute("**/impairment.js")
    screen.button("Try again").click()
    expect(screen.page.get_by_label("Preset")).to_be_visible()


def test_marks_stand_out_in_forced_colours(browser: Browser, service: RunningService) -> None:
    """Where the system sets all colours, a mark has one that nothing else has."""
    from playwright.sync_api import expect

    session = service.session(service.adapter(name="OfficeNet"))
    impair(service, session, received={"delay_ms": 60})
    with Screen(browser, service, forced_colors="active") as screen:
        screen.sign_in()
        expect(line(screen)).to_be_visible()
        colours = screen.page.evaluate(
            """() => [".impaired-line", ".badge.impaired", ".panel"].map(
              (one) => getComputedStyle(document.querySelector(one)).backgroundColor)"""
        )
        assert colours[0] == colours[1] != colours[2]
