"""Large requests and answers, which are checked and written beside the event loop.

An adapter can have thousands of routes, and an impairment a thousand steps. To check them in a
request, or to write routes into an answer, takes 0.1 seconds and more, and packets would wait for
that. On a thread the event loop gets its turn in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from wintun_api.errors import OutOfThreads
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.aside import aside

T = TypeVar("T")

LARGE_BODY = 16 * 1024  # bytes of a request: some hundred routes
MANY_ROUTES = 256


class LargeRoute(APIRoute):
    """A route of a router that checks large bodies beside the event loop."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what the framework calls with each request."""
        handle, field = super().get_route_handler(), self.body_field

        async def checked(request: Request) -> Response:
            if field is None:
                return await handle(request)
            try:
                return await handle(_Checked(request, field))
            except _Refused as refused:
                raise RequestValidationError(refused.errors, body=refused.body) from None

        return checked


class _Checked(Request):
    """A request that gives the model of a large body where its JSON is asked for."""

    def __init__(self, request: Request, field: Any) -> None:
        super().__init__(request.scope, request.receive, request._send)  # noqa: SLF001
        self._field = field

    async def json(self) -> Any:
        body = await self.body()
        if len(body) < LARGE_BODY:
            return await super().json()
        return await beside("check_request", partial(_check, self._field, body))


class _Refused(HTTPException):
    """Carry what is wrong with a body past the framework, which takes others for a bad JSON."""

    def __init__(self, errors: list[Any], body: Any) -> None:
        super().__init__(422)
        self.errors = errors
        self.body = body


def _check(field: Any, body: bytes) -> Any:
    content = json.loads(body)
    value, errors = field.validate(content, {}, loc=("body",))
    if errors:
        raise _Refused(errors, content)
    return value


async def beside(name: str, work: Callable[[], T]) -> T:
    """Do work that takes long on a thread; on the event loop where none can be started."""
    try:
        return await aside(name, work)
    except OutOfThreads:
        return work()


def has_many_routes(*views: AdapterView) -> bool:
    """Say whether these adapters take long to be written."""
    count = 0
    for view in views:
        count += len(view.info.routes)
        if view.wanted is not None:
            count += len(view.wanted.settings.routes or ())
    return count >= MANY_ROUTES
