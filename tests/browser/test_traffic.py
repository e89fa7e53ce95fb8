"""The traffic view: rates, protocols, pairs of addresses and losses of a session."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import Screen
from tests.running import running
from tests.waiting import until
from wintun_api.choices import Scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = pytest.mark.heavy


@pytest.fixture
def busy(browser: Browser, tmp_path: Path) -> Iterator[Screen]:
    """The traffic view of a host that talks."""
    with running(tmp_path, traffic=200) as service, Screen(browser, service) as screen:
        screen.sign_in()
        addresses = ["10.6.7.7/24", "fd06:7::7/64"]
        service.session(service.adapter(name="OfficeNet", addresses=addresses))
        screen.go("Traffic")
        yield screen


def chart(screen: Screen, title: str, says: str = "") -> Locator:
    """Return a chart by its title and what it says."""
    name = re.compile(rf"^{re.escape(title)}: .*{says}")
    return screen.page.get_by_role("img", name=name)


def region(screen: Screen, name: str) -> Locator:
    """Return a part of the view."""
    return screen.page.get_by_role("region", name=name)


def number_in(text: str) -> int:
    """Return the number that a text begins with."""
    return int(text.split(maxsplit=1)[0].replace(",", ""))


def test_rates_are_drawn_and_said(busy: Screen) -> None:
    """Each chart says in words what it draws."""
    from playwright.sync_api import expect

    chart(busy, "Throughput", "From host → [1-9].*b.s").locator("path.area").first.wait_for()
    chart(busy, "Packets", "From host → [1-9]").locator("path.area").first.wait_for()
    expect(chart(busy, "Packets", "To host ←")).to_be_visible()


def test_what_is_always_zero_is_one_line(busy: Screen) -> None:
    """There is no chart of losses where nothing is lost."""
    from playwright.sync_api import expect

    busy.choose("1 min")
    expect(busy.page.get_by_text("No losses since")).to_be_visible(timeout=90_000)
    expect(chart(busy, "Lost packets by cause")).to_have_count(0)


def test_what_no_client_took_is_no_loss(busy: Screen) -> None:
    """It is drawn apart, as the overview says that it was discarded."""
    from playwright.sync_api import expect

    busy.sign_in(busy.service.token(Scope.READ))
    busy.go("Traffic")
    drawn = chart(busy, "Discarded packets by cause", "No client connected [1-9]")
    expect(drawn.locator("path.area")).to_have_count(1)
    expect(chart(busy, "Lost packets by cause")).to_have_count(0)


def test_no_label_of_the_axis_is_cut(busy: Screen) -> None:
    """All of each label is within its chart, at any width."""
    for width in (1280, 700, 360):
        busy.page.set_viewport_size({"width": width, "height": 800})
        plot = chart(busy, "Packets", "From host → [1-9]")
        plot.wait_for()
        outside = plot.evaluate(
            """(plot) => {
              const box = plot.getBoundingClientRect();
              const labels = [...plot.querySelectorAll("text")];
              if (labels.length < 4) return ["no labels"];
              return labels.filter((text) => {
                const { left, right } = text.getBoundingClientRect();
                return left < box.left - 0.5 || right > box.right + 0.5;
              }).map((text) => text.textContent);
            }"""
        )
        assert outside == []


def test_it_counts_what_the_table_shows(busy: Screen) -> None:
    """Each protocol has as many packets as its filter shows, once no more come."""
    from playwright.sync_api import expect

    page = busy.page
    split = region(busy, "Protocols")
    expect(split.get_by_role("row").nth(5)).to_be_visible()
    (session,) = busy.service.http.get("/v1/sessions").json()
    busy.service.http.delete(f"/v1/sessions/{session['id']}")
    busy.go("Packets")
    expect(page.get_by_role("main")).to_contain_text("has ended")
    arrived = number_in(page.get_by_text(re.compile(" arrived$")).inner_text())
    busy.go("Traffic")
    counts: dict[str, str] = {}

    def is_whole() -> bool:
        counts.clear()
        for row in split.locator("tbody").get_by_role("row").all():
            cells = row.get_by_role("cell")
            counts[row.get_by_role("rowheader").inner_text()] = cells.nth(1).inner_text()
        return sum(map(number_in, counts.values())) == arrived

    until(is_whole)
    assert {"TLS", "Other TCP", "DNS", "QUIC"} <= set(counts)
    for protocol, count in counts.items():
        split.get_by_role("button", name=protocol, exact=True).click()
        expect(page.locator(".status-line")).to_contain_text(f"{count} of {arrived:,} packets")
        busy.go("Traffic")


def test_the_range_and_the_stack_are_in_the_address(busy: Screen) -> None:
    """What was chosen is there again when the page is loaded again."""
    from playwright.sync_api import expect

    busy.choose("15 min")
    busy.choose("Protocol")
    chart(busy, "Packets", "TLS").wait_for()
    assert "range=900&by=protocol" in busy.page.url
    busy.page.reload()
    busy.is_live()
    chart(busy, "Packets", "TLS").wait_for()
    expect(busy.page.get_by_text("averages of 5 s").first).to_be_visible()


def test_all_adapters_together(busy: Screen) -> None:
    """The service's counters of all are added up; protocols are those of one."""
    from playwright.sync_api import expect

    busy.service.session(busy.service.adapter(name="Lab", addresses=["10.8.7.7/24"]))
    busy.page.get_by_label("Traffic of").select_option("All adapters")
    chart(busy, "Packets", r"From host → [34]\d\d").wait_for()
    expect(
        busy.page.get_by_text("To see protocols and top talkers, choose one adapter")
    ).to_be_visible()


def test_what_happened_is_marked(busy: Screen) -> None:
    """An event has a line in the charts, and its words below."""
    from playwright.sync_api import expect

    busy.service.http.post("/v1/captures", json={"name": "office"}).raise_for_status()
    expect(region(busy, "What happened")).to_contain_text(
        re.compile("Capture office (was )?started")
    )
    chart(busy, "Packets").locator("g.mark").first.wait_for()


def test_a_pair_is_one_filter_away(busy: Screen) -> None:
    """The host's own address comes first; the other one shows the packets of both."""
    from playwright.sync_api import expect

    page = busy.page
    rows = region(busy, "Top talkers").locator("tbody").get_by_role("row")
    expect(rows.first).to_contain_text(re.compile(r"^(10\.6\.7\.7|fd06:7::7)"))
    rows.get_by_role("button").first.click()
    expect(page.get_by_role("combobox", name="Display filter")).to_have_value(
        re.compile(r"^(ip|ipv6)\.addr == \S+ and \1\.addr == \S+$")
    )
    page.get_by_role("grid", name="Packets").get_by_role("row").nth(1).wait_for()


def test_the_figures_are_saved(busy: Screen) -> None:
    """The table has a line for each point, and the names of its columns."""
    chart(busy, "Packets", "From host → [1-9]").wait_for()
    busy.choose("1 min")
    with busy.page.expect_download() as info:
        busy.button("Save as CSV").click()
    assert re.fullmatch(r"wintun-traffic-[\dT-]+\.csv", info.value.suggested_filename)
    with Path(info.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert float(rows[-1]["from_host_packets_per_second"]) > 0
    assert rows[0]["from_host_packets_per_second"] == ""


def test_without_the_scope_capture_the_counters_are_shown(browser: Browser, tmp_path: Path) -> None:
    """A token that may not see packets is told so, and sees the service's counters."""
    from playwright.sync_api import expect

    with running(tmp_path, traffic=200) as service, Screen(browser, service) as screen:
        screen.sign_in(service.token(Scope.READ))
        service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))
        screen.go("Traffic")
        chart(screen, "Packets", "From host → [1-9]").wait_for()
        expect(screen.page.get_by_text("does not have the scope “capture”")).to_be_visible()
        expect(region(screen, "Protocols")).to_have_count(0)
