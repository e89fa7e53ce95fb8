"""Find the route of a request once, and run only a route that `security` has allowed.

The framework's own router matches and runs in one step, redirects paths that differ by a slash,
and accepts a path that ends with a line feed. Here a path matches one route exactly or none, and
the route that was checked is the one that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from wintun_api.api.access import Access, access_of
from wintun_api.api.kinds import Kind
from wintun_api.api.parameters import check_names
from wintun_api.api.problems import Refusal

FOUND = "wintun_api.found"


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the result of a look-up.

    Attributes:
        route: The route that will run; None if no route has this path and method.
        child_scope: What the route adds to the ASGI scope.
        methods: The methods that the path supports, if the request's is not one of them.
    """

    route: BaseRoute | None = None
    child_scope: dict[str, Any] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()

    @property
    def access(self) -> Access | None:
        """Return what the route requires; None if it is not declared or there is no route."""
        return None if self.route is None else access_of(self.route)

    @property
    def template(self) -> str | None:
        """Return the path of the route as declared, without any part of the request."""
        return getattr(self.route, "path_format", None)

    @property
    def max_body(self) -> int | None:
        """Return the bytes of the largest body; None for the service's own limit."""
        return getattr(self.route, "max_body_size", None)

    @property
    def page(self) -> bool:
        """Return whether this is one of the pages."""
        access = self.access
        return access is not None and access.page


class Routes(APIRouter):
    """Hold all routes of the service in one flat list."""

    def find(self, scope: Scope) -> Found:
        """Find the route for a request or a WebSocket handshake, without running it.

        HEAD finds the same route as GET (RFC 9110, section 9.3.2). So does OPTIONS if the route is
        for probes, because HAProxy's checks send it by default; it is answered like GET.
        """
        probe = scope["type"] == "http" and scope["method"] == "OPTIONS"
        if probe or (scope["type"] == "http" and scope["method"] == "HEAD"):
            scope = {**scope, "method": "GET"}
        methods: set[str] = set()
        for route in self.routes:
            match, child_scope = route.matches(scope)
            if match is Match.NONE or not _is_whole(route, scope):
                continue
            if match is Match.FULL and not probe:
                return Found(route, dict(child_scope))
            if match is Match.FULL and _is_for_probes(route):
                return Found(route, {**child_scope, "method": "GET"})
            methods |= getattr(route, "methods", None) or set()
        if "GET" in methods:
            methods.add("HEAD")
        return Found(methods=frozenset(methods))

    def take(self, router: APIRouter) -> None:
        """Add the routes of a router unchanged.

        `include_router` would wrap them. A wrapper does not carry the declaration, so all of them
        would be refused.
        """
        self.routes.extend(router.routes)

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the route that `security` has allowed.

        Raises:
            HTTPException: 404 or 405 if there is no route.
            Refusal: `security` was bypassed.
            RequestValidationError: The route does not take a parameter of the query.
            WebSocketRequestValidationError: Likewise, for a socket.
        """
        if scope["type"] == "lifespan":
            await super().app(scope, receive, send)
            return
        found = scope.get(FOUND)
        if not isinstance(found, Found):
            raise Refusal(Kind.FORBIDDEN, "The request did not pass the access check.")
        if found.route is None:
            if not found.methods:
                raise HTTPException(404)
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(found.methods))})
        check_names(found.route, scope)
        scope["router"] = self
        scope["route"] = found.route
        scope.update(found.child_scope)
        await found.route.handle(scope, receive, send)


def _is_for_probes(route: BaseRoute) -> bool:
    access = access_of(route)
    return access is not None and access.any_host


def _is_whole(route: BaseRoute, scope: Scope) -> bool:
    # The framework's expressions end with `$`, which also matches before a final line feed.
    regex = getattr(route, "path_regex", None)
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return regex is None or regex.fullmatch(path) is not None
