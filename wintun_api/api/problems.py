"""Answer errors with `application/problem+json` (RFC 9457) or a close code, by their kind."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from wintun_api import errors
from wintun_api.api.kinds import Kind, cause_of, status_kind
from wintun_api.api.subjects import note_subject
from wintun_api.choices import CloseCode
from wintun_api.schemas.problem import MEDIA_TYPE

# What a function of a driver sets, by a part of its name.
_SET_BY = (
    ("Address", "addresses"),
    ("ADDR", "addresses"),
    ("Forward", "routes"),
    ("ROUTE", "routes"),
    ("Dns", "dns"),
    ("resolvectl", "dns"),
)

logger = logging.getLogger(__name__)


class Refusal(errors.WintunApiError):
    """Refuse a request before it reaches a route.

    Attributes:
        kind: What kind of problem it is.
        headers: Header fields of the answer.
        status: The HTTP status, which only some kinds leave to the place that refuses.
        close_code: The code that closes a WebSocket of a page, likewise.
    """

    def __init__(
        self,
        kind: Kind,
        detail: str,
        hint: str | None = None,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        status: int | None = None,
        close_code: CloseCode | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self.kind = kind
        self.headers = headers
        self.status = kind.status if status is None else status
        self.close_code = kind.close_code if close_code is None else close_code


def kind_of(error: BaseException) -> Kind:
    """Return the kind of problem that an error is."""
    return error.kind if isinstance(error, Refusal) else cause_of(type(error)).kind


def close_code(error: BaseException) -> CloseCode:
    """Return the WebSocket close code for an error."""
    return error.close_code if isinstance(error, Refusal) else kind_of(error).close_code


def hint_of(error: errors.WintunApiError) -> str:
    """Return what to do about an error, for those who write clients."""
    if error.hint:
        return error.hint
    return error.kind.hint if isinstance(error, Refusal) else cause_of(type(error)).hint


def headers_of(error: Exception) -> tuple[tuple[str, str], ...]:
    """Return the header fields of the answer to an error."""
    match error:
        case Refusal():
            return error.headers
        case errors.FiltersBusy():
            return (("Retry-After", str(error.retry_after)),)
    return ()


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal of a WebSocket for which this error occurred before it was accepted."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationError | WebSocketRequestValidationError):
        found_in = [item for item in error.errors() if item["loc"][-1] != "none"]
        detail = "; ".join(f"{_parameter(item['loc'])}: {item['msg']}" for item in found_in)
        hint = "Correct the named parameters and connect again."
        return Refusal(Kind.INVALID_REQUEST, detail, hint)
    found = hint_of(error) if isinstance(error, errors.WintunApiError) else None
    return Refusal(kind_of(error), str(error), found, headers=headers_of(error))


def problem_of(error: errors.WintunApiError, instance: str = "") -> dict[str, Any]:
    """Return the problem document of one of our errors; `instance` is the path of a request."""
    more: dict[str, Any] = {}
    match error:
        case Refusal():
            more["status"] = error.status
        case errors.DriverError():
            if error.failed is not None:
                more = {"function": error.failed.function, **_numbers(error.failed)}
            more["log"] = list(error.log)
        case (
            errors.DriverUnavailable(reason=reason)
            | errors.InvalidPacket(reason=reason)
            | errors.FrameError(reason=reason)
        ):
            more["reason"] = reason
        case errors.InvalidFilter():
            more = {
                "filter": error.expression,
                "reason": error.reason,
                "offset": error.offset,
            }
        case errors.InvalidArgument():
            more["field"] = error.field
    more["errors"] = field_errors(error)
    detail = str(error)
    if error.deleted is not None:
        more["deleted"] = str(error.deleted)
        detail += f" The adapter {error.deleted}, which was to be replaced, was already deleted."
    if isinstance(error, errors.AdapterError) and error.adapter is not None:
        more["adapter"] = str(error.adapter)
    if isinstance(error, errors.SessionExists | errors.SessionEnded):
        more["session"] = error.session
    return document(kind_of(error), detail, hint_of(error), instance, **more)


def field_errors(error: errors.WintunApiError) -> list[dict[str, str]]:
    """Return which field of the request an error is about, and what is wrong with it.

    A form shows the sentence at the field, so it names neither the field nor a function.
    """
    match error:
        case errors.InvalidArgument():
            field, said = error.field, str(error).removeprefix(f"{error.field}: ")
            if said[:1].islower():
                said = f"The {field.replace('_', ' ')} {said}"
        case errors.InvalidFilter():
            field, said = "filter", str(error)
        case errors.AdapterExists() if error.guid_in_use:
            field, said = "requested_guid", "An adapter with this GUID already exists."
        case errors.AdapterExists():
            field, said = "name", "An adapter with this name already exists."
        case errors.AddressExists():
            field, said = "addresses", error.detail or error.sentence
        case errors.RouteExists():
            field, said = "routes", error.detail or error.sentence
        case errors.SettingRefused():
            refused = next((name for part, name in _SET_BY if part in (error.function or "")), "")
            field, said = refused, error.detail or error.sentence
        case _:
            return []
    return [{"field": field, "message": said}] if field else []


def document(
    kind: Kind, detail: str, hint: str, instance: str, *, status: int | None = None, **more: Any
) -> dict[str, Any]:
    """Return a problem document; members that are None or empty are left out."""
    members = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status if status is None else status,
        "detail": detail,
        "instance": instance,
        "hint": hint,
        **more,
    }
    return {key: value for key, value in members.items() if value not in (None, "", (), [])}


def _numbers(failed: errors.FailedCall) -> dict[str, Any]:
    """Return the error number as the system gave it, and in its other common forms."""
    code = failed.code
    if code is None:
        return {}
    if failed.domain == "errno":
        return {"errno": code}
    if failed.domain == "configret":
        return {"configret": f"0x{code:08X}"}
    more: dict[str, Any] = {"win32_code": code, "win32_code_hex": f"0x{code:08X}"}
    kind = errors.kind_of_code(code)
    if kind is not errors.CodeKind.WIN32:
        more["code_kind"] = kind.value
    if failed.carried != code:
        more["carried_win32_code"] = failed.carried
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


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.WintunApiError)
    if error.deleted is not None:
        note_subject(request.scope, f"adapter {error.deleted} (deleted)")
    return response(problem_of(error, request.url.path), dict(headers_of(error)))


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
        {"field": _field(item, error.body), "message": item["msg"].removeprefix("Value error, ")}
        for item in error.errors()
        if item["loc"][-1] != "none"  # "or nothing at all" does not help
    ]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in found)
    kind = Kind.INVALID_REQUEST
    return document(kind, detail, kind.hint, instance, errors=found)


def http_problem(error: HTTPException, method: str, path: str) -> dict[str, Any]:
    """Return the problem document of a request that was refused with a plain status."""
    status = error.status_code
    kind = status_kind(status)
    detail = str(error.detail)
    if detail == HTTPStatus(status).phrase:
        detail = f"{detail if kind.status != status else kind.title}: {method} {path}"
    return document(kind, detail, kind.hint, path, status=status)


def _parameter(place: tuple[int | str, ...]) -> int | str:
    """Return the name of a parameter, which follows where it is, if that is said."""
    return place[1] if place[0] in ("query", "path", "header") else place[0]


def _field(found: dict[str, Any], body: Any) -> str:
    """Return the place of a value in the request, without pydantic's names of union members.

    The names of members are those that the body has, and that of the member that is missing in it.
    """
    where, *place = found["loc"]
    names: list[int | str]
    if where != "body":
        names = [part for part in place if part == place[0] or isinstance(part, int)]
    else:
        names = []
        for part in place:
            missing = found["type"] == "missing" and part is place[-1]
            if isinstance(part, int) or missing or (isinstance(body, dict) and part in body):
                names.append(part)
                body = _member(body, part)
    return ".".join(str(name) for name in names if _is_plain(name)) or str(where)


def _member(body: Any, name: int | str) -> Any:
    try:
        return body[name]
    except (KeyError, IndexError, TypeError):
        return None


def _is_plain(name: int | str) -> bool:
    return isinstance(name, int) or name.replace("-", "_").isidentifier()


async def _on_unexpected(request: Request, error: Exception) -> Response:
    reference = uuid4().hex[:8]
    # The route's own path is logged: the request's path may contain a token.
    route = getattr(request.scope.get("route"), "path_format", "no route")
    logger.error("Unexpected error %s in %s %s", reference, request.method, route, exc_info=error)
    return response(unexpected_problem(reference, request.url.path))


def unexpected_problem(reference: str, instance: str) -> dict[str, Any]:
    """Return the problem document of a defect, which only says where to find it in the log."""
    detail = "An unexpected error occurred in the service."
    hint = f"Look for the reference {reference} in the service's log."
    return document(Kind.INTERNAL, detail, hint, instance)
