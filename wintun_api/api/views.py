"""Turn what the hub says into models, and models into what the hub takes.

The models of `schemas` know neither the hub nor the drivers, so that a client can import them
alone. This module knows all three.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from wintun_api.api.capture_views import capture_of
from wintun_api.api.impairment_summary import marking
from wintun_api.api.impairment_views import impairment_of, step_of
from wintun_api.api.problems import problem_of
from wintun_api.api.tokens import IssuedToken
from wintun_api.choices import DriverGeneration, DriverName, Ends, LogLevel
from wintun_api.drivers import base
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.audit import Change
from wintun_api.hub.events import Event as HubEvent
from wintun_api.hub.holds import HoldView
from wintun_api.hub.impairment.impairment import ImpairmentStep, ImpairmentView
from wintun_api.hub.impairment.reports import ImpairmentLoss, ImpairmentQueue
from wintun_api.hub.injection import Injection
from wintun_api.hub.late import LateFailure, LateRemoval
from wintun_api.hub.losses import SessionLoss
from wintun_api.hub.management import DriverView, SlowCall
from wintun_api.hub.named_captures.view import CaptureView
from wintun_api.hub.network import NetworkSettings, Unmet
from wintun_api.hub.recorder import RecorderView
from wintun_api.hub.session import SessionView
from wintun_api.limits import (
    DEFAULT_RING_CAPACITY,
    MAX_ADDRESSES,
    MAX_PACKET,
    MAX_RING_CAPACITY,
    MAX_ROUTES,
    MAX_SETTINGS,
    MIN_RING_CAPACITY,
)
from wintun_api.moments import time_of
from wintun_api.schemas import events as event_models
from wintun_api.schemas.adapters import (
    Adapter,
    AdapterCreate,
    AdapterState,
    AdapterUpdate,
    IpVersion,
)
from wintun_api.schemas.events import (
    Audit,
    DriverLine,
    Event,
    Failure,
    Hold,
    LateRemovalDone,
    Loss,
)
from wintun_api.schemas.model import Model
from wintun_api.schemas.network import Difference, Members, Route, Wanted
from wintun_api.schemas.problem import Problem
from wintun_api.schemas.recorder import Recorder, RecorderRemoval
from wintun_api.schemas.sessions import InjectionReport, Lost, Session, SessionCounters, Traffic
from wintun_api.schemas.system import (
    CallInProgress,
    Capabilities,
    Driver,
    Limits,
    UnavailableReason,
)
from wintun_api.schemas.tokens import Token
from wintun_api.settings import Settings


def created_settings(body: AdapterCreate) -> NetworkSettings:
    """Return the settings that the request names; None where it names none."""
    named = body.model_fields_set
    return NetworkSettings(
        mtu=body.mtu,
        addresses=tuple(body.addresses) if "addresses" in named else None,
        metric="automatic" if "metric" in named and body.metric is None else body.metric,
        routes=_driver_routes(body.routes) if "routes" in named else None,
        dns=tuple(body.dns) if "dns" in named else None,
        dns_search=tuple(body.dns_search) if "dns_search" in named else None,
    )


def updated_settings(body: AdapterUpdate) -> NetworkSettings:
    """Return the settings to change. A list that is empty is set, one that is missing is kept."""
    automatic = "metric" in body.model_fields_set and body.metric is None
    return NetworkSettings(
        mtu=body.mtu,
        addresses=None if body.addresses is None else tuple(body.addresses),
        metric="automatic" if automatic else body.metric,
        routes=None if body.routes is None else _driver_routes(body.routes),
        dns=None if body.dns is None else tuple(body.dns),
        dns_search=None if body.dns_search is None else tuple(body.dns_search),
    )


def adapter_of(view: AdapterView) -> Adapter:
    """Return the adapter that a view of the registry describes."""
    info = view.info
    return Adapter(
        guid=info.guid,
        name=info.name,
        pool=info.pool,
        luid=info.luid,
        interface_index=info.interface_index,
        interface_name=info.interface_name,
        wintun_name=info.wintun_name or info.name,
        mtu=info.mtu,
        addresses=[str(address) for address in info.addresses],
        families=[IpVersion(version) for version in info.families],
        metric=info.metric,
        routes=[_route_of(route) for route in info.routes],
        other_routes=[_route_of(route) for route in info.other_routes],
        other_routes_total=info.other_routes_total,
        dns=[str(server) for server in info.dns],
        dns_search=list(info.dns_search),
        wanted=None if view.wanted is None else wanted_of(view.wanted),
        difference=None if view.wanted is None else difference_of(view.wanted),
        state=_state_of(view),
        unavailable=info.unavailable or None,
        link_up=info.link_up,
        persistent=info.persistent,
        managed=view.managed,
        orphan=info.orphan,
        session=view.session,
        reboot_required=view.reboot_required,
    )


def wanted_of(unmet: Unmet) -> Wanted:
    """Return the settings that do not hold, as the hub found them."""
    settings = unmet.settings
    given = _lists_of(settings)
    if settings.mtu is not None:
        given["mtu"] = settings.mtu
    if settings.metric is not None:
        given["metric"] = None if settings.metric == "automatic" else settings.metric
    if unmet.link_up is not None:
        given["link_up"] = unmet.link_up
    if unmet.marks:
        given["marks"] = list(unmet.marks)
    return Wanted(**given)


def difference_of(unmet: Unmet) -> Difference | None:
    """Return the lists that differ, as the hub found them; None if no list differs."""
    missing, extra = _lists_of(unmet.missing), _lists_of(unmet.extra)
    if not missing and not extra:
        return None
    return Difference(missing=Members(**missing), extra=Members(**extra))


def session_of(view: SessionView) -> Session:
    """Return the session that a view of the hub describes."""
    counters, hold, impaired = view.counters, view.hold, view.impairment
    if hold is not None and hold.session != view.id:  # of a later session of the adapter
        hold = None
    return Session(
        id=view.id,
        adapter=view.adapter,
        name=view.name,
        capacity=view.capacity,
        offload=view.offload,
        state=view.state,
        reason=view.reason,
        win32_code=view.failed.win32_code if view.failed else None,
        errno=view.failed.errno if view.failed else None,
        started_at=time_of(view.started_ns),
        ended_at=None if view.ended_ns is None else time_of(view.ended_ns),
        restarts=view.restarts,
        handed_before=view.handed_before,
        subscribers=view.subscribers,
        impairment=None if impaired is None else marking(impaired.rules),
        recorder=None if view.recorder is None else recorder_of(view.recorder),
        holders=hold.holders if hold else 0,
        ends=hold.ends if hold else Ends.NOTHING,
        ends_at=None if hold is None or hold.ends_at_ns is None else time_of(hold.ends_at_ns),
        counters=SessionCounters(
            received=Traffic(packets=counters.received_packets, bytes=counters.received_bytes),
            injected=Traffic(packets=counters.injected_packets, bytes=counters.injected_bytes),
            lost=Lost(
                ring=view.ring_lost,
                truncated=counters.truncated,
                unclaimed=counters.received_unclaimed,
                queue=counters.queue_lost,
                ended=counters.ended,
                ring_full=counters.ring_full,
                rejected=dict(counters.rejected),
                refused=dict(counters.refused),
                failed=counters.failed,
            ),
            ring_corrupt=counters.ring_corrupt,
        ),
    )


def recorder_of(view: RecorderView) -> Recorder:
    """Return the recorder that a view of the hub describes."""
    oldest_ns, newest_ns = view.oldest_ns, view.newest_ns
    return Recorder(
        session=view.session,
        adapter=view.adapter,
        seconds=view.seconds,
        bytes=view.bytes,
        set_at=time_of(view.set_ns),
        packets=view.packets,
        used=view.used,
        oldest=None if oldest_ns is None else time_of(oldest_ns),
        newest=None if newest_ns is None else time_of(newest_ns),
        recorded=view.recorded,
        expired=view.expired,
        displaced=view.displaced,
    )


def injection_report_of(injection: Injection) -> InjectionReport:
    """Return the report of an injection by the hub."""
    return InjectionReport(
        accepted=injection.accepted,
        rejected=dict(injection.rejected),
        ring_full=injection.ring_full + len(injection.waiting),
        refused=dict(injection.refused),
    )


def driver_of(view: DriverView, sha256: str | None) -> Driver:
    """Return the driver that a view of the hub describes."""
    version = view.running_version
    return Driver(
        name=DriverName(view.name),
        generation=DriverGeneration(view.capabilities.generation),
        library_path=view.library_path,
        library_sha256=sha256,
        running_version=None if version is None else f"{version[0]}.{version[1]}",
        unavailable=reason_of(view.unavailable),
        capabilities=Capabilities.model_validate(view.capabilities),
        calls=[CallInProgress.model_validate(call) for call in view.calls],
    )


def reason_of(unavailable: base.Unavailable | None) -> UnavailableReason | None:
    """Return the reason why a driver cannot work; None if it works."""
    return None if unavailable is None else UnavailableReason.model_validate(unavailable)


def limits_of(
    settings: Settings, driver: base.Capabilities, max_connections: int | None = None
) -> Limits:
    """Return the limits of a service with these settings and this driver.

    Args:
        settings: The settings.
        driver: The abilities of its driver.
        max_connections: The largest number of connections, if the server knows it.
    """
    return Limits(
        min_capacity=MIN_RING_CAPACITY,
        max_capacity=MAX_RING_CAPACITY,
        default_capacity=DEFAULT_RING_CAPACITY,
        max_packet=MAX_PACKET,
        max_name=driver.max_name,
        max_pool=driver.max_pool,
        max_message=settings.max_message,
        max_settings=MAX_SETTINGS,
        max_addresses=MAX_ADDRESSES,
        max_routes=MAX_ROUTES,
        queue_packets=settings.queue_packets,
        queue_bytes=settings.queue_bytes,
        guesses_per_minute=settings.guesses_per_minute,
        request_timeout=settings.request_timeout,
        idle_timeout=settings.idle_timeout,
        max_connections=max_connections or settings.max_connections,
    )


def token_of(token: IssuedToken) -> Token:
    """Return the token that an entry of the store describes."""
    return Token(
        id=token.id,
        label=token.label,
        scopes=list(token.scopes),
        created_at=datetime.fromtimestamp(token.created, UTC),
        expires_at=None if token.expires is None else datetime.fromtimestamp(token.expires, UTC),
    )


def event_of(event: HubEvent) -> Event:
    """Return the message for an event of the hub.

    Raises:
        TypeError: The event carries a value that has no model.
    """
    # A failure leaves out the members of its problem that do not apply.
    partly = isinstance(event.data, LateFailure)
    data = _event_data(event.data).model_dump(mode="json", exclude_unset=partly)
    return Event(id=event.id, time=time_of(event.time_ns), type=event.type, data=data)


def failure_of(failure: LateFailure) -> Failure:
    """Return the data of the event for a failure in the hub."""
    return Failure(
        operation=failure.operation,
        adapter=failure.adapter,
        name=failure.name,
        pool=failure.pool,
        problem=Problem.model_validate(problem_of(failure.error)),
    )


def hold_of(view: HoldView) -> Hold:
    """Return the data of the events about clients that hold an adapter."""
    return Hold(
        session=view.session,
        adapter=view.adapter,
        holders=view.holders,
        ends=view.ends,
        ends_at=None if view.ends_at_ns is None else time_of(view.ends_at_ns),
    )


def _event_data(data: object) -> Model:
    match data:
        case AdapterView():
            return adapter_of(data)
        case SessionView():
            return session_of(data)
        case SessionLoss():
            return Loss.model_validate(data)
        case CaptureView():
            return capture_of(data)
        case HoldView():
            return hold_of(data)
        case RecorderView(removed=None):
            return recorder_of(data)
        case RecorderView(removed=reason):
            return RecorderRemoval(**dict(recorder_of(data)), reason=reason)
        case ImpairmentView():
            return impairment_of(data)
        case ImpairmentStep():
            return step_of(data)
        case ImpairmentLoss():
            return event_models.ImpairmentLoss.model_validate(data)
        case ImpairmentQueue():
            return event_models.ImpairmentQueue.model_validate(data)
        case base.LogLine():
            return DriverLine(level=LogLevel(data.level.name.lower()), message=data.message)
        case SlowCall():
            return CallInProgress.model_validate(data)
        case LateRemoval():
            return LateRemovalDone.model_validate(data)
        case LateFailure():
            return failure_of(data)
        case Change():
            return Audit.model_validate(data)
    raise TypeError(f"An event carries {type(data).__name__}, which has no schema.")


def _state_of(view: AdapterView) -> AdapterState:
    if view.up:
        return AdapterState.UP
    return AdapterState.UNAVAILABLE if view.info.unavailable else AdapterState.DOWN


def _route_of(route: base.Route) -> Route:
    # Not checked again: the system has the route, and there may be thousands.
    return Route.model_construct(
        destination=route.destination, next_hop=route.next_hop, metric=route.metric
    )


def _driver_routes(routes: list[Route]) -> tuple[base.Route, ...]:
    return tuple(
        base.Route(destination=one.destination, next_hop=one.next_hop, metric=one.metric)
        for one in routes
    )


def _lists_of(settings: NetworkSettings) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if settings.addresses is not None:
        given["addresses"] = [str(address) for address in settings.addresses]
    if settings.routes is not None:
        given["routes"] = [_route_of(route) for route in settings.routes]
    if settings.dns is not None:
        given["dns"] = [str(server) for server in settings.dns]
    if settings.dns_search is not None:
        given["dns_search"] = list(settings.dns_search)
    return given
