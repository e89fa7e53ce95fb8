"""Refuse the parameters of a query that a route does not have, or has only once.

The framework ignores the unknown ones, and all but the last of those that are repeated. What the
client meant would then not be done, and the client would not notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.routing import APIRoute, APIWebSocketRoute
from pydantic import BaseModel
from starlette.routing import BaseRoute
from starlette.types import Scope

Query = TypeVar("Query", bound=BaseModel)

PREFIX: Final = "/v1/"
REFUSED: Final = "Extra inputs are not permitted"  # as pydantic says it of members of a body
REPEATED: Final = "Must not be given more than once"
MAX_NAMED: Final = 10  # of so many the answer has the names


def check_names(route: BaseRoute, scope: Scope) -> None:
    """Check the names in the query of a request for a route.

    A socket that has a model for its query calls `read` instead. Pages and the routes for probes
    take any.

    Raises:
        RequestValidationError: The route does not have one of them, or has it only once.
        WebSocketRequestValidationError: Likewise, for a socket.
    """
    if not scope["query_string"] or not isinstance(route, APIRoute | APIWebSocketRoute):
        return
    http, known = isinstance(route, APIRoute), _known(route)
    if not (http or known) or not route.path_format.startswith(PREFIX):
        return
    given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if found := _faults((name for name, _ in given), known):
        raise RequestValidationError(found) if http else WebSocketRequestValidationError(found)


def read(model: type[Query], websocket: WebSocket) -> Query:
    """Return the query of a socket as its model, which forbids unknown names.

    Raises:
        WebSocketRequestValidationError: A parameter that is not a list is given more than once.
        ValidationError: The model does not take the query.
    """
    given, known = websocket.query_params, _lists(model)
    names = (name for name, _ in given.multi_items() if name in known)
    if found := _faults(names, known):
        raise WebSocketRequestValidationError(found)
    lists = {name: given.getlist(name) for name in known if known[name] and name in given}
    return model.model_validate({**given, **lists})


def _faults(given: Iterable[str], known: Mapping[str, bool]) -> list[dict[str, Any]]:
    """Return what is wrong with names; `known` says of each whether it is a list."""
    return [
        {"type": kind, "loc": ("query", name), "msg": said}
        for name, (kind, said) in islice(dict(_wrong(given, known)).items(), MAX_NAMED)
    ]


def _wrong(
    given: Iterable[str], known: Mapping[str, bool]
) -> Iterator[tuple[str, tuple[str, str]]]:
    seen: set[str] = set()
    for name in given:
        if name not in known:
            yield name, ("extra_forbidden", REFUSED)
        elif name in seen and not known[name]:
            yield name, ("repeated", REPEATED)
        seen.add(name)


def _known(route: APIRoute | APIWebSocketRoute) -> dict[str, bool]:
    known: dict[str, bool] = {}
    for parameter in route.dependant.query_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            known |= _lists(kind)
        else:
            known[parameter.alias] = get_origin(kind) is list
    return known


def _lists(model: type[BaseModel]) -> dict[str, bool]:
    """Return of each field whether it is a list, whose parameter can be repeated."""
    return {
        name: get_origin(field.annotation) is list for name, field in model.model_fields.items()
    }
