"""Which operations of the API an agent carries out for those who ask over the bus.

The service itself says which scope an operation requires: in its OpenAPI document, as the role of
its security. What the document does not name is not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from wintun_api.choices import Scope
from wintun_api.client.call import JSON_TYPE

ROOT: Final = "v1"
METHODS: Final = frozenset(("get", "post", "put", "patch", "delete"))


class Allow(StrEnum):
    """Name what may be asked over the bus; each word includes the ones before it."""

    READ = "read"
    CAPTURE = "capture"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the operations that may be used."""
        match self:
            case Allow.READ:
                return frozenset((Scope.READ.value,))
            case Allow.CAPTURE:
                return frozenset((Scope.READ.value, Scope.CAPTURE.value))
            case Allow.ADMIN:
                return frozenset(one.value for one in Scope)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the service.

    Attributes:
        name: Its `operationId`.
        method: The method of HTTP.
        parts: The parts of its path; None stands for any one.
        scope: The scope that it requires; None if the document does not name exactly one.
        streams: Whether its answer is something else than JSON, and may not end.
    """

    name: str
    method: str
    parts: tuple[str | None, ...]
    scope: str | None
    streams: bool

    def fits(self, parts: tuple[str, ...]) -> bool:
        """Return whether a path is one of this operation."""
        return len(parts) == len(self.parts) and all(
            known in (None, given) for known, given in zip(self.parts, parts, strict=True)
        )


class Operations:
    """The operations of a service below /v1."""

    def __init__(self, known: Iterable[Operation]) -> None:
        self._known = tuple(known)

    @classmethod
    def of_document(cls, document: object) -> Operations:
        """Return what an OpenAPI document names; what it says in another way is not known."""
        return cls(
            operation
            for path, item in _object(_object(document).get("paths")).items()
            for method, one in _object(item).items()
            if method in METHODS and (operation := _operation(path, method, _object(one)))
        )

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._known)

    def find(self, method: str, parts: tuple[str, ...]) -> list[Operation]:
        """Return the operations that a request may mean; mostly one."""
        return [one for one in self._known if one.method == method and one.fits(parts)]


def parts_of(path: str) -> tuple[str, ...] | None:
    """Return the parts of a path below /v1, without their encoding; None if it is another path.

    A part with a slash in it is refused: the service would take it for two.
    """
    start, *encoded = path.split("/")
    try:
        parts = tuple(unquote_to_bytes(one).decode() for one in encoded)
    except UnicodeDecodeError:
        return None
    if start or parts[:1] != (ROOT,):
        return None
    if any(
        not one or one.strip(".") == "" or re.search(r"[/\\\x00-\x1f\x7f]", one) for one in parts
    ):
        return None
    return parts


def _operation(path: str, method: str, document: Mapping[str, Any]) -> Operation | None:
    start, *parts = path.split("/")
    if start or parts[:1] != [ROOT]:
        return None
    scopes = [
        scope
        for one in _list(document.get("security"))
        for scope in _list(_object(one).get("bearer"))
    ]
    scope = scopes[0] if len(scopes) == 1 else None
    good = [
        answer
        for status, answer in _object(document.get("responses")).items()
        if status.startswith("2")
    ]
    types = {kind for one in good for kind in _object(_object(one).get("content"))}
    return Operation(
        str(document.get("operationId", "")),
        method.upper(),
        tuple(None if one.startswith("{") else one for one in parts),
        scope if isinstance(scope, str) else None,
        streams=not types <= {JSON_TYPE},
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
