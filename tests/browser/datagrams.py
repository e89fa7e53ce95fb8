"""Datagrams that a test injects, told apart by their port, and their rows in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.screen import Screen
from tests.running import RunningService
from wintun_api.packet import build
from wintun_api.wire import BATCH_TYPE, Batch, pack

if TYPE_CHECKING:
    from playwright.sync_api import Locator

HOST = "10.6.7.7"
PEER = "10.6.7.8"


def inject(service: RunningService, session: str, *ports: int) -> None:
    """Inject a datagram to each of these ports."""
    packets = [build.udp(PEER, HOST, 5000, port, b"kept") for port in ports]
    answer = service.http.post(
        f"/v1/sessions/{session}/packets",
        content=pack(Batch(packets)),
        headers={"Content-Type": BATCH_TYPE},
    )
    assert answer.json()["accepted"] == len(ports), answer.text


def capture(screen: Screen, *ports: int) -> str:
    """Show datagrams to these ports, of a new adapter; return its session."""
    service = screen.service
    session: str = service.session(service.adapter(name="OfficeNet"))["id"]
    show(screen, session, *ports)
    return session


def show(screen: Screen, session: str, *ports: int) -> None:
    """Look at the packets of a session while these are injected."""
    screen.go("Packets")
    screen.page.locator(".stream.live").wait_for()
    inject(screen.service, session, *ports)
    for port in ports:
        row(screen, port).wait_for()


def row(screen: Screen, port: int) -> Locator:
    """Return the row of the datagram to a port."""
    grid = screen.page.get_by_role("grid", name="Packets")
    return grid.get_by_role("row").filter(has_text=f"5000 → {port}", visible=True)
