"""The packet view as a person uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.browser.screen import Screen
from wintun_api.packet import build
from wintun_api.wire import BATCH_TYPE, Batch, pack

if TYPE_CHECKING:
    from playwright.sync_api import Locator

HOST = "10.6.7.7"
PEER = "10.6.7.8"


class Table:
    """The packet view over one session."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        service = screen.service
        self.adapter = service.adapter(name="OfficeNet", addresses=[f"{HOST}/24", "fd06:7::7/64"])
        self.session = service.session(self.adapter)["id"]
        screen.go("Packets")
        self.grid.wait_for()
        self.stream("Live").wait_for()

    @property
    def grid(self) -> Locator:
        """The table."""
        return self.screen.page.get_by_role("grid", name="Packets")

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """Return the rows with this text."""
        return self.grid.get_by_role("row").filter(has_text=text, visible=True)

    @property
    def detail(self) -> Locator:
        """The selected packet."""
        return self.screen.page.get_by_role("region", name="Packet details")

    def node(self, label: str) -> Locator:
        """Return a field of the selected packet."""
        name = self.screen.page.get_by_text(label, exact=True)
        return self.detail.get_by_role("treeitem").filter(has=name)

    def fold(self, layer: str) -> Locator:
        """Return what opens a layer."""
        return self.detail.get_by_role("button", name=f"Open {layer}", exact=True)

    def stream(self, word: str) -> Locator:
        """The state of the packet stream, as this word says it."""
        return self.screen.page.locator(".stream").filter(has_text=word)

    @property
    def filter(self) -> Locator:
        """The field of the display filter."""
        return self.screen.page.get_by_role("combobox", name="Display filter")

    def inject(self, *packets: bytes) -> None:
        """Inject packets with one request."""
        answer = self.screen.service.http.post(
            f"/v1/sessions/{self.session}/packets",
            content=pack(Batch(packets)),
            headers={"Content-Type": BATCH_TYPE},
        )
        assert answer.json()["accepted"] == len(packets), answer.text

    def ping(self, count: int = 1) -> None:
        """Inject echo requests, which the emulated host answers, and wait for the last answer."""
        self.inject(*(echo(number) for number in range(1, count + 1)))
        self.row(re.compile(rf"From host.*reply.*seq={count}/")).last.wait_for()


def echo(number: int) -> bytes:
    return build.icmp_echo(PEER, HOST, identifier=7, sequence=number, data=b"are you there")


def datagram(port: int = 9999, data: bytes = b"The quick brown fox") -> bytes:
    return build.udp(PEER, "10.6.7.99", 40000, port, data)  # its host sends it back
