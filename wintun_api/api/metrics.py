"""Provide metrics for Prometheus, read on request and never on the packet path.

Packets are labelled by adapter and session. A session's series end with the session, so that no
counter decreases; `sum by (adapter) (rate(...))` gives the traffic of an adapter.
"""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Iterable, Iterator
from typing import cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from wintun_api import __version__
from wintun_api.api.access import needs
from wintun_api.api.admission import Admission
from wintun_api.api.context import Context, ContextOf, problems
from wintun_api.api.inventory import Inventory
from wintun_api.choices import CaptureState, SessionState
from wintun_api.choices import Scope as TokenScope
from wintun_api.hub.impairment.accounts import FATES
from wintun_api.hub.named_captures.captures import NamedCaptures
from wintun_api.hub.recorders import Recorders
from wintun_api.hub.session import ManagedSession
from wintun_api.schemas.networks import HostState

router = APIRouter()

PREFIX = "wintun_api"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)
LAG_INTERVAL = 1.0
UNROUTED = "none"

METRICS = {
    "description": "The metrics in the text format of Prometheus, or in that of OpenMetrics if the "
    "header Accept asks for it.",
    "content": {"text/plain": {"schema": {"type": "string"}}},
}


class Metrics:
    """Hold the metrics of one service. Event loop thread only."""

    def __init__(self, context: Context) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.service = ServiceCollector(context)
        self.registry.register(self.service)
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "request_seconds",
            "Seconds until an answer began, by route.",
            ("method", "route", "status"),
            namespace=PREFIX,
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._lag = Histogram(
            "loop_lag_seconds",
            "How late the event loop runs due callbacks, measured once a second.",
            namespace=PREFIX,
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to watch the running event loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LAG_INTERVAL, self._look, loop.time() + LAG_INTERVAL)

    def stop(self) -> None:
        """Stop watching. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def _look(self, due: float) -> None:
        self._lag.observe(max(0.0, asyncio.get_running_loop().time() - due))
        self.start()


class Timed:
    """Measure how soon HTTP requests are answered; streams count until they begin."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note when its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Only known routes become labels: other paths could be any number.
                route = getattr(scope.get("route"), "path", UNROUTED)
                method = scope["method"] if route != UNROUTED else UNROUTED
                seconds = time.perf_counter() - begun
                self._metrics.answered(method, route, message["status"], seconds)
            await send(message)

        await self._app(scope, receive, noting)


class ServiceCollector(Collector):
    """Read the hub's own counters.

    Attributes:
        driver_available: The driver's last answer; it is asked on its own thread, not here.
    """

    def __init__(self, context: Context) -> None:
        self.driver_available = False
        self._context = context

    def describe(self) -> Iterable[Metric]:
        """Describe nothing before the service runs."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the present state and counters of the sessions."""
        registry = self._context.started
        if self._context.connections is not None:
            yield from _connections(self._context.connections)
        yield InfoMetricFamily(
            f"{PREFIX}_build",
            "Versions of the service and of the software it runs on.",
            {"version": __version__, "python": platform.python_version()},
        )
        if registry is None:
            return
        adapters = registry.known_adapters()
        names = {view.info.guid: view.info.name for view in adapters}
        yield GaugeMetricFamily(f"{PREFIX}_adapters", "Adapters known.", len(adapters))
        driver = GaugeMetricFamily(
            f"{PREFIX}_driver_available", "Whether the driver can be used.", labels=["driver"]
        )
        driver.add_metric([registry.driver.name], float(self.driver_available))
        yield driver
        sessions = list(registry.sessions)
        states = GaugeMetricFamily(f"{PREFIX}_sessions", "Sessions by state.", labels=["state"])
        for state in SessionState:
            states.add_metric([state], sum(session.state is state for session in sessions))
        yield states
        yield from _memory(registry.recorders)
        yield from _captures(registry.captures)
        yield from _networks(self._context.inventory)
        yield from _families([(names.get(one.adapter, ""), one) for one in sessions])


def _connections(admission: Admission) -> Iterator[Metric]:
    stages = GaugeMetricFamily(f"{PREFIX}_connections", "Connections by stage.", labels=["stage"])
    for stage, count in admission.by_stage().items():
        stages.add_metric([stage], count)
    yield stages
    yield GaugeMetricFamily(
        f"{PREFIX}_connections_limit", "Largest number of connections.", admission.ceiling
    )
    closed = CounterMetricFamily(
        f"{PREFIX}_connections_closed",
        "Connections that the service refused or ended, by cause.",
        labels=["cause"],
    )
    for cause, count in sorted(admission.closed.items()):
        closed.add_metric([cause], count)
    yield closed
    yield CounterMetricFamily(
        f"{PREFIX}_accept_errors",
        "Connections that the system could not accept.",
        admission.accept_errors,
    )


def _memory(recorders: Recorders) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        f"{PREFIX}_recorder_reserved_bytes",
        "Memory that all recorders may come to use, in bytes.",
        recorders.reserved,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_recorder_limit_bytes",
        "Memory that all recorders may use together, in bytes.",
        recorders.limit_bytes,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_recorder_readers", "Clients that read a recorder.", recorders.readers
    )
    yield CounterMetricFamily(
        f"{PREFIX}_recorders_given_way",
        "Recorders of ended sessions that were deleted to make room.",
        recorders.given_way,
    )


def _captures(captures: NamedCaptures) -> Iterator[Metric]:
    views = captures.views()
    states = GaugeMetricFamily(f"{PREFIX}_captures", "Named captures by state.", labels=["state"])
    for state in CaptureState:
        states.add_metric([state], sum(view.state is state for view in views))
    labels = ["capture", "name"]
    packets = CounterMetricFamily(
        f"{PREFIX}_capture_packets",
        "Packets for a named capture: written, lost before they came to it, or unwritten because "
        "the disk was too slow, full or broken.",
        labels=[*labels, "fate"],
    )
    size = GaugeMetricFamily(
        f"{PREFIX}_capture_bytes", "Bytes of the files of a named capture.", labels=labels
    )
    for view in views:
        who = [view.id, view.definition.name]
        packets.add_metric([*who, "written"], view.packets)
        packets.add_metric([*who, "lost"], view.lost - view.unwritten)
        packets.add_metric([*who, "unwritten"], view.unwritten)
        size.add_metric(who, view.bytes)
    yield from (states, packets, size)
    yield GaugeMetricFamily(
        f"{PREFIX}_capture_stored_bytes",
        "Bytes that the files of all named captures take.",
        captures.room.used,
    )
    yield GaugeMetricFamily(
        f"{PREFIX}_capture_limit_bytes",
        "Bytes that the files of all named captures may take.",
        captures.room.limit,
    )


def _networks(inventory: Inventory) -> Iterator[Metric]:
    """Yield what agents beside this service report of their own host, which they count themselves.

    The other hosts have services of their own, so that a sum over services counts nothing twice.
    """
    connected = GaugeMetricFamily(
        f"{PREFIX}_network_connected",
        "Whether the agent of this host has a connection to the bus of a network.",
        labels=["network"],
    )
    hosts = GaugeMetricFamily(
        f"{PREFIX}_network_hosts", "Hosts of a network by state.", labels=["network", "state"]
    )
    labels = ["network", "host", "name"]
    packets = CounterMetricFamily(
        f"{PREFIX}_network_packets",
        "Packets that this host has sent to other hosts of a network, and those of other hosts "
        "that were injected here.",
        labels=[*labels, "direction"],
    )
    lost = CounterMetricFamily(
        f"{PREFIX}_network_lost_packets",
        "Packets for or from other hosts that the agent of this host knows to be lost, by cause.",
        labels=[*labels, "cause"],
    )
    counts = CounterMetricFamily(
        f"{PREFIX}_network_agent_counts",
        "What else the agent of this host has dropped, refused or could not read since it was "
        "started, by name.",
        labels=[*labels, "count"],
    )
    for network in inventory.all():
        connected.add_metric([network.name], float(network.connected))
        for state in HostState:
            count = sum(host.state is state for host in network.hosts)
            hosts.add_metric([network.name, state], count)
        for host in network.hosts:
            if host.id == network.host:
                who = [network.name, host.id, host.name]
                packets.add_metric([*who, "sent"], host.sent)
                packets.add_metric([*who, "injected"], host.delivered)
                for cause, number in host.lost.items():
                    lost.add_metric([*who, cause], number)
                for name, number in host.counts.items():
                    counts.add_metric([*who, name], number)
                break
    yield from (connected, hosts, packets, lost, counts)


def _families(sessions: list[tuple[str, ManagedSession]]) -> Iterator[Metric]:
    labels = ["adapter", "guid", "session"]

    def counter(name: str, text: str, *more: str) -> CounterMetricFamily:
        return CounterMetricFamily(f"{PREFIX}_{name}", text, labels=[*labels, *more])

    def gauge(name: str, text: str, *more: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=[*labels, *more])

    packets = counter("packets", "Packets carried.", "direction")
    size = counter("bytes", "Bytes of the packets carried.", "direction")
    lost = counter("lost_packets", "Packets lost or refused, by cause.", "cause")
    restarts = counter("session_restarts", "Restarts after ring corruption.")
    capacity = gauge("ring_capacity_bytes", "Ring capacity.")
    subscribers = gauge("subscribers", "Clients that receive packets.")
    queued = gauge("queue_packets", "Packets waiting in the queues of clients.")
    queued_size = gauge("queue_bytes", "Memory used by the queues of clients, in bytes.")
    impaired = counter(
        "impairment_packets",
        "Packets that came to an impairment, and what happened to them.",
        "direction",
        "fate",
    )
    impaired_size = counter(
        "impairment_bytes",
        "Bytes of packets that came to an impairment, and what happened to them.",
        "direction",
        "fate",
    )
    delayed = gauge("impairment_delayed_packets", "Packets that are delayed.", "direction")
    delayed_size = gauge("impairment_delayed_bytes", "Bytes that are delayed.", "direction")
    recorded = counter("recorder_packets", "Packets that a recorder took, and dropped.", "fate")
    kept = gauge("recorder_kept_packets", "Packets that a recorder has.")
    kept_size = gauge("recorder_kept_bytes", "Memory that these packets use, in bytes.")
    for name, session in sessions:
        view, counters = session.view(), session.counters
        who = [name, str(session.adapter), session.id]
        packets.add_metric([*who, "received"], counters.received_packets)
        packets.add_metric([*who, "injected"], counters.injected_packets)
        size.add_metric([*who, "received"], counters.received_bytes)
        size.add_metric([*who, "injected"], counters.injected_bytes)
        for cause, count in counters.lost.items():
            lost.add_metric([*who, cause], count)
        restarts.add_metric(who, view.restarts)
        capacity.add_metric(who, view.capacity)
        subscribers.add_metric(who, view.subscribers)
        readers = session.fanout.subscribers
        queued.add_metric(who, sum(reader.queued_packets for reader in readers))
        queued_size.add_metric(who, sum(reader.queued_bytes for reader in readers))
        if view.recorder is not None:
            for fate in ("recorded", "expired", "displaced"):
                recorded.add_metric([*who, fate], getattr(view.recorder, fate))
            kept.add_metric(who, view.recorder.packets)
            kept_size.add_metric(who, view.recorder.used)
        for direction, accounts in session.network.accounts().items():
            for fate in FATES:
                count = getattr(accounts, fate)
                if fate == "delayed":
                    delayed.add_metric([*who, direction], count.packets)
                    delayed_size.add_metric([*who, direction], count.bytes)
                else:
                    impaired.add_metric([*who, direction, fate], count.packets)
                    impaired_size.add_metric([*who, direction, fate], count.bytes)
    yield from (packets, size, lost, restarts, capacity, subscribers, queued, queued_size)
    yield from (impaired, impaired_size, delayed, delayed_size)
    yield from (recorded, kept, kept_size)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    tags=["system"],
    response_class=Response,
    responses={200: METRICS, **problems()},
)
@needs(TokenScope.METRICS)
async def get_metrics(request: Request, context: ContextOf) -> Response:
    """Get the metrics.

    The answer has all metrics of the service for Prometheus. A token that has only the scope
    `metrics` cannot read anything else.
    """
    registry, metrics = context.registry, cast(Metrics, request.app.state.metrics)
    metrics.service.driver_available = (await registry.driver_view()).unavailable is None
    await registry.sessions.refreshed()
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(metrics.registry), headers={"content-type": content_type})
