"""Adapters and pools over REST."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter
from starlette.convertors import Convertor, register_url_convertor

from wintun_api.api.access import needs
from wintun_api.api.context import DRIVER, RegistryOf, problems
from wintun_api.api.large import MANY_ROUTES, LargeRoute, beside, has_many_routes
from wintun_api.api.subjects import note_subject
from wintun_api.api.views import adapter_of, created_settings, updated_settings
from wintun_api.choices import Scope
from wintun_api.errors import (
    AdapterExists,
    AdapterNotFound,
    AdapterUnavailable,
    AddressExists,
    InvalidArgument,
    NotSupported,
    RouteExists,
    SessionExists,
    SettingRefused,
    StorageFailed,
)
from wintun_api.hub.adapters import AdapterView
from wintun_api.hub.network import NetworkSettings
from wintun_api.limits import MAX_SETTINGS
from wintun_api.schemas.adapters import (
    Adapter,
    AdapterCreate,
    AdapterOpen,
    AdapterUpdate,
    Pool,
    Release,
    Removal,
)
from wintun_api.schemas.model import TRIMMED

# Errors that network settings can cause.
SETTINGS = (AddressExists, RouteExists, SettingRefused, NotSupported)


class _Identity(Convertor[str]):
    """Match anything that may name an adapter, but not `open`, which is its own path."""

    regex = "(?!open$)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("identity", _Identity())

ADAPTERS = TypeAdapter(list[Adapter])

Guid = Annotated[UUID, TRIMMED, Path(description="The GUID of the adapter.")]

router = APIRouter(prefix="/v1", tags=["adapters"], route_class=LargeRoute)


async def _settings(body: AdapterCreate | AdapterUpdate) -> NetworkSettings:
    if len(body.routes or ()) < MANY_ROUTES:
        return _settings_of(body)
    return await beside("read_settings", partial(_settings_of, body))


def _settings_of(body: AdapterCreate | AdapterUpdate) -> NetworkSettings:
    return created_settings(body) if isinstance(body, AdapterCreate) else updated_settings(body)


async def _written(view: AdapterView, response: Response, status: int = 200) -> Adapter | Response:
    """Write an adapter, beside the event loop where it has many routes."""
    if not has_many_routes(view):
        return adapter_of(view)
    content = await beside("write_adapter", lambda: adapter_of(view).model_dump_json())
    return _json(content, response, status)


def _json(content: str | bytes, response: Response, status: int = 200) -> Response:
    return Response(content, status, dict(response.headers), "application/json")


@router.get(
    "/adapters",
    operation_id="list_adapters",
    response_model=list[Adapter],
    responses=problems(InvalidArgument, *DRIVER),
)
@needs(Scope.READ)
async def list_adapters(
    registry: RegistryOf,
    response: Response,
    pool: Annotated[
        Pool | None, TRIMMED, Query(description="List only the adapters of this pool.")
    ] = None,
) -> list[Adapter] | Response:
    """List adapters.

    The answer has all adapters that the service knows, or those of one pool. While another call of
    the driver is running, the service answers at once with what it read last; the header `Age` says
    how many seconds old this is.

    Wintun functions: WintunEnumAdapters, WintunGetAdapterName, WintunGetAdapterLUID.
    """
    views, age = await registry.adapters(pool)
    response.headers["Age"] = str(int(age))
    if not has_many_routes(*views):
        return [adapter_of(view) for view in views]

    def write() -> bytes:
        return ADAPTERS.dump_json([adapter_of(view) for view in views])

    return _json(await beside("write_adapters", write), response)


@router.post(
    "/adapters",
    operation_id="create_adapter",
    status_code=201,
    response_model=Adapter,
    responses={
        200: {"model": Adapter, "description": "The adapter existed and was opened."},
        **problems(
            InvalidArgument,
            AdapterNotFound,
            AdapterExists,
            AdapterUnavailable,
            *SETTINGS,
            StorageFailed,
            *DRIVER,
        ),
    },
    response_description="The adapter was created.",
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def create_adapter(
    body: AdapterCreate, request: Request, registry: RegistryOf, response: Response
) -> Adapter | Response:
    """Create an adapter.

    The service creates the adapter and applies all its network settings; if one of them fails, it
    removes the adapter again. Repeated, the request is answered with 409, because the name is in
    use, unless `if_exists` says that the service should open the existing adapter or replace it. An
    adapter that was opened is answered with 200. If an adapter was deleted to be replaced and the
    new one cannot be created, the problem has the member `deleted`. If the driver takes too long,
    the answer is 504 and the call continues; the event `adapter.created`, `adapter.changed` or
    `adapter.create_failed` then reports its result.

    Wintun functions: WintunCreateAdapter, WintunOpenAdapter, WintunDeleteAdapter.
    """
    settings = await _settings(body)
    provided = await registry.provide_adapter(
        body.name, body.pool, body.requested_guid, settings, if_exists=body.if_exists
    )
    view = provided.view
    done = " (opened)" if provided.opened else " (replaced)" if provided.replaced else ""
    note_subject(request.scope, f"adapter {view.info.guid}{done}")
    response.headers["Location"] = f"/v1/adapters/{view.info.guid}"
    response.status_code = 200 if provided.opened else 201
    return await _written(view, response, response.status_code)


@router.post(
    "/adapters/open",
    operation_id="open_adapter",
    response_model=Adapter,
    responses=problems(InvalidArgument, AdapterNotFound, StorageFailed, *DRIVER),
)
@needs(Scope.ADMIN)
async def open_adapter(
    body: AdapterOpen, request: Request, registry: RegistryOf, response: Response
) -> Adapter | Response:
    """Open an existing adapter.

    The service opens the adapter with this name in this pool and keeps a handle of it. The request
    is idempotent: an adapter that the service manages already is returned as it is.

    Wintun function: WintunOpenAdapter.
    """
    view = await registry.open_adapter(body.name, body.pool)
    note_subject(request.scope, f"adapter {view.info.guid}")
    return await _written(view, response)


@router.get(
    "/adapters/{guid:identity}",
    operation_id="get_adapter",
    response_model=Adapter,
    responses=problems(AdapterNotFound, *DRIVER),
)
@needs(Scope.READ)
async def get_adapter(guid: Guid, registry: RegistryOf, response: Response) -> Adapter | Response:
    """Get an adapter.

    The answer has the adapter and its network settings as the system reports them now.

    Wintun functions: WintunGetAdapterName, WintunGetAdapterLUID.
    """
    return await _written(await registry.adapter(guid), response)


@router.patch(
    "/adapters/{guid:identity}",
    operation_id="update_adapter",
    response_model=Adapter,
    responses=problems(
        InvalidArgument, AdapterNotFound, AdapterExists, AdapterUnavailable, *SETTINGS, *DRIVER
    ),
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def update_adapter(
    guid: Guid, body: AdapterUpdate, registry: RegistryOf, response: Response
) -> Adapter | Response:
    """Update an adapter.

    The service renames the adapter and changes its network settings. If one change fails, it undoes
    the others. Settings that are left out keep their values, even if the system removes them as a
    side effect of another change. A request with routes also sets up a link that another program
    has set down. The answer has the settings that the system reports afterwards; `wanted` names
    those that do not hold. The request is idempotent.

    Wintun function: WintunSetAdapterName.
    """
    settings = await _settings(body)
    view = await registry.update_adapter(guid, name=body.name, settings=settings)
    return await _written(view, response)


@router.delete(
    "/adapters/{guid:identity}",
    operation_id="delete_adapter",
    responses=problems(AdapterNotFound, *DRIVER),
)
@needs(Scope.ADMIN)
async def delete_adapter(
    guid: Guid,
    registry: RegistryOf,
    force: Annotated[
        bool,
        Query(
            description="Whether to close sessions of other processes as well (Wintun's "
            "ForceCloseSessions)."
        ),
    ] = False,
) -> Removal:
    """Delete an adapter.

    The service ends the session of the adapter and removes the device. Repeated, the request is
    answered with 404. If the driver takes too long, the answer is 504 and the call continues; the
    event `adapter.deleted` or `operation.failed` then reports its result.

    Wintun functions: WintunDeleteAdapter, WintunCloseAdapter.
    """
    return Removal(reboot_required=await registry.delete_adapter(guid, force=force))


@router.post(
    "/adapters/{guid:identity}/restore",
    operation_id="restore_adapter",
    response_model=Adapter,
    responses=problems(InvalidArgument, AdapterNotFound, AdapterUnavailable, *SETTINGS, *DRIVER),
)
@needs(Scope.ADMIN)
async def restore_adapter(
    guid: Guid, registry: RegistryOf, response: Response
) -> Adapter | Response:
    """Restore an adapter.

    The service undoes what other programs have changed: it applies again everything that `wanted`
    names, which is the requested network settings, the state of the link and the marks that
    identify the adapter on its device. Settings that were never requested from the service keep
    their values. The request is idempotent.
    """
    return await _written(await registry.restore_adapter(guid), response)


@router.post(
    "/adapters/{guid:identity}/release",
    operation_id="release_adapter",
    responses=problems(AdapterNotFound, SessionExists, *DRIVER),
)
@needs(Scope.ADMIN)
async def release_adapter(guid: Guid, registry: RegistryOf) -> Release:
    """Release an adapter.

    The service closes its handle of the adapter. The device remains if the driver supports this
    (`capabilities.persistent_adapters` in GET /v1/driver) and is removed otherwise. The session of
    the adapter must be ended first; otherwise the answer is 409.

    Wintun function: WintunFreeAdapter.
    """
    return Release(exists=await registry.release_adapter(guid))


@router.delete(
    "/pools/{pool}",
    operation_id="delete_pool",
    responses=problems(InvalidArgument, NotSupported, *DRIVER),
)
@needs(Scope.ADMIN)
async def delete_pool(pool: Pool, registry: RegistryOf) -> Removal:
    """Delete a pool.

    The service ends the sessions of the pool and deletes all its adapters. The driver is removed
    with the last adapter of the machine. Drivers without pools answer 501
    (`capabilities.delete_pool` in GET /v1/driver).

    Wintun function: WintunDeletePoolDriver.
    """
    return Removal(reboot_required=await registry.delete_pool(pool))
