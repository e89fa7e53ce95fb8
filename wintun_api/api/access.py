"""Declare what a route requires of a request, where the route is defined.

    @router.get("/v1/tokens")
    @needs(Scope.ADMIN)
    async def list_tokens(...): ...

`security` reads the declaration from the route that the router matched, so there is no second table
that could interpret a path differently. A request for a route without a declaration is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.routing import BaseRoute

from wintun_api.choices import Scope

# The path of the health route: places are reserved for it before a connection has a route.
HEALTH = "/noauth/health"

ATTRIBUTE = "__wintun_api_access__"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """State what one route requires.

    Attributes:
        token: Whether a request must carry a valid token or a browser's sign-in.
        scope: The scope that the token must have; None if the endpoint decides.
        page: Whether it is one of the pages that a browser shows. For these a browser's cookie is
            enough, and a browser without a cookie gets the sign-in page.
        audited: Whether requests that change something are recorded in the audit log.
        any_host: Whether a request may have any Host header. Such a route must not return anything
            that a page of another site must not read.
        signs_in: Whether the answer signs the browser in with the token of the request.
    """

    token: bool = True
    scope: Scope | None = None
    page: bool = False
    audited: bool = True
    any_host: bool = False
    signs_in: bool = False


ANY_TOKEN = Access()
# For probes, which use a container's address as Host, or send no Host at all.
OPEN = Access(token=False, any_host=True)
# A file of the sign-in page: it is the same in every installation and contains no secret.
SIGN_IN_FILE = Access(token=False, page=True)
# A page that is the same in every installation and holds no secret: the guide.
PUBLIC_PAGE = Access(token=False, page=True)
PAGE = Access(scope=Scope.READ, page=True)
SIGN_IN = Access(signs_in=True)
# The session counts packets; one audit line per request would be a log of the traffic.
INJECTION = Access(scope=Scope.INJECT, audited=False)
# A program reports every ten seconds; that changes nothing but what the dashboard shows.
REPORT = Access(scope=Scope.INJECT, audited=False)


def needs(what: Access | Scope) -> Callable[[Endpoint], Endpoint]:
    """Declare what an endpoint's route requires; write it below the route's own decorator."""
    access = Access(scope=what) if isinstance(what, Scope) else what

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, access)
        return endpoint

    return declare


def access_of(route: BaseRoute) -> Access | None:
    """Return what a route requires; None if it is not declared, as for mounted applications."""
    access = getattr(getattr(route, "endpoint", None), ATTRIBUTE, None)
    return access if isinstance(access, Access) else None
