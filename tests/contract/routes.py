"""The routes that the service has, as the documents write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tests.contract.documents import bare_service
from wintun_api.api import page

GUIDE = {"/guide", "/guide.css", "/guide.js", "/guide/{topic}"}
PAGES = {*page.build(), *page.SWAGGER_FILES, *GUIDE, "/openapi.json", "/sign-in"}


def routes() -> set[tuple[str, str]]:
    """Every (method, path) of the API, `websocket` being one of the methods."""
    return set(_walk(bare_service().api.routes))


def _walk(found: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in found:
        if hasattr(route, "original_router"):
            yield from _walk(route.original_router.routes)
        elif route.path not in PAGES:
            for method in getattr(route, "methods", None) or ("websocket",):
                yield method.lower(), route.path_format
