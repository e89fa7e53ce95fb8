"""The dashboard on a kernel TUN device: what the host really sends, and what it answers.

Service, device and browser are in a network namespace that goes with the test.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import ARGUMENTS, CHROMIUM, Screen
from tests.drivers.linux.kernel import ip, needs_kernel
from tests.needs import need
from tests.running import RunningService, receive
from tests.traffic.peers import responder
from wintun_api.packet import build
from wintun_api.wire import BATCH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

pytestmark = [pytest.mark.heavy, *needs_kernel]

HOST = "10.6.7.7"
PEER = "10.6.7.8"
RESOLVER = "10.6.7.53"
NAME = "office.example"
# RFC 1035: identifier 0x2b67, recursion desired, one question: the name, type A, class IN.
QUESTION = b"\6office\7example\0\0\1\0\1"
QUERY = b"\x2b\x67\1\0\0\1\0\0\0\0\0\0" + QUESTION
# The name is a pointer to the question's; 60 s, 10.6.7.80.
ANSWER = (
    b"\x2b\x67\x81\x80\0\1\0\1\0\0\0\0" + QUESTION + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\n\6\7\x50"
)


class Host:
    """A host with one adapter, and the dashboard over it."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.service = screen.service
        self.adapter = self.service.adapter(
            name="OfficeNet", mtu=1420, addresses=[f"{HOST}/24", "fd06:7::7/64"]
        )
        self.device = self.adapter["interface_name"]
        self.session = self.service.session(self.adapter)["id"]
        screen.sign_in()

    def watch(self) -> None:
        """Show the live packets."""
        self.screen.go("Packets")
        self.screen.page.locator(".stream").filter(has_text="Live").wait_for()

    def packet(self, text: str) -> Locator:
        """Return the rows of packets with this pattern in them."""
        grid = self.screen.page.get_by_role("grid", name="Packets")
        return grid.get_by_role("row").filter(has_text=re.compile(text), visible=True)

    def layers(self) -> Locator:
        """Return the layers of the selected packet."""
        region = self.screen.page.get_by_role("region", name="Packet details")
        return region.locator(".node.layer .name")

    def ping(self, *arguments: str) -> None:
        """Let the host ping a peer, which answers."""
        need("ping")
        with responder(self.service, self.session, BATCH):
            command = ["ping", "-i", "0.05", "-W", "2", *arguments, PEER]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done

    def ask(self) -> bytes:
        """Let the host ask for a name; answer behind the adapter; return what the host got."""
        with (
            self.service.packets(self.session) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        ):
            client.settimeout(10)
            client.connect((RESOLVER, 53))
            client.send(QUERY)
            while not any(packet.endswith(QUERY) for packet in receive(stream, 1)):
                pass  # what else the host says of itself
            port = client.getsockname()[1]
            stream.put(build.udp(RESOLVER, HOST, 53, port, ANSWER))
            return client.recv(512)


@pytest.fixture
def host(kernel_service: RunningService, browser: Browser, tmp_path: Path) -> Iterator[Host]:
    """A host, with a browser that runs on it."""
    need("nsenter")
    # A browser is started by a process elsewhere, so it has to be led into this namespace.
    here = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
    chromium = tmp_path / "chromium"
    chromium.write_text(f'#!/bin/sh\nexec nsenter --net={here} "{CHROMIUM}" "$@"\n', "utf-8")
    chromium.chmod(0o700)
    inside = browser.browser_type.launch(executable_path=chromium, args=ARGUMENTS)
    try:
        with Screen(inside, kernel_service) as screen:
            yield Host(screen)
    finally:
        inside.close()


def test_ping_is_seen_packet_by_packet(host: Host) -> None:
    """Each request of the host and the answer it got, with identifier and sequence number."""
    from playwright.sync_api import expect

    host.watch()
    host.ping("-c", "3", "-e", "4660")
    for number in (1, 2, 3):
        line = rf"id=0x1234, seq={number}/"
        expect(host.packet(rf"From host.*{HOST}.*{PEER}.*request.*{line}")).to_have_count(1)
        expect(host.packet(rf"To host.*{PEER}.*{HOST}.*reply.*{line}")).to_have_count(1)


def test_a_dns_query_is_taken_apart(host: Host) -> None:
    """The name that the host asks for, the layers around it, and the answer it got."""
    from playwright.sync_api import expect

    host.watch()
    assert host.ask() == ANSWER
    query = host.packet(rf"From host.*{RESOLVER}.*DNS.*query 0x2b67 A {NAME}")
    expect(query).to_have_count(1)
    answer = host.packet(rf"To host.*{RESOLVER}.*DNS.*response 0x2b67.*10\.6\.7\.80")
    expect(answer).to_have_count(1)
    query.click()
    expect(host.layers()).to_have_text(
        ["Internet Protocol Version 4", "User Datagram Protocol", "Domain Name System"]
    )


def test_the_kernel_answers_what_is_composed(host: Host) -> None:
    """An echo request sent by hand comes back from the host's own stack."""
    from playwright.sync_api import expect

    host.screen.go("Compose")
    host.screen.button("Send").click()
    expect(host.screen.page.get_by_text("1 packet sent")).to_be_visible()
    host.watch()
    expect(host.packet(rf"To host.*{PEER}.*{HOST}.*request")).to_have_count(1)
    expect(host.packet(rf"From host.*{HOST}.*{PEER}.*reply")).to_have_count(1)


def test_the_overview_shows_the_device_as_it_is(host: Host) -> None:
    """Its addresses and MTU are those that the kernel has."""
    from playwright.sync_api import expect

    (link,) = json.loads(ip("-json", "address", "show", "dev", host.device))
    addresses = [f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"]]
    assert {f"{HOST}/24", "fd06:7::7/64"} <= set(addresses)
    row = host.screen.row("OfficeNet")
    expect(row).to_contain_text(f"{link['mtu']}")
    for address in addresses:
        expect(row).to_contain_text(address)


def test_the_counters_move_with_the_traffic(host: Host) -> None:
    """Twenty pings are twenty packets each way at least."""
    from playwright.sync_api import expect

    host.screen.select("OfficeNet")
    host.ping("-c", "20")
    figures = host.screen.page.get_by_role("article").locator(".figure")
    for direction in ("From host", "To host"):
        figure = figures.filter(has_text=direction)
        expect(figure).to_contain_text(re.compile(r"[2-9]\d so far"))


def test_what_another_program_changes(host: Host) -> None:
    """State, MTU, addresses and routes that ip(8) sets are shown without a reload."""
    from playwright.sync_api import expect

    detail = host.screen.page.get_by_role("article", name="Adapter OfficeNet")
    expect(detail).to_contain_text("Up")
    ip("link", "set", host.device, "mtu", "1300")
    expect(detail).to_contain_text("1300 bytes")
    ip("addr", "add", "10.9.9.9/32", "dev", host.device)
    expect(detail).to_contain_text("10.9.9.9/32")
    ip("route", "add", "10.70.0.0/16", "dev", host.device)
    expect(detail).to_contain_text("Other routes")
    expect(detail).to_contain_text("10.70.0.0/16")
    ip("route", "del", "10.70.0.0/16", "dev", host.device)
    expect(detail).not_to_contain_text("10.70.0.0/16")
    ip("link", "set", host.device, "down")
    expect(detail.locator("h2 + .badge")).not_to_have_text("Up")
    ip("link", "set", host.device, "up")
    expect(detail.locator("h2 + .badge")).to_have_text("Up")
