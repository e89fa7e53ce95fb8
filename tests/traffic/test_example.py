"""The scenario of Wintun's example program, on every driver.

An echo request is injected from 10.6.7.8 to the adapter's own 10.6.7.7; the host
answers, and the reply is received.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import namespace, needs_kernel
from tests.running import RunningService, receive, running
from wintun_api.packet import build

DRIVERS = [
    pytest.param({"driver": "emulated", "generation": "pool"}, id="emulated-pool"),
    pytest.param({"driver": "emulated", "generation": "tunnel-type"}, id="emulated-tunnel-type"),
    pytest.param({"driver": "linux"}, id="linux", marks=needs_kernel),
]


@pytest.fixture(params=DRIVERS)
def every_service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningService]:
    """A service on each driver that this machine has."""
    with ExitStack() as stack:
        if request.param["driver"] == "linux":
            stack.enter_context(namespace())
        yield stack.enter_context(running(tmp_path, **request.param))


@pytest.mark.parametrize(
    ("host", "us"), [("10.6.7.7", "10.6.7.8"), ("fd06:7::7", "fd06:7::8")], ids=["IPv4", "IPv6"]
)
def test_the_example(every_service: RunningService, host: str, us: str) -> None:
    """Three requests, three replies from the host."""
    adapter = every_service.adapter(
        name="Demo",
        pool="Example",
        requested_guid="deadbabe-cafe-beef-0123-456789abcdef",
        addresses=["10.6.7.7/24", "fd06:7::7/64"],
    )
    assert adapter["guid"] == "deadbabe-cafe-beef-0123-456789abcdef"
    session = every_service.session(adapter)["id"]
    with every_service.packets(session, protocol="v1.raw") as stream:
        for sequence in range(3):
            stream.put(build.icmp_echo(us, host, identifier=7, sequence=sequence))
            expected = build.icmp_echo(host, us, identifier=7, sequence=sequence, reply=True)
            while not any(same_but_for_the_header(one, expected) for one in receive(stream, 1)):
                pass  # what else the host says of itself: router solicitations, reports


def same_but_for_the_header(packet: bytes, expected: bytes) -> bool:
    """Compare what follows the IP header: TTL and identification are the host's to choose."""
    header = 20 if packet[0] >> 4 == 4 else 40
    return packet[header:] == expected[header:]
