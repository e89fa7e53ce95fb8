"""Which methods a path has: what the Allow header of a 405 must name (RFC 9110, 15.5.6).

The framework names those of the first route alone, and a path has a route per method.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter
from starlette.routing import Route


class Methods:
    """The methods of all paths of some routers."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._routes = [
            route for router in routers for route in router.routes if isinstance(route, Route)
        ]

    def of(self, path: str) -> set[str]:
        """Return the methods of a path; none for a path that is not known."""
        found = {
            method
            for route in self._routes
            if route.path_regex.match(path)
            for method in route.methods or ()
        }
        return found | {"HEAD"} if "GET" in found else found
