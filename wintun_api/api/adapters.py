"""Adapters and pools over REST."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from wintun_api.api.access import needs
from wintun_api.api.audit import note_subject
from wintun_api.api.context import DRIVER, RegistryOf, problems
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

# What settings can meet.
SETTINGS = (AddressExists, RouteExists, SettingRefused, NotSupported)


class _Identity(Convertor[str]):
    """Whatever may name an adapter: not `open`, which is a path of its own."""

    regex = "(?!open$)[^/]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("identity", _Identity())

Guid = Annotated[UUID, TRIMMED, Path(description="The adapter's GUID.")]

router = APIRouter(prefix="/v1", tags=["adapters"])


@router.get("/adapters", operation_id="list_adapters", responses=problems(InvalidArgument, *DRIVER))
@needs(Scope.READ)
async def list_adapters(
    registry: RegistryOf,
    response: Response,
    pool: Annotated[Pool | None, TRIMMED, Query(description="Only this pool.")] = None,
) -> list[Adapter]:
    """List the adapters, of one pool or of all the service knows.

    While another driver call is under way, the last reading is given at once; the Age header says
    how many seconds old it is. WintunEnumAdapters, WintunGetAdapterName, WintunGetAdapterLUID.
    """
    views, age = await registry.adapters(pool)
    response.headers["Age"] = str(int(age))
    return [Adapter.of(view) for view in views]


@router.post(
    "/adapters",
    operation_id="create_adapter",
    status_code=201,
    responses=problems(InvalidArgument, AdapterExists, *SETTINGS, StorageFailed, *DRIVER),
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def create_adapter(
    body: AdapterCreate, request: Request, registry: RegistryOf, response: Response
) -> Adapter:
    """Create an adapter with its network settings, all or nothing. WintunCreateAdapter."""
    view = await registry.create_adapter(body.name, body.pool, body.requested_guid, body.settings())
    response.headers["Location"] = f"/v1/adapters/{view.info.guid}"
    note_subject(request.scope, f"adapter {view.info.guid}")
    return Adapter.of(view)


@router.post(
    "/adapters/open",
    operation_id="open_adapter",
    responses=problems(InvalidArgument, AdapterNotFound, StorageFailed, *DRIVER),
)
@needs(Scope.ADMIN)
async def open_adapter(body: AdapterOpen, request: Request, registry: RegistryOf) -> Adapter:
    """Open an existing adapter by name and pool. WintunOpenAdapter."""
    view = await registry.open_adapter(body.name, body.pool)
    note_subject(request.scope, f"adapter {view.info.guid}")
    return Adapter.of(view)


@router.get(
    "/adapters/{guid:identity}",
    operation_id="get_adapter",
    responses=problems(AdapterNotFound, *DRIVER),
)
@needs(Scope.READ)
async def get_adapter(guid: Guid, registry: RegistryOf) -> Adapter:
    """Read one adapter. WintunGetAdapterName, WintunGetAdapterLUID."""
    return Adapter.of(await registry.adapter(guid))


@router.patch(
    "/adapters/{guid:identity}",
    operation_id="update_adapter",
    responses=problems(
        InvalidArgument, AdapterNotFound, AdapterExists, AdapterUnavailable, *SETTINGS, *DRIVER
    ),
    max_body_size=MAX_SETTINGS,
)
@needs(Scope.ADMIN)
async def update_adapter(guid: Guid, body: AdapterUpdate, registry: RegistryOf) -> Adapter:
    """Rename an adapter, change its network settings, all or nothing. WintunSetAdapterName.

    What is not mentioned stays, also what the system removes with something else. The answer is
    what the system reads back; `wanted` has what became otherwise.
    """
    view = await registry.update_adapter(guid, name=body.name, settings=body.settings())
    return Adapter.of(view)


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
        bool, Query(description="Close sessions of other processes too (ForceCloseSessions).")
    ] = False,
) -> Removal:
    """End the adapter's session and remove the device. WintunDeleteAdapter, WintunCloseAdapter."""
    return Removal(reboot_required=await registry.delete_adapter(guid, force=force))


@router.post(
    "/adapters/{guid:identity}/restore",
    operation_id="restore_adapter",
    responses=problems(InvalidArgument, AdapterNotFound, NotSupported, *DRIVER),
)
@needs(Scope.ADMIN)
async def restore_adapter(guid: Guid, registry: RegistryOf) -> Adapter:
    """Put back what other programs have changed: all that `wanted` names.

    That is the network settings that were asked of the service, the state of the link, and what
    says on the device which adapter it is. Settings of which the service was asked nothing stay.
    """
    return Adapter.of(await registry.restore_adapter(guid))


@router.post(
    "/adapters/{guid:identity}/release",
    operation_id="release_adapter",
    responses=problems(AdapterNotFound, SessionExists, *DRIVER),
)
@needs(Scope.ADMIN)
async def release_adapter(guid: Guid, registry: RegistryOf) -> Release:
    """Give the handle back and keep the device where the generation can. WintunFreeAdapter."""
    return Release(exists=await registry.release_adapter(guid))


@router.delete(
    "/pools/{pool}",
    operation_id="delete_pool",
    responses=problems(InvalidArgument, NotSupported, *DRIVER),
)
@needs(Scope.ADMIN)
async def delete_pool(pool: Pool, registry: RegistryOf) -> Removal:
    """Delete every adapter of a pool, and the driver with the last one. WintunDeletePoolDriver."""
    return Removal(reboot_required=await registry.delete_pool(pool))
