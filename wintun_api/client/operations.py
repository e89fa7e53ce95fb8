"""The operations of the API, each as a function that returns its request.

The functions have the names of the `operationId`s in the OpenAPI document, and their arguments
those of its parameters and members. An argument that is None is not sent, so the service's own
default counts. The service checks the values, not the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from wintun_api.client.call import UNSET, Call, Unset, given, path_of, query_of
from wintun_api.client.moments import moment_of

if TYPE_CHECKING:
    from ipaddress import (
        IPv4Address,
        IPv4Interface,
        IPv6Address,
        IPv6Interface,
    )

    from wintun_api.client.moments import Moment
    from wintun_api.schemas.adapters import Adapter, Release, Removal
    from wintun_api.schemas.captures import Capture, Keep, Rotate, Stop, Trigger
    from wintun_api.schemas.clients import ConnectedClient
    from wintun_api.schemas.filters import FilterVerdict
    from wintun_api.schemas.impairment import (
        Impairment,
        Match,
        Preset,
        Rule,
        Scenario,
        SessionImpairment,
    )
    from wintun_api.schemas.network import Route
    from wintun_api.schemas.networks import Network, NetworkHost
    from wintun_api.schemas.recorder import Recorder
    from wintun_api.schemas.sessions import InjectionReport, Session
    from wintun_api.schemas.system import Driver, Health, System
    from wintun_api.schemas.tokens import CreatedToken, Token

Guid: TypeAlias = "UUID | str"
Addresses: TypeAlias = "Iterable[str | IPv4Interface | IPv6Interface]"
Routes: TypeAlias = "Iterable[Route | Mapping[str, Any]]"
Servers: TypeAlias = "Iterable[str | IPv4Address | IPv6Address]"
Packet: TypeAlias = "bytes | bytearray | memoryview"
OneDirection: TypeAlias = "Impairment | Mapping[str, Any]"
Selection: TypeAlias = "Match | Mapping[str, Any]"
Timetable: TypeAlias = "Scenario | Mapping[str, Any]"
StopConditions: TypeAlias = "Stop | Mapping[str, Any]"
Rotation: TypeAlias = "Rotate | Mapping[str, Any]"
Retention: TypeAlias = "Keep | Mapping[str, Any]"
TriggerRule: TypeAlias = "Trigger | Mapping[str, Any]"
Hosts: TypeAlias = "Iterable[NetworkHost | Mapping[str, Any]]"
Rules: TypeAlias = "Iterable[Rule | Mapping[str, Any]]"


def get_health() -> Call[Health]:
    """`GET /noauth/health`."""
    return Call("get_health", "GET", "/noauth/health", "system.Health", open=True)


def get_system() -> Call[System]:
    """`GET /v1/system`."""
    return Call("get_system", "GET", "/v1/system", "system.System")


def get_driver() -> Call[Driver]:
    """`GET /v1/driver`."""
    return Call("get_driver", "GET", "/v1/driver", "system.Driver")


def delete_driver() -> Call[Removal]:
    """`DELETE /v1/driver`."""
    return Call("delete_driver", "DELETE", "/v1/driver", "adapters.Removal")


def list_tokens() -> Call[list[Token]]:
    """`GET /v1/tokens`."""
    return Call("list_tokens", "GET", "/v1/tokens", "[tokens.Token]")


def create_token(
    scopes: Iterable[str], *, label: str | None = None, expires_in: float | None = None
) -> Call[CreatedToken]:
    """`POST /v1/tokens`."""
    body = given(scopes=scopes, label=label, expires_in=expires_in)
    return Call("create_token", "POST", "/v1/tokens", "tokens.CreatedToken", body=body)


def revoke_token(token_id: str) -> Call[None]:
    """`DELETE /v1/tokens/{token_id}`."""
    return Call("revoke_token", "DELETE", path_of("v1", "tokens", token_id), "nothing")


def list_clients() -> Call[list[ConnectedClient]]:
    """`GET /v1/clients`."""
    return Call("list_clients", "GET", "/v1/clients", "[clients.ConnectedClient]")


def disconnect_client(client_id: str) -> Call[None]:
    """`DELETE /v1/clients/{client_id}`."""
    return Call("disconnect_client", "DELETE", path_of("v1", "clients", client_id), "nothing")


def sign_out() -> Call[None]:
    """`POST /v1/sign-out`."""
    return Call("sign_out", "POST", "/v1/sign-out", "nothing")


def list_adapters(*, pool: str | None = None) -> Call[list[Adapter]]:
    """`GET /v1/adapters`."""
    query = query_of(pool=pool)
    return Call("list_adapters", "GET", "/v1/adapters", "[adapters.Adapter]", query=query)


def create_adapter(
    name: str,
    *,
    pool: str | None = None,
    requested_guid: Guid | None = None,
    mtu: int | None = None,
    addresses: Addresses | None = None,
    metric: int | Unset | None = UNSET,
    routes: Routes | None = None,
    dns: Servers | None = None,
    dns_search: Iterable[str] | None = None,
    if_exists: str | None = None,
) -> Call[Adapter]:
    """`POST /v1/adapters`."""
    body = given(
        name=name,
        pool=pool,
        requested_guid=requested_guid,
        mtu=mtu,
        addresses=addresses,
        metric=metric,
        routes=routes,
        dns=dns,
        dns_search=dns_search,
        if_exists=if_exists,
    )
    if metric is None:
        body["metric"] = None
    return Call("create_adapter", "POST", "/v1/adapters", "adapters.Adapter", body=body)


def open_adapter(name: str, *, pool: str | None = None) -> Call[Adapter]:
    """`POST /v1/adapters/open`."""
    body = given(name=name, pool=pool)
    return Call("open_adapter", "POST", "/v1/adapters/open", "adapters.Adapter", body=body)


def get_adapter(guid: Guid) -> Call[Adapter]:
    """`GET /v1/adapters/{guid}`."""
    return Call("get_adapter", "GET", path_of("v1", "adapters", guid), "adapters.Adapter")


def update_adapter(
    guid: Guid,
    *,
    name: str | None = None,
    mtu: int | None = None,
    addresses: Addresses | None = None,
    metric: int | Unset | None = UNSET,
    routes: Routes | None = None,
    dns: Servers | None = None,
    dns_search: Iterable[str] | None = None,
) -> Call[Adapter]:
    """`PATCH /v1/adapters/{guid}`."""
    body = given(
        name=name,
        mtu=mtu,
        addresses=addresses,
        metric=metric,
        routes=routes,
        dns=dns,
        dns_search=dns_search,
    )
    if metric is None:
        body["metric"] = None
    path = path_of("v1", "adapters", guid)
    return Call("update_adapter", "PATCH", path, "adapters.Adapter", body=body)


def delete_adapter(guid: Guid, *, force: bool | None = None) -> Call[Removal]:
    """`DELETE /v1/adapters/{guid}`."""
    path, query = path_of("v1", "adapters", guid), query_of(force=force)
    return Call("delete_adapter", "DELETE", path, "adapters.Removal", query=query)


def restore_adapter(guid: Guid) -> Call[Adapter]:
    """`POST /v1/adapters/{guid}/restore`."""
    path = path_of("v1", "adapters", guid, "restore")
    return Call("restore_adapter", "POST", path, "adapters.Adapter")


def release_adapter(guid: Guid) -> Call[Release]:
    """`POST /v1/adapters/{guid}/release`."""
    path = path_of("v1", "adapters", guid, "release")
    return Call("release_adapter", "POST", path, "adapters.Release")


def delete_pool(pool: str) -> Call[Removal]:
    """`DELETE /v1/pools/{pool}`."""
    return Call("delete_pool", "DELETE", path_of("v1", "pools", pool), "adapters.Removal")


def list_sessions() -> Call[list[Session]]:
    """`GET /v1/sessions`."""
    return Call("list_sessions", "GET", "/v1/sessions", "[sessions.Session]")


def start_session(
    adapter: Guid, *, capacity: int | None = None, offload: bool | None = None
) -> Call[Session]:
    """`POST /v1/sessions`."""
    body = given(adapter=adapter, capacity=capacity, offload=offload)
    return Call("start_session", "POST", "/v1/sessions", "sessions.Session", body=body)


def get_session(session_id: str) -> Call[Session]:
    """`GET /v1/sessions/{session_id}`."""
    return Call("get_session", "GET", path_of("v1", "sessions", session_id), "sessions.Session")


def end_session(session_id: str) -> Call[Session]:
    """`DELETE /v1/sessions/{session_id}`."""
    return Call("end_session", "DELETE", path_of("v1", "sessions", session_id), "sessions.Session")


def get_impairment(session_id: str) -> Call[SessionImpairment]:
    """`GET /v1/sessions/{session_id}/impairment`."""
    path = path_of("v1", "sessions", session_id, "impairment")
    return Call("get_impairment", "GET", path, "impairment.SessionImpairment")


def set_impairment(
    session_id: str,
    *,
    match: Selection | None = None,
    preset: str | None = None,
    received: OneDirection | None = None,
    injected: OneDirection | None = None,
    scenario: Timetable | None = None,
    seed: int | None = None,
    on_change: str | None = None,
    rules: Rules | None = None,
) -> Call[SessionImpairment]:
    """`PUT /v1/sessions/{session_id}/impairment`."""
    body = given(
        sparse=True,  # a direction that a step leaves out stays as it was; null ends it
        match=match,
        preset=preset,
        received=received,
        injected=injected,
        scenario=scenario,
        seed=seed,
        on_change=on_change,
        rules=rules,
    )
    path = path_of("v1", "sessions", session_id, "impairment")
    return Call("set_impairment", "PUT", path, "impairment.SessionImpairment", body=body)


def remove_impairment(session_id: str) -> Call[SessionImpairment]:
    """`DELETE /v1/sessions/{session_id}/impairment`."""
    path = path_of("v1", "sessions", session_id, "impairment")
    return Call("remove_impairment", "DELETE", path, "impairment.SessionImpairment")


def list_impairment_presets() -> Call[list[Preset]]:
    """`GET /v1/impairments/presets`."""
    path = "/v1/impairments/presets"
    return Call("list_impairment_presets", "GET", path, "[impairment.Preset]")


def inject_packets(session_id: str, packets: Packet | Iterable[Packet]) -> Call[InjectionReport]:
    """`POST /v1/sessions/{session_id}/packets`: one packet as it is, several as a batch.

    Raises:
        TypeError: A packet is not bytes.
        struct.error: One of several packets is longer than 65535 bytes.
    """
    from wintun_api.wire import BATCH_TYPE, RAW_TYPE, Batch, pack

    if isinstance(packets, bytes | bytearray | memoryview):
        content, content_type = bytes(packets), RAW_TYPE
    else:
        several = [memoryview(one).tobytes() for one in packets]
        content, content_type = pack(Batch(several)), BATCH_TYPE
    return Call(
        "inject_packets",
        "POST",
        path_of("v1", "sessions", session_id, "packets"),
        "sessions.InjectionReport",
        content=content,
        content_type=content_type,
    )


def capture_packets(
    session_id: str,
    *,
    direction: str | None = None,
    tap: str | None = None,
    snaplen: int | None = None,
    packets: int | None = None,
    seconds: float | None = None,
    filter: str | None = None,  # noqa: A002 - the name of the parameter
    marks: bool | None = None,
) -> Call[bytes]:
    """`GET /v1/sessions/{session_id}/capture.pcapng`."""
    return Call(
        "capture_packets",
        "GET",
        path_of("v1", "sessions", session_id, "capture.pcapng"),
        "application/x-pcapng",
        query=query_of(
            direction=direction,
            tap=tap,
            snaplen=snaplen,
            packets=packets,
            seconds=seconds,
            filter=filter,
            marks=marks,
        ),
    )


def capture_adapters(
    adapter: Iterable[Guid] | None = None,
    *,
    pool: str | None = None,
    direction: str | None = None,
    tap: str | None = None,
    snaplen: int | None = None,
    packets: int | None = None,
    seconds: float | None = None,
    filter: str | None = None,  # noqa: A002 - the name of the parameter
    marks: bool | None = None,
) -> Call[bytes]:
    """`GET /v1/capture.pcapng`."""
    return Call(
        "capture_adapters",
        "GET",
        "/v1/capture.pcapng",
        "application/x-pcapng",
        query=query_of(
            adapter=None if adapter is None else [str(one) for one in adapter],
            pool=pool,
            direction=direction,
            tap=tap,
            snaplen=snaplen,
            packets=packets,
            seconds=seconds,
            filter=filter,
            marks=marks,
        ),
    )


def check_filter(filter: str) -> Call[FilterVerdict]:  # noqa: A002 - the name of the member
    """`POST /v1/filters/check`."""
    body = given(filter=filter)
    return Call("check_filter", "POST", "/v1/filters/check", "filters.FilterVerdict", body=body)


def get_recorder(session_id: str) -> Call[Recorder]:
    """`GET /v1/sessions/{session_id}/recorder`."""
    path = path_of("v1", "sessions", session_id, "recorder")
    return Call("get_recorder", "GET", path, "recorder.Recorder")


def set_recorder(
    session_id: str,
    *,
    seconds: float | None = None,
    bytes: int | None = None,  # noqa: A002 - the name of the member
) -> Call[Recorder]:
    """`PUT /v1/sessions/{session_id}/recorder`."""
    path = path_of("v1", "sessions", session_id, "recorder")
    body = given(seconds=seconds, bytes=bytes)
    return Call("set_recorder", "PUT", path, "recorder.Recorder", body=body)


def remove_recorder(session_id: str) -> Call[Recorder]:
    """`DELETE /v1/sessions/{session_id}/recorder`."""
    path = path_of("v1", "sessions", session_id, "recorder")
    return Call("remove_recorder", "DELETE", path, "recorder.Recorder")


def read_recorder(
    session_id: str,
    *,
    since: Moment | None = None,
    until: Moment | None = None,
    direction: str | None = None,
    filter: str | None = None,  # noqa: A002 - the name of the parameter
) -> Call[bytes]:
    """`GET /v1/sessions/{session_id}/recorder.pcapng`."""
    return Call(
        "read_recorder",
        "GET",
        path_of("v1", "sessions", session_id, "recorder.pcapng"),
        "application/x-pcapng",
        query=query_of(
            since=moment_of(since, "since"),
            until=moment_of(until, "until"),
            direction=direction,
            filter=filter,
        ),
    )


def list_captures() -> Call[list[Capture]]:
    """`GET /v1/captures`."""
    return Call("list_captures", "GET", "/v1/captures", "[captures.Capture]")


def create_capture(
    name: str | None = None,
    *,
    adapters: Iterable[Guid] | None = None,
    pool: str | None = None,
    direction: str | None = None,
    filter: str | None = None,  # noqa: A002 - the name of the member
    snaplen: int | None = None,
    marks: bool | None = None,
    stop: StopConditions | None = None,
    rotate: Rotation | None = None,
    keep: Retention | None = None,
    trigger: TriggerRule | None = None,
) -> Call[Capture]:
    """`POST /v1/captures`."""
    body = given(
        name=name,
        adapters=None if adapters is None else [str(one) for one in adapters],
        pool=pool,
        direction=direction,
        filter=filter,
        snaplen=snaplen,
        marks=marks,
        stop=stop,
        rotate=rotate,
        keep=keep,
        trigger=trigger,
    )
    return Call("create_capture", "POST", "/v1/captures", "captures.Capture", body=body)


def get_capture(capture_id: str) -> Call[Capture]:
    """`GET /v1/captures/{capture_id}`."""
    return Call("get_capture", "GET", path_of("v1", "captures", capture_id), "captures.Capture")


def stop_capture(capture_id: str) -> Call[Capture]:
    """`POST /v1/captures/{capture_id}/stop`."""
    path = path_of("v1", "captures", capture_id, "stop")
    return Call("stop_capture", "POST", path, "captures.Capture")


def trigger_capture(capture_id: str) -> Call[Capture]:
    """`POST /v1/captures/{capture_id}/trigger`."""
    path = path_of("v1", "captures", capture_id, "trigger")
    return Call("trigger_capture", "POST", path, "captures.Capture")


def delete_capture(capture_id: str) -> Call[Capture]:
    """`DELETE /v1/captures/{capture_id}`."""
    path = path_of("v1", "captures", capture_id)
    return Call("delete_capture", "DELETE", path, "captures.Capture")


def download_capture_file(capture_id: str, number: int) -> Call[bytes]:
    """`GET /v1/captures/{capture_id}/files/{number}`."""
    path = path_of("v1", "captures", capture_id, "files", str(number))
    return Call("download_capture_file", "GET", path, "application/x-pcapng")


def stream_events(*, since: int | None = None) -> Call[bytes]:
    """`GET /v1/events`."""
    query = query_of(since=since)
    return Call("stream_events", "GET", "/v1/events", "text/event-stream", query=query)


def list_networks() -> Call[list[Network]]:
    """`GET /v1/networks`."""
    return Call("list_networks", "GET", "/v1/networks", "[networks.Network]")


def set_network(
    network: str,
    *,
    host: str,
    hosts: Hosts,
    connected: bool | None = None,
    more_hosts: int | None = None,
) -> Call[Network]:
    """`PUT /v1/networks/{network}`."""
    body = given(host=host, hosts=hosts, connected=connected, more_hosts=more_hosts)
    path = path_of("v1", "networks", network)
    return Call("set_network", "PUT", path, "networks.Network", body=body)


def get_metrics() -> Call[str]:
    """`GET /metrics`."""
    return Call("get_metrics", "GET", "/metrics", "text")
