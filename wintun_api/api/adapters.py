"""Adapters and pools over REST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import TypeAdapter
from starlette.convertors import Convertor, register_url_convertor

from wintun_api.api.access import needs
from wintun_api.api.audit import note_subject
from wintun_api.api.context import DRIVER, RegistryOf, problems
from wintun_api.api.large import MANY_ROUTES, LargeRoute, beside, has_many_routes
from wintun_api.api.schemas.adapters import (
    MAX_SETTINGS,
    Adapter,
    AdapterCreate,
    AdapterOpen,
    AdapterUpdate,
    Pool,
    Release,
    Removal,
)
from wintun_api.api.schemas.model import TRIMMED
from wintun_api.api.tokens import Scope
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

Guid = Annotated[UUID, TRIMMED, Path(description="The adapter's GUID.")]

router = APIRouter(prefix="/v1", tags=["adapters"], route_class=LargeRoute)


async def _settings(body: AdapterCreate | AdapterUpdate) -> NetworkSettings:
    if len(body.routes or ()) < MANY_ROUTES:
        return body.settings()
    return await beside("read_settings", body.settings)


async def _written(view: AdapterView, response: Response, status: int = 200) -> Adapter | Response:
    """Write an adapter, beside the event loop where it has many routes."""
    if not has_many_routes(view):
        return Adapter.of(view)
    content = await beside("write_adapter", lambda: Adapter.of(view).model_dump_json())
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
    """List the adapters of one pool, or of all pools that the service knows.

    While another driver call is running, the last known list is returned at once; the Age header
    says how many seconds old it is. WintunEnumAdapters, WintunGetAdapterName, WintunGetAdapterLUID.
    """
    views, age = await registry.adapters(pool)
    response.headers["Age"] = str(int(age))
    if not has_many_routes(*views):
        return [Adapter.of(view) for view in views]

    def write() -> bytes:
        return ADAPTERS.dump_json([Adapter.of(view) for view in views])

    return _json(await beside("write_adapters", write), response)


@router.post(
    "/adapters",
    operation_id="create_adapter",
    status_code=201,
    response_model=Adapter,
    responses=problems(InvalidArgument, AdapterExists, *SETTINGS, StorageFailed, *DRIVER),
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def create_adapter(
    body: AdapterCreate, request: Request, registry: RegistryOf, response: Response
) -> Adapter | Response:
    """Create an adapter with its network settings; on an error, nothing is created.

    WintunCreateAdapter.
    """
    settings = await _settings(body)
    view = await registry.create_adapter(body.name, body.pool, body.requested_guid, settings)
    response.headers["Location"] = f"/v1/adapters/{view.info.guid}"
    note_subject(request.scope, f"adapter {view.info.guid}")
    return await _written(view, response, 201)


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
    """Open an existing adapter by name and pool. WintunOpenAdapter."""
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
    """Read one adapter. WintunGetAdapterName, WintunGetAdapterLUID."""
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
    """Rename an adapter or change its network settings; on an error, nothing changes.

    Settings that the request does not mention stay as they are, even if the system removes them
    together with others. A request with routes also sets up a link that another program has set
    down. The response shows the settings that the system reports afterwards; `wanted` shows where
    they differ from what was asked for. WintunSetAdapterName.
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
        bool, Query(description="Also close sessions of other processes (ForceCloseSessions).")
    ] = False,
) -> Removal:
    """End the adapter's session and delete the device. WintunDeleteAdapter, WintunCloseAdapter."""
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
    """Restore everything that other programs have changed, as listed in `wanted`.

    This covers the network settings that were requested through the service, the state of the
    link, and the marks on the device that identify the adapter. Other settings are not changed.
    """
    return await _written(await registry.restore_adapter(guid), response)


@router.post(
    "/adapters/{guid:identity}/release",
    operation_id="release_adapter",
    responses=problems(AdapterNotFound, SessionExists, *DRIVER),
)
@needs(Scope.ADMIN)
async def release_adapter(guid: Guid, registry: RegistryOf) -> Release:
    """Close the handle but keep the device, if the generation allows it. WintunFreeAdapter."""
    return Release(exists=await registry.release_adapter(guid))


@router.delete(
    "/pools/{pool}",
    operation_id="delete_pool",
    responses=problems(InvalidArgument, NotSupported, *DRIVER),
)
@needs(Scope.ADMIN)
async def delete_pool(pool: Pool, registry: RegistryOf) -> Removal:
    """Delete all adapters of a pool; with the last adapter, the driver. WintunDeletePoolDriver."""
    return Removal(reboot_required=await registry.delete_pool(pool))
