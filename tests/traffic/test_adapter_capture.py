"""One capture of several kernel TUN devices, which come and go, read by Wireshark."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.api.live import WAYS, live
from tests.capture import tshark
from tests.capture.capinfos import info_of
from tests.capture.samples import interface_statistics
from tests.drivers.linux.kernel import keep_quiet, needs_kernel
from tests.needs import needs
from tests.running import RunningService
from tests.traffic.peers import responder
from tests.traffic.pings import ping
from wintun_api.wire import BATCH

pytestmark = needs_kernel

COUNT = 10
REQUEST, REPLY = "8", "0"


@tshark.needs_tshark
@needs("capinfos")
@pytest.mark.parametrize("way", WAYS)
def test_pings_of_three_adapters(kernel_service: RunningService, way: str, tmp_path: Path) -> None:
    """All pings and answers are at their adapters, in the order of time; no count differs.

    The second adapter is deleted while it is captured, and the third one comes afterwards.
    """
    service, counters = kernel_service, {}
    keep_quiet()
    with live(service, way) as capture:
        for number in range(3):
            name = f"Tunnel{number}"
            adapter = service.adapter(name=name, addresses=[f"10.6.{number}.7/24"])
            session = str(service.session(adapter)["id"])
            with responder(service, session, BATCH):
                assert ping(f"10.6.{number}.8", COUNT) == COUNT
            counters[name] = service.counters(session)
            capture.until(packets=2 * COUNT * (number + 1))
            if number == 1:
                service.http.delete(f"/v1/adapters/{adapter['guid']}").raise_for_status()
                capture.until(statistics=1)
        service.stop()
        path = capture.save(tmp_path / "pings.pcapng")
    frames = tshark.read(path)
    found = Counter((frame.interface, frame.direction) for frame in frames)
    assert found == {
        key: count
        for name, one in counters.items()
        for key, count in (
            ((name, "outbound"), one["received"]["packets"]),
            ((name, "inbound"), one["injected"]["packets"]),
        )
    }
    assert all(count >= COUNT for count in found.values())
    times = [frame.time_ns for frame in frames]
    assert times == sorted(times)
    rows, complaints = tshark.rows(path, "frame.interface_name", "icmp.type")
    assert complaints == ""
    kinds = Counter((name, kind) for name, kind in rows if kind)
    assert kinds == {(name, kind): COUNT for name in counters for kind in (REQUEST, REPLY)}
    statistics = interface_statistics(capture.file)
    assert [statistics[number] for number in range(3)] == [
        (one["received"]["packets"] + one["injected"]["packets"], 0) for one in counters.values()
    ]
    info = info_of(path)
    assert (info.packets, info.interfaces, info.statistics) == (len(frames), 3, 3)
    assert (info.first_ns, info.last_ns) == (times[0], times[-1])
