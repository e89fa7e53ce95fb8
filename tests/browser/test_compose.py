"""Packets made by hand, and what became of them."""

from __future__ import annotations

import re

import pytest

from tests.browser.screen import Screen
from tests.running import receive
from wintun_api.packet.decode import decode

pytestmark = pytest.mark.heavy


@pytest.fixture
def composer(screen: Screen) -> Screen:
    """The compose view on a session of an adapter that answers pings."""
    service = screen.service
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24", "fd06:7::7/64"]))
    screen.go("Compose")
    screen.button("Send").and_(screen.page.locator(":enabled")).wait_for()
    return screen


def sent(screen: Screen) -> int:
    """Return how many packets the session took."""
    (session,) = screen.service.http.get("/v1/sessions").json()
    return int(session["counters"]["injected"]["packets"])


def test_an_echo_is_sent_and_answered(composer: Screen) -> None:
    """The addresses are those of the adapter and a neighbour; the host answers."""
    from playwright.sync_api import expect

    service = composer.service
    (session,) = service.http.get("/v1/sessions").json()
    with service.packets(session["id"]) as stream:
        composer.button("Send").click()
        expect(composer.page.get_by_text("1 packet sent")).to_be_visible()
        (answer,) = receive(stream, 1)
    assert "reply" in decode(answer).info
    assert decode(answer).source == "10.6.7.7"


@pytest.mark.parametrize(
    ("kind", "protocol"), [("UDP", "UDP"), ("TCP", "TCP"), ("ICMP echo", "ICMP")]
)
def test_kinds_are_what_they_say(composer: Screen, kind: str, protocol: str) -> None:
    """Each kind arrives as what it says, checksums and all."""
    from playwright.sync_api import expect

    service = composer.service
    (session,) = service.http.get("/v1/sessions").json()
    composer.choose(kind)
    composer.fill("Payload", "hello")
    with service.packets(session["id"], direction="injected") as stream:
        composer.button("Send").click()
        expect(composer.page.get_by_text("1 packet sent")).to_be_visible()
        (packet,) = receive(stream, 1)
    assert decode(packet).protocol_name == protocol
    assert packet.endswith(b"hello")


def test_many_are_sent_at_once(composer: Screen) -> None:
    """More than one message holds; each echo has the next sequence number."""
    from playwright.sync_api import expect

    composer.choose("Many times")
    composer.fill("Packets", "9000")
    composer.button("Send").click()
    expect(composer.page.get_by_text(re.compile("9,000 packets sent"))).to_be_visible()
    (session,) = composer.service.http.get("/v1/sessions").json()
    counters = session["counters"]
    assert counters["injected"]["packets"] + counters["lost"]["ring_full"] == 9000


def test_a_rate_goes_on_until_it_is_stopped(composer: Screen) -> None:
    """Without a number of packets only Stop ends it."""
    from playwright.sync_api import expect

    composer.choose("At a rate")
    composer.fill("Packets", "")
    composer.fill("Rate", "200")
    composer.button("Send").click()
    expect(composer.page.locator(".outcome")).to_contain_text("packets/s")
    composer.button("Stop").click()
    expect(composer.button("Send")).to_be_enabled()
    assert sent(composer) > 100


def second_click(screen: Screen, button: str) -> None:
    """Click as the second half of a double click does, wherever the first one was."""
    box = screen.button(button).bounding_box()
    assert box is not None
    mouse = screen.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down(click_count=2)
    mouse.up(click_count=2)


def test_a_double_click_sends_once(composer: Screen) -> None:
    """Its second click neither sends again nor stops what the first one began."""
    from playwright.sync_api import expect

    outcome = composer.page.locator(".outcome")
    composer.button("Send").click()
    expect(outcome).to_contain_text("1 answer, after")
    second_click(composer, "Send")
    composer.choose("At a rate")
    composer.fill("Packets", "20")
    composer.fill("Rate", "10")
    composer.button("Send").click()
    expect(composer.button("Stop")).to_be_visible()
    second_click(composer, "Stop")
    expect(outcome).to_contain_text("20 packets sent")
    expect(composer.button("Send")).to_be_enabled()
    assert sent(composer) == 1 + 20


def test_what_was_stopped_says_how_much_is_missing(composer: Screen) -> None:
    """Stopped is not done: the report has both numbers."""
    from playwright.sync_api import expect

    composer.choose("At a rate")
    composer.fill("Packets", "1,000,000")
    composer.fill("Rate", "20")
    composer.button("Send").click()
    expect(composer.page.locator(".outcome")).to_contain_text("so far")
    composer.button("Stop").click()
    expect(composer.page.locator(".outcome")).to_contain_text(
        re.compile(r"Stopped: \d+ of 1,000,000 packets sent")
    )


def test_raw_bytes_that_are_not_a_packet_are_rejected_with_the_reason(composer: Screen) -> None:
    """The service's reason is shown; so is what is no hexadecimal number at all."""
    from playwright.sync_api import expect

    composer.choose("Raw bytes")
    composer.fill("Bytes", "zz")
    expect(composer.button("Send")).to_be_disabled()
    composer.page.get_by_text("Fix lengths and checksums").click()
    composer.fill("Bytes", "75 00 00 14" + " 00" * 16)
    composer.button("Send").click()
    expect(composer.page.get_by_text("1 rejected: neither IPv4 nor IPv6.")).to_be_visible()


def test_wrong_fields_cannot_be_sent(composer: Screen) -> None:
    """The field says what is wrong, once."""
    from playwright.sync_api import expect

    composer.fill("Destination address", "10.6.7")
    expect(composer.button("Send")).to_be_disabled()
    expect(composer.page.get_by_text("is not an IPv4 or IPv6 address")).to_be_visible()
    composer.fill("Destination address", "fd06:7::7")
    expect(composer.page.get_by_role("alert")).to_have_text(
        "Both addresses must be IPv4, or both IPv6."
    )


def test_answers_are_counted_and_lead_to_their_packet(composer: Screen) -> None:
    """What comes back stands beside Send, with the time it took."""
    from playwright.sync_api import expect

    composer.button("Send").click()
    expect(composer.page.locator(".outcome")).to_contain_text("1 answer, after")
    composer.page.get_by_role("button", name=re.compile("^Show packet")).click()
    expect(composer.page).to_have_title(re.compile(r"^Packets · packet \d+ · OfficeNet"))


def test_a_target_that_goes_stays_the_target(composer: Screen) -> None:
    """No other adapter takes its place: sending is disabled, and the page says why."""
    from playwright.sync_api import expect

    service = composer.service
    service.session(service.adapter(name="Other", addresses=["10.9.0.1/24"]))
    (office,) = [one for one in service.http.get("/v1/adapters").json() if one["name"] != "Other"]
    service.http.delete(f"/v1/adapters/{office['guid']}").raise_for_status()
    expect(composer.page.get_by_text("OfficeNet was deleted.")).to_be_visible()
    expect(composer.button("Send")).to_be_disabled()
    composer.page.get_by_label("to the host through").select_option("Other")
    expect(composer.button("Send")).to_be_enabled()
    expect(composer.page.get_by_label("Destination address")).to_have_value("10.9.0.1")


def test_another_target_ends_what_goes_on(composer: Screen) -> None:
    """The page names the adapter that packets go to, and says why they no longer do."""
    from playwright.sync_api import expect

    # The stream of packets may still be opening when the choice closes it.
    service = composer.service
    service.session(service.adapter(name="Other", addresses=["10.9.0.1/24"]))
    composer.choose("At a rate")
    composer.fill("Packets", "")
    composer.button("Send").click()
    expect(composer.page.get_by_text("Sending to OfficeNet", exact=True)).to_be_visible()
    composer.page.get_by_label("to the host through").select_option("Other")
    expect(
        composer.page.get_by_text(
            "Sending to OfficeNet stopped, because another adapter was chosen."
        )
    ).to_be_visible()
    expect(composer.button("Send")).to_be_enabled()
    outcome = composer.page.locator(".outcome")
    expect(outcome).to_have_text("No packets sent to Other yet.")
    composer.page.get_by_label("to the host through").select_option("OfficeNet")
    expect(outcome).to_contain_text("sent")


def test_a_target_that_was_made_again_is_chosen_again(composer: Screen) -> None:
    """Another adapter of the same name gets nothing until the reader chooses it."""
    from playwright.sync_api import expect

    service = composer.service
    (office,) = service.http.get("/v1/adapters").json()
    service.http.delete(f"/v1/adapters/{office['guid']}").raise_for_status()
    expect(composer.page.get_by_text("OfficeNet was deleted.")).to_be_visible()
    other = "0d0c9a3e-58c1-4a0f-9b51-5f1a2b3c4d5e"
    service.session(service.adapter(name="OfficeNet", requested_guid=other))
    expect(composer.page.get_by_text("another adapter now has its name")).to_be_visible()
    expect(composer.button("Send")).to_be_disabled()
    composer.page.get_by_label("to the host through").select_option("OfficeNet")
    expect(composer.button("Send")).to_be_enabled()


def test_a_dump_is_pasted(composer: Screen) -> None:
    """Offsets and characters of a dump are not bytes."""
    from playwright.sync_api import expect

    composer.choose("Raw bytes")
    dump = (
        "0000   45 00 00 1c 00 00 00 00  40 01 00 00 0a 06 07 08   E.......@.......\n"
        "0010   0a 06 07 07 08 00 00 00  00 01 00 01               ............\n"
    )
    composer.fill("Bytes", dump)
    preview = composer.page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("28 bytes")
    expect(preview).to_contain_text("10.6.7.8 → 10.6.7.7")
