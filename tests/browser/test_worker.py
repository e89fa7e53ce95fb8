"""The worker that filters: it keeps up, and the page says when it fails."""

from __future__ import annotations

import pytest

from tests.browser.datagrams import capture, inject, row
from tests.browser.screen import Screen
from tests.waiting import within

pytestmark = pytest.mark.heavy


def status(screen: Screen) -> str:
    """Return the line of numbers below the table."""
    return str(screen.page.locator(".status-line").inner_text())


def test_a_filter_under_a_stream(screen: Screen) -> None:
    """What passes of what comes is shown, and in the end everything was looked at."""
    session = capture(screen, 2001)
    screen.page.get_by_role("combobox", name="Display filter").fill("udp.dstport == 3007")
    row(screen, 2001).wait_for(state="hidden")
    for _ in range(50):
        inject(screen.service, session, *range(3000, 3100))
    assert within(20, lambda: status(screen).startswith("50 of 5,001"))
    assert "to go" not in status(screen)


def test_clearing_a_filter_keeps_the_place(screen: Screen) -> None:
    """The packet that was found stays in view among those around it."""
    session = capture(screen, 2001)
    inject(screen.service, session, *range(3000, 3400))
    row(screen, 3399).wait_for()
    field = screen.page.get_by_role("combobox", name="Display filter")
    field.fill("udp.dstport == 3100")
    row(screen, 3100).click()
    field.fill("")
    row(screen, 3099).wait_for()
    row(screen, 3101).wait_for()
    assert row(screen, 3100).get_attribute("aria-selected") == "true"


def test_a_worker_that_fails(screen: Screen) -> None:
    """The page says so, starts another, and shows the same rows."""
    session = capture(screen, 2001, 2002)
    screen.tolerated.append("Broken")
    screen.page.get_by_role("combobox", name="Display filter").fill("udp.dstport == 2002")
    row(screen, 2001).wait_for(state="hidden")
    (worker,) = screen.page.workers
    worker.evaluate("void setTimeout(() => { throw new Error('Broken.'); })")
    screen.page.get_by_text("was started again").wait_for()
    inject(screen.service, session, 2001, 2002)
    assert within(10, lambda: row(screen, 2002).count() == 2)
    assert row(screen, 2001).count() == 0
