"""Map errors to `application/problem+json` (RFC 9457) and WebSocket close codes in one table."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from wintun_api import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
URN = "urn:wintun-api:problem:"

# Our own close codes (RFC 6455 leaves 4000 to 4999 to applications).
CLOSE_TOKEN = 4001
CLOSE_SCOPE = 4003
CLOSE_NO_SESSION = 4004
CLOSE_SLOW = 4008
CLOSE_ENDED = 4009
CLOSE_BAD_FRAME = 4010
CLOSE_GOING_AWAY = 1001
CLOSE_INTERNAL = 1011


@dataclass(frozen=True, slots=True)
class Kind:
    """Hold a cause: the end of its `type`, its title, its HTTP status and its close code."""

    slug: str
    title: str
    status: int
    close_code: int = CLOSE_INTERNAL


KINDS: dict[type[Exception], Kind] = {
    errors.InvalidArgument: Kind("invalid-argument", "Invalid argument", 422),
    errors.InvalidPacket: Kind("invalid-packet", "Not an IP packet", 422, CLOSE_BAD_FRAME),
    errors.FrameError: Kind("bad-frame", "Not a batch frame", 422, CLOSE_BAD_FRAME),
    errors.DriverUnavailable: Kind("driver-unavailable", "Driver unavailable", 503),
    errors.DriverBusy: Kind("driver-busy", "Driver busy", 504),
    errors.OutOfThreads: Kind("out-of-threads", "Out of threads", 503),
    errors.SessionNotFound: Kind("session-not-found", "No such session", 404, CLOSE_NO_SESSION),
    errors.ServiceStopping: Kind("stopping", "Service stopping", 503, CLOSE_GOING_AWAY),
    errors.TokenEnded: Kind("unauthorized", "Unauthorized", 401, CLOSE_TOKEN),
    errors.StorageFailed: Kind("storage-failed", "Storage failed", 503),
    errors.AccessDenied: Kind("access-denied", "Access denied by the system", 403),
    errors.AdapterNotFound: Kind("adapter-not-found", "No such adapter", 404, CLOSE_NO_SESSION),
    errors.AdapterUnavailable: Kind("adapter-unavailable", "Adapter unavailable", 409),
    errors.AdapterExists: Kind("adapter-exists", "Adapter exists", 409),
    errors.AddressExists: Kind("address-exists", "Address exists", 409),
    errors.RouteExists: Kind("route-exists", "Route exists", 409),
    errors.SettingRefused: Kind("setting-refused", "Setting refused by the system", 422),
    errors.DriverInUse: Kind("driver-in-use", "Driver in use", 409),
    errors.SessionExists: Kind("session-exists", "Session exists", 409),
    errors.SessionEnded: Kind("session-ended", "Session ended", 409, CLOSE_ENDED),
    errors.RingFull: Kind("ring-full", "Send ring full", 503),
    errors.RingCorrupt: Kind("ring-corrupt", "Receive ring corrupt", 500),
    errors.NotSupported: Kind("not-supported", "Not supported", 501),
    errors.DriverError: Kind("driver-error", "Driver call failed", 502),
}
VALIDATION = Kind("invalid-request", "Invalid request", 422)
INTERNAL = Kind("internal", "Internal error", 500)
# Refusals by the framework. The phrases are those of RFC 9110; Python's depend on its version.
HTTP_KINDS = {
    400: Kind("bad-request", "Bad Request", 400),
    401: Kind("unauthorized", "Unauthorized", 401),
    403: Kind("forbidden", "Forbidden", 403),
    404: Kind("not-found", "Not Found", 404),
    405: Kind("method-not-allowed", "Method Not Allowed", 405),
    409: Kind("conflict", "Conflict", 409),
    413: Kind("content-too-large", "Content Too Large", 413),
    415: Kind("unsupported-media-type", "Unsupported Media Type", 415),
    429: Kind("too-many-requests", "Too Many Requests", 429),
}


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Refuse a request before it reaches a route."""

    status: int
    slug: str
    detail: str
    hint: str
    close_code: int = CLOSE_INTERNAL
    headers: tuple[tuple[str, str], ...] = ()

    def problem(self, instance: str) -> dict[str, Any]:
        """Return the problem document."""
        return document(
            self.slug,
            http_kind(self.status).title,
            self.status,
            self.detail,
            instance=instance,
            hint=self.hint,
        )


def document(
    slug: str, title: str, status: int, detail: str, *, instance: str, hint: str, **more: Any
) -> dict[str, Any]:
    """Return a problem document; members that are None or empty are left out."""
    members = {
        "type": URN + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "hint": hint,
        **more,
    }
    return {key: value for key, value in members.items() if value not in (None, "", (), [])}


def kind_of(error: Exception) -> Kind:
    """Return the table's row for an error: that of its class or its nearest base class."""
    for cls in type(error).__mro__:
        if cls in KINDS:
            return KINDS[cls]
    return INTERNAL


def http_kind(status: int) -> Kind:
    """Return the row for an HTTP status that does not come from our own errors."""
    phrase = HTTPStatus(status).phrase
    return HTTP_KINDS.get(status) or Kind(phrase.lower().replace(" ", "-"), phrase, status)


def close_code(error: Exception) -> int:
    """Return the WebSocket close code for an error."""
    return kind_of(error).close_code


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal of a WebSocket for which this error occurred before it was accepted."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationError | WebSocketRequestValidationError):
        detail = "; ".join(f"{item['loc'][-1]}: {item['msg']}" for item in error.errors())
        hint = "Correct the named query parameters and connect again."
        return Refusal(VALIDATION.status, VALIDATION.slug, detail, hint)
    kind = kind_of(error)
    hint = error.hint if isinstance(error, errors.WintunApiError) else ""
    return Refusal(kind.status, kind.slug, str(error), hint, kind.close_code)


def problem_of(error: errors.WintunApiError, instance: str = "") -> dict[str, Any]:
    """Return the problem document of one of our errors; `instance` is the path of a request."""
    kind = kind_of(error)
    more: dict[str, Any] = {}
    if isinstance(error, errors.DriverError):
        more["function"] = error.function
        more |= _numbers(error)
        more["log"] = list(error.log)
    elif isinstance(error, errors.DriverUnavailable):
        more["reason"] = error.reason
    elif isinstance(error, errors.InvalidArgument):
        more["field"] = error.field
    elif isinstance(error, errors.InvalidPacket | errors.FrameError):
        more["reason"] = error.reason
    return document(
        kind.slug, kind.title, kind.status, str(error), instance=instance, hint=error.hint, **more
    )


def _numbers(error: errors.DriverError) -> dict[str, Any]:
    """Return the error number as the driver gave it, and in its other common forms."""
    if error.domain == "errno":
        return {"errno": error.code}
    if error.domain == "configret":
        return {"configret": f"0x{error.code:08X}"}
    more: dict[str, Any] = {"win32_code": error.code, "win32_code_hex": f"0x{error.code:08X}"}
    kind = errors.kind_of_code(error.code)
    if kind is not errors.CodeKind.WIN32:
        more["code_kind"] = kind.value
    if error.carried != error.code:
        more["carried_win32_code"] = error.carried
    return more


def response(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Return the HTTP response that carries a problem document."""
    return JSONResponse(problem, problem["status"], headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make the app answer every error with a problem document."""
    app.add_exception_handler(errors.WintunApiError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_unexpected)


UNION_MEMBERS = frozenset({"int", "str", "float", "bool", "uuid"})

HTTP_HINTS = {
    400: "Send a JSON document in UTF-8.",
    404: "The routes are listed at /docs and in /openapi.json.",
    409: "Revoke a token that you no longer need, then send the request again.",
    405: "Use one of the methods that the Allow header lists; /docs describes them.",
    413: "Send less at a time, or use the WebSocket.",
    415: "Send application/json, or for packets one of the two types that /docs lists.",
}


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.WintunApiError)
    return response(problem_of(error, request.url.path))


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return response(validation_problem(error, request.url.path))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = http_problem(error, request.method, request.scope["path"])
    return response(problem, dict(error.headers or {}))


def validation_problem(error: RequestValidationError, instance: str) -> dict[str, Any]:
    """Return the problem document of a request that does not match its schema."""
    found = [
        {"field": _field(item["loc"]), "message": item["msg"].removeprefix("Value error, ")}
        for item in error.errors()
        if item["loc"][-1] != "none"  # "or nothing at all" does not help
    ]
    return document(
        VALIDATION.slug,
        VALIDATION.title,
        VALIDATION.status,
        "; ".join(f"{item['field']}: {item['message']}" for item in found),
        instance=instance,
        hint="Correct the fields named in errors and send the request again.",
        errors=found,
    )


def http_problem(error: HTTPException, method: str, path: str) -> dict[str, Any]:
    """Return the problem document of a request that was refused with a plain status."""
    status = error.status_code
    kind = http_kind(status)
    detail = str(error.detail)
    if detail == HTTPStatus(status).phrase:
        detail = f"{kind.title}: {method} {path}"
    hint = HTTP_HINTS.get(status, "")
    return document(kind.slug, kind.title, status, detail, instance=path, hint=hint)


def _field(place: tuple[int | str, ...]) -> str:
    """Return the place of a value in the request, without pydantic's names of union members."""
    names = [
        str(part)
        for part in place[1:]
        if isinstance(part, int)
        or (part.replace("-", "_").isidentifier() and part not in UNION_MEMBERS)
    ]
    return ".".join(names) or str(place[0])


async def _on_unexpected(request: Request, error: Exception) -> Response:
    reference = uuid4().hex[:8]
    # The route's own path is logged: the request's path may contain a token.
    route = getattr(request.scope.get("route"), "path_format", "no route")
    logger.error("Unexpected error %s in %s %s", reference, request.method, route, exc_info=error)
    return response(unexpected_problem(reference, request.url.path))


def unexpected_problem(reference: str, instance: str) -> dict[str, Any]:
    """Return the problem document of a defect, which only says where to find it in the log."""
    return document(
        INTERNAL.slug,
        INTERNAL.title,
        INTERNAL.status,
        "An unexpected error occurred in the service.",
        instance=instance,
        hint=f"Look for the reference {reference} in the service's log.",
    )
