"""What Prometheus reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.api.scraping import scraped, value
from tests.running import RunningService, receive
from tests.samples import ECHO
from wintun_api.choices import Scope

NETWORK_HOST = {"id": "a" * 12, "name": "hub", "state": "attached", "lost": {"no_route": 2}}
DASHBOARD = Path(__file__).parents[2] / "docker" / "grafana" / "wintun-api.json"


def report_network(service: RunningService, **members: Any) -> None:
    """Report a network as an agent does."""
    body = {"host": "a" * 12, "hosts": [NETWORK_HOST], **members}
    service.http.put("/v1/networks/lab", json=body).raise_for_status()


def test_numbers_are_those_of_the_session(service: RunningService) -> None:
    """Packets, bytes and losses by cause, with the adapter's name, GUID and session."""
    adapter = service.adapter(name="OfficeNet", pool="WireGuard", addresses=["10.6.7.7/24"])
    session = service.session(adapter)["id"]
    with service.packets(session) as stream:
        stream.put([ECHO, ECHO, b"\x45"])
        receive(stream, 2)
        samples = scraped(service.http)
    who = {"adapter": "OfficeNet", "guid": adapter["guid"], "session": session}
    counters = service.counters(session)
    for direction in ("received", "injected"):
        carried = counters[direction]
        assert carried["packets"] == 2
        assert value(samples, "packets_total", direction=direction, **who) == 2
        assert value(samples, "bytes_total", direction=direction, **who) == carried["bytes"]
    assert value(samples, "lost_packets_total", cause="rejected_too_short", **who) == 1
    assert value(samples, "lost_packets_total", cause="queue", **who) == 0
    assert value(samples, "ring_capacity_bytes", **who) == 0x400000
    assert value(samples, "subscribers", **who) == 1
    assert value(samples, "queue_packets", **who) == 0


def test_losses_have_the_causes_of_the_counters(service: RunningService) -> None:
    """Each cause in the metrics is one in the session's counters, with the same number."""
    adapter = service.adapter(name="OfficeNet", pool="WireGuard")
    session = service.session(adapter)["id"]
    with service.packets(session) as stream:
        stream.send([b"\x45", b"\x75" * 40, b"\x75" * 40])
    lost = service.counters(session)["lost"]
    flat = {name: count for name, count in lost.items() if not isinstance(count, dict)}
    for name in ("rejected", "refused"):
        flat |= {f"{name}_{reason}": count for reason, count in lost[name].items()}
    assert (flat["rejected_too_short"], flat["rejected_bad_version"]) == (1, 2)
    metrics = {
        dict(labels)["cause"]: count
        for (name, labels), count in scraped(service.http).items()
        if name == "wintun_api_lost_packets_total"
    }
    assert metrics == flat


def test_networks_are_those_of_the_agents(service: RunningService) -> None:
    """What an agent reports of its own host is counted here, and that of other hosts is not."""
    own = {"id": "a" * 12, "name": "hub", "state": "attached", "sent": 7, "delivered": 5}
    other = {"id": "b" * 12, "name": "far", "state": "detached", "sent": 3}
    counted = {"lost": {"no_route": 2}, "counts": {"reports_failed": 3}}
    report_network(service, hosts=[{**own, **counted}, other])
    samples = scraped(service.http)
    who = {"network": "lab", "host": "a" * 12, "name": "hub"}
    assert value(samples, "network_connected", network="lab") == 1
    assert value(samples, "network_hosts", network="lab", state="attached") == 1
    assert value(samples, "network_hosts", network="lab", state="detached") == 1
    assert value(samples, "network_packets_total", direction="sent", **who) == 7
    assert value(samples, "network_packets_total", direction="injected", **who) == 5
    assert value(samples, "network_lost_packets_total", cause="no_route", **who) == 2
    assert value(samples, "network_agent_counts_total", count="reports_failed", **who) == 3
    assert not [labels for _, labels in samples if ("host", "b" * 12) in labels]


def test_the_service_itself(service: RunningService) -> None:
    """Its driver, sessions by state, and what it runs on."""
    samples = scraped(service.http)
    assert value(samples, "driver_available", driver="emulated") == 1
    assert value(samples, "sessions", state="running") == 0
    assert value(samples, "adapters") == 0
    assert value(samples, "build_info") == 1


def test_requests_are_counted_by_route(service: RunningService) -> None:
    """The route's template is the label, and one label stands for all that is no route."""
    for path in ("/v1/sessions/aaa", "/v1/sessions/bbb", "/nothing/1", "/nothing/2"):
        service.http.get(path)
    samples = scraped(service.http)
    known = value(samples, "request_seconds_count", route="/v1/sessions/{session_id}", status="404")
    assert known == 2
    assert value(samples, "request_seconds_count", route="none", status="404") == 2


def test_the_scope(service: RunningService) -> None:
    """`metrics` is enough, allows nothing else, and is needed."""
    monitor = service.client(service.token(Scope.METRICS))
    assert monitor.get("/metrics").status_code == 200
    assert monitor.get("/v1/adapters").status_code == 403
    reader = service.client(service.token(Scope.READ))
    assert reader.get("/metrics").status_code == 403
    for client in (monitor, reader):
        client.close()


def test_openmetrics_where_asked_for(service: RunningService) -> None:
    """The newer format, with its end mark."""
    answer = service.http.get("/metrics", headers={"accept": "application/openmetrics-text"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_dashboard_names_metrics_that_exist(service: RunningService) -> None:
    """Every metric in a panel of the Grafana dashboard is one the service has."""
    adapter = service.adapter(name="OfficeNet", pool="WireGuard")
    service.session(adapter)
    report_network(service)
    service.http.get("/v1/system")
    existing = {name for name, _ in scraped(service.http)}
    panels = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    named = {
        name for expr in expressions for name in re.findall(r"\b(?:wintun_api|process)_\w+", expr)
    }
    assert len(named) > 8
    assert named <= existing
