"""What a route needs from those who ask for it, declared where the route is defined.

    @router.get("/v1/tokens")
    @needs(Scope.ADMIN)
    async def list_tokens(...): ...

The door reads the declaration from the route that the router matched, so that no second table can
read a path in another way. A route without a declaration is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.routing import BaseRoute

from wintun_api.api.tokens import Scope

# The path of the health route, for which places are kept where a connection has no route yet.
HEALTH = "/noauth/health"

ATTRIBUTE = "__wintun_api_access__"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Access:
    """What one route needs.

    Attributes:
        token: Whether a request must carry a valid token or a browser's sign-in.
        scope: The scope which that must have; None where the endpoint decides.
        page: Whether it is part of the pages that a browser shows. For these a browser's cookie
            is enough, and a browser without one gets the page to sign in.
        audited: Whether requests that change something leave an audit line.
        any_host: Whether a request may have any Host header. Such a route says nothing that the
            page of another site must not read.
    """

    token: bool = True
    scope: Scope | None = None
    page: bool = False
    audited: bool = True
    any_host: bool = False


ANY_TOKEN = Access()
# For probes, which name the service by an address of a container, or not at all.
OPEN = Access(token=False, any_host=True)
# A file that the page to sign in is made of: it is in every installation and holds no secret.
SIGN_IN_FILE = Access(token=False, page=True)
PAGE = Access(scope=Scope.READ, page=True)
# Packets are counted by the session; a line for each request would be a log of the traffic.
INJECTION = Access(scope=Scope.INJECT, audited=False)


def needs(what: Access | Scope) -> Callable[[Endpoint], Endpoint]:
    """Declare what the route of an endpoint needs; write it below the route's own decorator."""
    access = Access(scope=what) if isinstance(what, Scope) else what

    def declare(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, ATTRIBUTE, access)
        return endpoint

    return declare


def access_of(route: BaseRoute) -> Access | None:
    """Return what a route needs; None where it is not declared, as for everything mounted."""
    access = getattr(getattr(route, "endpoint", None), ATTRIBUTE, None)
    return access if isinstance(access, Access) else None
