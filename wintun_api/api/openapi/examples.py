"""Examples of requests and answers, made from the models. They all concern one adapter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from wintun_api import __version__
from wintun_api.api.impairment_views import impairment_of, plan_of, presets
from wintun_api.api.views import limits_of
from wintun_api.choices import (
    CaptureDirection,
    CaptureState,
    ClientKind,
    Direction,
    DriverGeneration,
    DriverName,
    Overflow,
    Scope,
    SessionState,
)
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.generations import CAPABILITIES
from wintun_api.hub.impairment.accounts import Accounts, Count
from wintun_api.hub.impairment.impairment import ImpairmentView, RuleView
from wintun_api.limits import DEFAULT_RING_CAPACITY
from wintun_api.packet.check import TOO_SHORT
from wintun_api.schemas.adapters import (
    Adapter,
    AdapterState,
    IpVersion,
    Release,
    Removal,
)
from wintun_api.schemas.captures import Capture, CaptureFile, Keep, Rotate, Stop
from wintun_api.schemas.clients import ClientQueue, ConnectedClient
from wintun_api.schemas.filters import FilterFault, FilterVerdict
from wintun_api.schemas.impairment import ImpairmentSet
from wintun_api.schemas.model import EXAMPLE_GUID, Model
from wintun_api.schemas.network import Route
from wintun_api.schemas.networks import HostAdapter, HostState, Network, NetworkHost
from wintun_api.schemas.recorder import Recorder
from wintun_api.schemas.sessions import (
    InjectionReport,
    Lost,
    Session,
    SessionCounters,
    Traffic,
)
from wintun_api.schemas.system import Capabilities, Driver, Health, System
from wintun_api.schemas.tokens import CreatedToken, Token
from wintun_api.settings import Settings

GUID = UUID(EXAMPLE_GUID)
SESSION = "5f0c9d1e2b3a"
ISSUED_ID = "9f86d081"
ADAPTER_PATH = f"/v1/adapters/{GUID}"
SESSION_PATH = f"/v1/sessions/{SESSION}"
TIME = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)

ROUTE = Route.model_validate({"destination": "10.0.0.0/8"})
ADAPTER = Adapter(
    guid=GUID,
    name="OfficeNet",
    pool="WireGuard",
    luid=14918173782441984,
    interface_index=7,
    interface_name="OfficeNet",
    wintun_name="OfficeNet",
    mtu=1420,
    addresses=["10.6.7.7/24"],
    families=[IpVersion.IPV4, IpVersion.IPV6],
    metric=None,
    routes=[ROUTE],
    other_routes=[],
    other_routes_total=0,
    dns=["10.6.7.1"],
    dns_search=["example.com"],
    wanted=None,
    difference=None,
    state=AdapterState.UP,
    unavailable=None,
    link_up=True,
    persistent=False,
    managed=True,
    orphan=False,
    session=SESSION,
    reboot_required=False,
)
RUNNING = Session(
    id=SESSION,
    adapter=GUID,
    capacity=DEFAULT_RING_CAPACITY,
    state=SessionState.RUNNING,
    reason=None,
    win32_code=None,
    started_at=TIME,
    ended_at=None,
    restarts=0,
    handed_before=0,
    subscribers=1,
    counters=SessionCounters(
        received=Traffic(packets=1204, bytes=912345),
        injected=Traffic(packets=1198, bytes=880021),
        lost=Lost(
            ring=0,
            truncated=0,
            unclaimed=3,
            queue=0,
            ended=0,
            ring_full=0,
            rejected={},
            refused={},
            failed=0,
        ),
        ring_corrupt=0,
    ),
)
ISSUED = Token(
    id=ISSUED_ID,
    label="grafana",
    scopes=[Scope.READ, Scope.CAPTURE],
    created_at=TIME,
    expires_at=None,
)
CONNECTED = ConnectedClient(
    id="a3f1c2d4e5b6",
    kind=ClientKind.PACKETS,
    token=ISSUED_ID,
    token_label="grafana",  # noqa: S106
    scopes=[Scope.READ, Scope.CAPTURE],
    browser=False,
    own=False,
    address="127.0.0.1",
    port=53412,
    user_agent="Python/3.13 websockets/15.0.1",
    connected_at=TIME,
    subprotocol="v1.batch.wintun-api",
    session=SESSION,
    adapter=GUID,
    adapter_name="OfficeNet",
    direction=Direction.RECEIVED,
    overflow=Overflow.DROP_OLDEST,
    queue=ClientQueue(length=3, bytes=1860, max_length=16384, max_bytes=16_777_216),
    delivered=1042,
    injected=0,
    lost={"queue": 12},
)
SYSTEM = System(
    version=__version__,
    started_at=TIME,
    platform="Windows-11-10.0.26100-SP0",
    architecture="AMD64",
    python="3.13.5",
    native=True,
    libpcap="1.10.6",
    elevated=True,
    driver=DriverName.WINTUN,
    unavailable=None,
    scopes=sorted(Scope),
    limits=limits_of(Settings(), CAPABILITIES[Generation.TUNNEL_TYPE]),
)
DRIVER = Driver(
    name=DriverName.WINTUN,
    generation=DriverGeneration.TUNNEL_TYPE,
    library_path=r"C:\Program Files\wintun-api\wintun.dll",
    library_sha256="e5da8447dc2c320edc0fc52fa01885c103de8c118481f683643cacc3220dafce",
    running_version="0.14",
    unavailable=None,
    capabilities=Capabilities(
        persistent_adapters=False,
        enumerate_pools=False,
        rename=True,
        delete_pool=False,
        delete_driver=True,
        network_settings=True,
        metric=True,
        dns=True,
        force_close=False,
    ),
    calls=[],
)

IMPAIRMENT: dict[str, Any] = {
    "seed": 7,
    "received": {"delay_ms": 60, "jitter_ms": 5, "distribution": "normal", "loss": 0.02},
    "injected": {"rate_bps": 10_000_000, "burst_bytes": 16384},
}
_PLAN = plan_of(ImpairmentSet.model_validate(IMPAIRMENT))
IMPAIRED = impairment_of(
    ImpairmentView(
        session=SESSION,
        adapter=GUID,
        plan=_PLAN,
        set_ns=int(TIME.timestamp()) * 1_000_000_000,
        rules=tuple(map(RuleView.of, _PLAN.rules)),
        received=Accounts(
            offered=Count(1204, 912345),
            delivered=Count(1177, 891822),
            lost=Count(23, 17250),
            delayed=Count(4, 3273),
        ),
        injected=Accounts(offered=Count(1198, 880021), delivered=Count(1198, 880021)),
    )
)

RECORDER = Recorder(
    session=SESSION,
    adapter=GUID,
    seconds=120,
    bytes=64 * 1024 * 1024,
    set_at=TIME,
    packets=81234,
    used=61_208_448,
    oldest=TIME,
    newest=TIME + timedelta(seconds=94),
    recorded=130_977,
    expired=49_743,
    displaced=0,
)
CAPTURE = Capture(
    id="c0ffee12ab34",
    name="office",
    state=CaptureState.RUNNING,
    reason=None,
    detail=None,
    adapters=[GUID],
    pool=None,
    direction=CaptureDirection.BOTH,
    filter="tcp port 443",
    snaplen=0,
    marks=False,
    stop=Stop(seconds=3600),
    rotate=Rotate(bytes=100_000_000),
    keep=Keep(files=10),
    trigger=None,
    created_by="grafana",
    created_at=TIME,
    triggered_at=None,
    ended_at=None,
    interfaces=1,
    packets=204,
    lost=0,
    unwritten=0,
    bytes=182_512,
    files=[
        CaptureFile(
            number=1,
            name="office-00001-20261125T093000Z.pcapng",
            packets=204,
            bytes=182_512,
            first=TIME,
            last=TIME + timedelta(seconds=94),
            complete=False,
        )
    ],
    deleted_files=0,
)

NETWORK = Network(
    name="lab",
    host="ab3kq7x2mzpd",
    connected=True,
    reported_at=TIME,
    hosts=[
        NetworkHost(
            id="ab3kq7x2mzpd",
            name="hub",
            state=HostState.ATTACHED,
            adapter=ADAPTER.name,
            prefixes=["10.6.7.7/32"],
            adapters=[
                HostAdapter(name=ADAPTER.name, state="up", addresses=["10.6.7.7/24"], received=7)
            ],
            version=__version__,
            system="Linux 6.12",
            driver="linux",
            sent=7,
            lost={"no_route": 3},
            clock_offset_ms=1.5,
            since=TIME,
            seen=TIME,
        )
    ],
    more_hosts=0,
)

# An example of each answer, by its model.
ANSWERS: tuple[Model, ...] = (
    Health(status="ok"),
    SYSTEM,
    DRIVER,
    ADAPTER,
    RUNNING,
    CONNECTED,
    ISSUED,
    CreatedToken(**ISSUED.model_dump(), token="kT0gQd4yq7m1W2r8vYb3n6Xc5Zs9LpHf0aJtEuRiOo4"),  # noqa: S106
    InjectionReport(accepted=2, rejected={TOO_SHORT: 1}, ring_full=0, refused={}),
    Removal(reboot_required=False),
    Release(exists=True),
    IMPAIRED,
    next(preset for preset in presets() if preset.name == "3g"),
    FilterVerdict(
        valid=False,
        error=FilterFault(message="can't parse filter expression: syntax error", offset=4),
    ),
    RECORDER,
    CAPTURE,
    NETWORK,
)

# Examples of request bodies: operationId -> name of the example -> body.
BODIES: dict[str, dict[str, dict[str, Any]]] = {
    "create_adapter": {
        "minimal": {"name": "OfficeNet"},
        "tunnel": {
            "name": "OfficeNet",
            "pool": "WireGuard",
            "requested_guid": EXAMPLE_GUID,
            "mtu": 1420,
            "addresses": ["10.6.7.7/24"],
            "routes": [{"destination": "10.0.0.0/8"}],
            "dns": ["10.6.7.1"],
            "dns_search": ["example.com"],
        },
    },
    "open_adapter": {"open": {"name": "OfficeNet", "pool": "WireGuard"}},
    "update_adapter": {
        "rename": {"name": "HomeNet"},
        "addresses": {"mtu": 1280, "addresses": ["10.6.7.7/24", "fd06:7::7/64"]},
        "automatic-metric": {"metric": None},
    },
    "start_session": {
        "default": {"adapter": EXAMPLE_GUID},
        "large-ring": {"adapter": EXAMPLE_GUID, "capacity": 0x2000000},
        "offload": {"adapter": EXAMPLE_GUID, "offload": True},
    },
    "set_impairment": {
        "delay-and-loss": IMPAIRMENT,
        "one-flow": {
            "seed": 7,
            "match": {"protocol": "udp", "port": 53},
            "received": {"loss": 0.5},
            "injected": {"delay_ms": 2000},
        },
        "rules": {
            "seed": 7,
            "rules": [
                {"match": {"protocol": "tcp", "port": 22}},
                {"match": {"address": "10.9.0.0/24"}, "preset": "satellite-geo"},
                {"injected": {"gilbert_elliott": {"p": 0.01, "r": 0.25}}},
            ],
        },
        "scenario": {
            "seed": 7,
            "scenario": {
                "steps": [
                    {"at": 0, "received": {"delay_ms": 20}, "injected": {"delay_ms": 20}},
                    {"at": 10, "ramp": 5, "received": {"delay_ms": 200, "loss": 0.1}},
                    {"at": 20, "received": {"blackout": True}, "injected": {"blackout": True}},
                ],
                "loop": True,
                "length": 22,
            },
        },
        "preset": {"preset": "3g", "seed": 7},
    },
    "check_filter": {"wrong": {"filter": "tcp prot 80"}},
    "set_recorder": {"two-minutes": {"seconds": 120, "bytes": 67108864}},
    "create_capture": {
        "one-adapter": {
            "name": "office",
            "adapters": [EXAMPLE_GUID],
            "filter": "tcp port 443",
            "stop": {"seconds": 3600},
        },
        "rotated": {
            "name": "week",
            "rotate": {"bytes": 100000000, "seconds": 3600},
            "keep": {"files": 168, "bytes": 10000000000},
        },
        "around-a-loss": {
            "name": "losses",
            "trigger": {"on": "loss", "before": 30, "after": 10},
        },
    },
    "set_network": {
        "one-host": NETWORK.model_dump(mode="json", include={"host", "connected", "hosts"})
    },
    "create_token": {
        "read-only": {"scopes": ["read"], "label": "grafana"},
        "one-day": {"scopes": ["capture", "inject"], "label": "bridge", "expires_in": 86400},
    },
}
