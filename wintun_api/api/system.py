"""Manage the service, its driver and its tokens over REST."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as PathParameter

from wintun_api import __version__, native
from wintun_api.api.access import ANY_TOKEN, HEALTH, OPEN, needs
from wintun_api.api.context import (
    DRIVER,
    ContextOf,
    PrincipalOf,
    RegistryOf,
    only_problems,
    problems,
)
from wintun_api.api.kinds import Kind
from wintun_api.api.sign_ins import cookie_name
from wintun_api.api.subjects import note_subject
from wintun_api.api.views import driver_of, limits_of, reason_of, token_of
from wintun_api.choices import DriverName, Scope
from wintun_api.errors import DriverInUse, NotSupported, StorageFailed, TokenNotFound, TooManyTokens
from wintun_api.schemas.adapters import Removal
from wintun_api.schemas.model import TRIMMED
from wintun_api.schemas.system import Driver, Health, System
from wintun_api.schemas.tokens import CreatedToken, Token, TokenCreate

router = APIRouter()


@router.get(
    HEALTH,
    operation_id="get_health",
    tags=["system"],
    responses=only_problems(Kind.BAD_HOST, Kind.FOREIGN_ORIGIN),
)
@needs(OPEN)
async def get_health() -> Health:
    """Get the health of the service.

    The service answers when it is up. This is the only operation that needs no token, and it
    accepts any Host header.
    """
    return Health(status="ok")


@router.get("/v1/system", operation_id="get_system", tags=["system"], responses=problems())
@needs(Scope.READ)
async def get_system(registry: RegistryOf, context: ContextOf, principal: PrincipalOf) -> System:
    """Get the state of the system.

    The answer describes the service, the machine, the limits that a client must observe and the
    scopes of the token.
    """
    unavailable = registry.driver.unavailable_reason()
    connections = context.connections
    return System(
        version=__version__,
        started_at=context.started_at,
        platform=platform.platform(),
        architecture=platform.machine(),
        python=platform.python_version(),
        native=native.speedups(context.settings.native) is not None,
        libpcap=await registry.filters.version(),
        elevated=registry.driver.elevated(),
        driver=DriverName(registry.driver.name),
        unavailable=reason_of(unavailable),
        scopes=sorted(principal.scopes),
        limits=limits_of(
            context.settings,
            registry.driver.capabilities,
            None if connections is None else connections.ceiling,
        ),
    )


@router.get("/v1/driver", operation_id="get_driver", tags=["driver"], responses=problems())
@needs(Scope.READ)
async def get_driver(registry: RegistryOf) -> Driver:
    """Get the driver.

    The answer describes the driver, its abilities and the calls that are running now. It is also
    given while the driver is unavailable.

    Wintun function: WintunGetRunningDriverVersion.
    """
    view = await registry.driver_view()
    return driver_of(view, _sha256(view.library_path) if view.library_path else None)


@router.delete(
    "/v1/driver",
    operation_id="delete_driver",
    tags=["driver"],
    responses=problems(DriverInUse, NotSupported, *DRIVER),
)
@needs(Scope.ADMIN)
async def delete_driver(registry: RegistryOf) -> Removal:
    """Delete the driver.

    The service removes the driver from the system. While an adapter uses the driver, the answer is
    409. Drivers that cannot be removed answer 501 (`capabilities.delete_driver` in GET /v1/driver).

    Wintun function: WintunDeleteDriver.
    """
    return Removal(reboot_required=await registry.delete_driver())


@router.get("/v1/tokens", operation_id="list_tokens", tags=["tokens"], responses=problems())
@needs(Scope.ADMIN)
async def list_tokens(context: ContextOf) -> list[Token]:
    """List tokens.

    The answer has the issued tokens without their secrets.
    """
    return [token_of(token) for token in context.tokens.issued()]


@router.post(
    "/v1/tokens",
    operation_id="create_token",
    status_code=201,
    tags=["tokens"],
    responses=problems(TooManyTokens, StorageFailed),
)
@needs(Scope.ADMIN)
async def create_token(body: TokenCreate, request: Request, context: ContextOf) -> CreatedToken:
    """Create a token.

    The secret of the token is shown only in this answer. The service writes the token to the disk
    before it answers; if this fails, it answers 503 and the token does not exist. The request is
    not idempotent: repeated, it creates another token.
    """
    secret, token = await context.tokens.issue(body.scopes, body.label, body.expires_in)
    note_subject(request.scope, f"token {token.id} ({', '.join(token.scopes)})")
    return CreatedToken(**token_of(token).model_dump(), token=secret)


@router.delete(
    "/v1/tokens/{token_id}",
    operation_id="revoke_token",
    status_code=204,
    tags=["tokens"],
    responses=problems(TokenNotFound, StorageFailed),
)
@needs(Scope.ADMIN)
async def revoke_token(
    token_id: Annotated[str, TRIMMED, PathParameter(description="The id of the token.")],
    context: ContextOf,
) -> None:
    """Revoke a token.

    The token stops working at once. The service closes the WebSockets that were opened with it with
    code 4001, and ends its other streams. It writes the change to the disk before it answers; if
    this fails, it answers 503 and the token still works. Repeated, the request is answered with
    404.
    """
    if not await context.tokens.revoke(token_id):
        raise TokenNotFound(token_id)


@router.post(
    "/v1/sign-out",
    operation_id="sign_out",
    status_code=204,
    tags=["tokens"],
    responses=problems(),
)
@needs(ANY_TOKEN)
async def sign_out(
    request: Request, context: ContextOf, principal: PrincipalOf, response: Response
) -> None:
    """Sign out.

    The cookie and the key of this browser stop working, and the answer removes the cookie. The
    token with which the browser signed in stays valid. The request is idempotent.
    """
    if principal.sign_in is not None:
        context.sign_ins.end(principal.sign_in)
        await context.sign_ins.written()
    response.delete_cookie(cookie_name(request.scope), path="/", httponly=True, samesite="strict")


@cache
def _sha256(path: str) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
