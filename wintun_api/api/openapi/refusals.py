"""An example of every problem document, made by the code that sends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from wintun_api import errors
from wintun_api.api import adapters
from wintun_api.api.guesses import Guesses, too_many_guesses
from wintun_api.api.kinds import URN
from wintun_api.api.openapi.examples import ADAPTER_PATH, GUID, ISSUED_ID, SESSION, SESSION_PATH
from wintun_api.api.problems import (
    Refusal,
    http_problem,
    problem_of,
    unexpected_problem,
    validation_problem,
)
from wintun_api.api.routes import Routes
from wintun_api.api.security import Doorkeeper
from wintun_api.api.sign_ins import SignIns
from wintun_api.api.tokens import MAX_TOKENS, TokenStore, draft
from wintun_api.capture.filters.binding import INSTALL
from wintun_api.choices import Scope
from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.limits import check_name
from wintun_api.drivers.windows.devices import DISABLED
from wintun_api.packet.check import check_packet
from wintun_api.schemas.adapters import AdapterCreate
from wintun_api.settings import Settings
from wintun_api.wire import unpack

ADAPTERS = "/v1/adapters"
PACKETS = SESSION_PATH + "/packets"
TOKEN = f"/v1/tokens/{ISSUED_ID}"

NOT_FOUND = errors.AdapterNotFound(GUID)
FAILED = errors.DriverError("WintunCreateAdapter", 0x80070002)
FAILED.log = ("[Wintun] Failed to create device", "The system cannot find the file specified")
UNAVAILABLE = errors.DriverUnavailable(
    UnavailableReason.LIBRARY_NOT_FOUND,
    "There is no wintun.dll where the service looks for it.",
    hint="Put wintun.dll beside the program, or name it with --wintun-dll.",
)

ERRORS: list[tuple[errors.WintunApiError, str]] = [
    (errors.AccessDenied.from_call("WintunCreateAdapter", 5), ADAPTERS),
    (errors.AdapterExists.from_call("WintunCreateAdapter", 183, name="OfficeNet"), ADAPTERS),
    (
        errors.AdapterUnavailable.from_call("WintunStartSession", 2, DISABLED, adapter=GUID),
        "/v1/sessions",
    ),
    (
        errors.AddressExists.from_call(
            "CreateUnicastIpAddressEntry", 5010, "10.6.7.7 is an address of another interface."
        ),
        ADAPTER_PATH,
    ),
    (
        errors.RouteExists.from_call(
            "RTM_NEWROUTE",
            17,
            "0.0.0.0/0: There is a route of metric 0 to it already, into eth0, of protocol dhcp.",
            domain="errno",
        ),
        ADAPTER_PATH,
    ),
    (
        errors.SettingRefused.from_call(
            "RTM_NEWADDR",
            13,
            "fd06:7::7/64: IPv6 is disabled on the adapter (net.ipv6.conf.OfficeNet.disable_ipv6).",
            domain="errno",
        ),
        ADAPTER_PATH,
    ),
    (NOT_FOUND, ADAPTER_PATH),
    (errors.DriverBusy("WintunCreateAdapter", 30), ADAPTERS),
    (errors.OutOfThreads(), "/v1/sessions"),
    (FAILED, ADAPTERS),
    (UNAVAILABLE, ADAPTERS),
    (errors.DriverInUse.from_call("WintunDeleteDriver", 0xE000023D), "/v1/driver"),
    (errors.NotSupported(detail="This generation of Wintun has no pools."), "/v1/pools/WireGuard"),
    (errors.ServiceStopping(), "/v1/system"),
    (errors.SessionEnded(SESSION, "The adapter is gone."), PACKETS),
    (errors.SessionExists(GUID, SESSION), "/v1/sessions"),
    (errors.SessionNotFound(SESSION), SESSION_PATH),
    (errors.ImpairmentNotFound(SESSION), SESSION_PATH + "/impairment"),
    (errors.RecorderNotFound(SESSION), SESSION_PATH + "/recorder"),
    (errors.CaptureNotFound("c0ffee12ab34"), "/v1/captures/c0ffee12ab34"),
    (errors.CaptureOver("c0ffee12ab34"), "/v1/captures/c0ffee12ab34/trigger"),
    (errors.CapturesFull(10 * 2**30, 10_737_418_240), "/v1/captures"),
    (errors.TooManyCaptures("captures", 64), "/v1/captures"),
    (errors.RecordersFull(2**30, 1_006_632_960), SESSION_PATH + "/recorder"),
    (
        errors.InvalidFilter("tcp prot 80", "can't parse filter expression: syntax error", 4),
        SESSION_PATH + "/capture.pcapng",
    ),
    (
        errors.FilterUnavailable(
            "Filters need libpcap, which is not installed for the service.",
            hint=INSTALL,
        ),
        "/v1/filters/check",
    ),
    (errors.FiltersBusy(), "/v1/filters/check"),
    (errors.TooManyReaders(4), SESSION_PATH + "/recorder.pcapng"),
    (
        errors.StorageFailed(
            "The token was not made: writing the file of issued tokens failed (No space left on "
            "device)."
        ),
        "/v1/tokens",
    ),
    (errors.ClientNotFound("a3f1c2d4e5b6"), "/v1/clients/a3f1c2d4e5b6"),
    (errors.TokenNotFound(ISSUED_ID), TOKEN),
    (errors.TooManyTokens(MAX_TOKENS), "/v1/tokens"),
]
STATUSES: list[tuple[HTTPException, str, str]] = [
    (HTTPException(400, "There was an error parsing the body"), "POST", ADAPTERS),
]

HOST = ("host", "127.0.0.1:9886")
JSON = ("content-type", "application/json")


def problem_examples() -> dict[str, dict[str, Any]]:
    """Return a whole problem document for every cause, by the end of its type."""
    problems = [
        *_refused(),
        *(problem_of(error, path) for error, path in [*ERRORS, *_raised()]),
        *(http_problem(error, method, path) for error, method, path in STATUSES),
        _invalid_request(),
        unexpected_problem("1f2e3d4c", "/v1/system"),
    ]
    examples = {
        problem["type"].removeprefix(URN): {"summary": problem["title"], "value": problem}
        for problem in problems
    }
    return dict(sorted(examples.items()))


def _refused() -> Iterator[dict[str, Any]]:
    reader, for_reader = draft([Scope.READ])
    admin, for_admin = draft([Scope.ADMIN])
    tokens = TokenStore("", issued=[for_reader, for_admin])
    defaults = {name: one.default for name, one in Settings.declared().items()}
    guesses = Guesses(defaults["guesses_per_minute"])
    doorkeeper = Doorkeeper(tokens, SignIns(tokens), guesses, frozenset(), defaults["max_message"])
    routes = Routes()
    routes.take(adapters.router)
    refused: list[list[tuple[str, str]]] = [
        [HOST],
        [HOST, ("authorization", f"Bearer {reader}")],
        [("host", "wintun.example.com")],
        [HOST, HOST],
        [HOST, ("origin", "http://wintun.example.com")],
        [HOST, JSON, JSON],
        [HOST, ("content-type", "text/plain")],
        [HOST, ("authorization", f"Bearer {admin}"), JSON, ("content-length", "5000000")],
    ]
    for headers in refused:
        scope = {
            "type": "http",
            "scheme": "http",
            "method": "POST",
            "path": ADAPTERS,
            "headers": [(name.encode(), value.encode()) for name, value in headers],
        }
        try:
            doorkeeper.check(scope, routes.find(scope))
        except Refusal as refusal:
            yield problem_of(refusal, ADAPTERS)
    yield problem_of(too_many_guesses(12), ADAPTERS)


def _raised() -> Iterator[tuple[errors.WintunApiError, str]]:
    try:
        check_name("Office/Net")
    except errors.InvalidArgument as error:
        yield error, ADAPTERS
    try:
        check_packet(b"\x45\x00")
    except errors.InvalidPacket as error:
        yield error, PACKETS
    try:
        unpack(b"WTB1")
    except errors.FrameError as error:
        yield error, PACKETS


def _invalid_request() -> dict[str, Any]:
    body = {"name": "OfficeNet", "addresses": ["10.6.7.7"]}
    try:
        AdapterCreate.model_validate(body)
    except ValidationError as error:
        found = [{**row, "loc": ("body", *row["loc"])} for row in error.errors()]
        return validation_problem(RequestValidationError(found, body=body), ADAPTERS)
    raise AssertionError("10.6.7.7 has no prefix length")
