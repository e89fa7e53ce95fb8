"""The genuine driver on Windows: create, address, ping, flood, delete.

Runs where WINTUN_DLL names the genuine wintun.dll and the process is elevated. Wine has no kernel
for the driver, so there it is skipped. `pytest -m real_driver` runs these alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.raw_websocket import raw_packets
from tests.running import RunningService, running
from tests.traffic.peers import responder
from tests.waiting import until, within
from wintun_api.packet import build
from wintun_api.wire import BATCH, RAW

HOST, PEER = "10.6.7.7", "10.6.7.8"
FLOOD = 3.0  # seconds


def why_not() -> str | None:
    """Return why the genuine driver cannot run here, None when it can."""
    if sys.platform != "win32":
        return "needs Windows"
    else:  # noqa: RET505 - so that the type checker reads it on its own platform alone
        if not Path(os.environ.get("WINTUN_DLL", "")).is_file():
            return "needs the genuine wintun.dll; name it in WINTUN_DLL"
        import ctypes

        if hasattr(ctypes.WinDLL("ntdll"), "wine_get_version"):
            return "needs a kernel for the driver, which Wine does not have"
        return None if ctypes.WinDLL("shell32").IsUserAnAdmin() else "needs to be elevated"


REASON = why_not()
pytestmark = [
    pytest.mark.real_driver,
    pytest.mark.skipif(REASON is not None, reason=f"the genuine driver {REASON}"),
]


@dataclass
class Tunnel:
    """A service on the genuine driver with an adapter and its session."""

    service: RunningService
    guid: str
    session: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on the genuine driver."""
    directory = tmp_path_factory.mktemp("service")
    library = os.environ["WINTUN_DLL"]
    with running(directory, driver="wintun", wintun_dll=library, management_timeout=120) as service:
        service.http.timeout = 150  # the first adapter installs the driver
        yield service


@pytest.fixture(scope="module")
def tunnel(service: RunningService) -> Iterator[Tunnel]:
    """An adapter with addresses, up, and a session on it."""
    if not service.http.get("/v1/driver").json()["capabilities"]["network_settings"]:
        pytest.skip("this build cannot set addresses on Windows yet")
    adapter = service.adapter(name="wintun-api test", mtu=1420, addresses=[f"{HOST}/24"])
    try:
        session = service.session(adapter)
        until_bound()
        yield Tunnel(service, adapter["guid"], session["id"])
    finally:
        service.http.delete(f"/v1/adapters/{adapter['guid']}")


def until_bound() -> None:
    """Wait until Windows has found that nobody else has the address."""
    assert within(20, can_be_bound, 0.2), "the address never came up"


def can_be_bound() -> bool:
    """Return whether the adapter's address can be used."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, 0))
    except OSError:
        return False
    return True


def test_genuine(service: RunningService) -> None:
    """An adapter can be created and deleted; the driver then tells its version."""
    adapter = service.adapter(name="wintun-api first")
    driver = service.http.get("/v1/driver").json()
    assert driver["unavailable"] is None
    assert driver["running_version"] is not None
    listed = [one["guid"] for one in service.http.get("/v1/adapters").json()]
    assert adapter["guid"] in listed
    assert service.http.delete(f"/v1/adapters/{adapter['guid']}").is_success
    assert service.http.get(f"/v1/adapters/{adapter['guid']}").status_code == 404


def test_address(tunnel: Tunnel) -> None:
    """What was asked for is what Windows has."""
    adapter = tunnel.service.http.get(f"/v1/adapters/{tunnel.guid}").json()
    assert f"{HOST}/24" in adapter["addresses"]
    assert (adapter["mtu"], adapter["state"]) == (1420, "up")


@pytest.mark.parametrize("protocol", [RAW, BATCH])
def test_ping(tunnel: Tunnel, protocol: str) -> None:
    """Windows' own ping is answered by a WebSocket client behind the adapter."""
    with responder(tunnel.service, tunnel.session, protocol):
        command = ["ping", "-n", "10", "-w", "2000", PEER]
        ping = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    # The only word of a reply that is the same in every language.
    assert ping.stdout.count("TTL=") == 10, ping.stdout


def test_flood(tunnel: Tunnel) -> None:
    """As much UDP as Windows sends arrives in order, and every loss is told."""
    sent = 0

    def flood() -> None:
        nonlocal sent
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((HOST, 0))
            end = time.monotonic() + FLOOD
            while time.monotonic() < end:
                for _ in range(100):
                    sender.sendto(bytes(1200), (PEER, 9))
                sent += 100

    received = gaps = 0
    expected: int | None = None
    with raw_packets(tunnel.service, tunnel.session) as client:
        before = tunnel.service.counters(tunnel.session)
        thread = threading.Thread(target=flood)
        thread.start()
        try:
            while True:
                client.read(2)
                for batch in client.batches:
                    if expected is not None:
                        assert batch.sequence >= expected
                        gaps += batch.sequence - expected
                    expected = batch.sequence + len(batch.packets)
                    received += sum(len(packet) > 1200 for packet in batch.packets)
                client.batches.clear()
        except TimeoutError:
            thread.join()
        lost = sum(text["count"] for text in client.texts if text["type"] == "lost")
    after = tunnel.service.counters(tunnel.session)
    print(f"{received} of {sent} in {FLOOD:.0f} s; ring lost {after['lost']['ring']}")
    assert received > 1000
    assert gaps == lost
    assert after["received"]["packets"] - before["received"]["packets"] >= received


def test_flood_to_the_host(tunnel: Tunnel) -> None:
    """100,000 packets of a client are all taken: a full ring holds the client back."""
    packet = build.udp(PEER, HOST, 9, 9, bytes(1200))
    before = tunnel.service.counters(tunnel.session)["injected"]["packets"]
    with tunnel.service.packets(tunnel.session, full="wait", direction="none") as stream:
        for _ in range(1000):
            stream.put([packet] * 100)
        until(lambda: injected(tunnel) - before >= 100_000)


def injected(tunnel: Tunnel) -> int:
    """How many packets the ring has taken."""
    count: int = tunnel.service.counters(tunnel.session)["injected"]["packets"]
    return count


def test_delete(tunnel: Tunnel) -> None:
    """Deleting the adapter ends its session and takes its address away. Keep it the last."""
    assert tunnel.service.http.delete(f"/v1/adapters/{tunnel.guid}").is_success
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with probe, pytest.raises(OSError, match="10049"):  # WSAEADDRNOTAVAIL
        probe.bind((HOST, 0))
