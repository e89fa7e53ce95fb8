"""The counters that the kernel prints are those that it sends."""

from __future__ import annotations

from ipaddress import ip_interface
from pathlib import Path

from tests.drivers.linux import kernel
from wintun_api.drivers.base import Driver
from wintun_api.drivers.linux.counters import counters_of
from wintun_api.packet import build

pytestmark = kernel.needs_kernel


def test_printed_as_sent(driver: Driver) -> None:
    """What a session carried and lost is counted alike with a session and without."""
    adapter = driver.create_adapter("counted", "Example")
    adapter.set_addresses([ip_interface("10.6.80.1/24")])
    session = adapter.start_session(0x20000)
    for _ in range(600):  # more than the queue holds
        kernel.host_sends("10.6.80.2", bytes(1000))
    request = build.icmp_echo("10.6.80.2", "10.6.80.1", identifier=1, sequence=1)
    assert session.send_packets([request]) == 1
    printed = adapter.counters()
    session.end()
    assert adapter.counters() == printed
    assert printed.received_dropped > 0
    assert printed.sent_packets == 1


def test_no_such_device(namespace: None) -> None:
    """A device that is not here has no counters."""
    assert counters_of("nobody") is None
    assert counters_of("lo", Path("/nonexistent")) is None
