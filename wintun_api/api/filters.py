"""Check filters over REST."""

from __future__ import annotations

from fastapi import APIRouter

from wintun_api.api.access import needs
from wintun_api.api.context import RegistryOf, problems
from wintun_api.choices import Scope
from wintun_api.errors import FiltersBusy, FilterUnavailable, InvalidFilter, OutOfThreads
from wintun_api.schemas.filters import FilterCheck, FilterFault, FilterVerdict

router = APIRouter(prefix="/v1/filters", tags=["captures"])


@router.post(
    "/check",
    operation_id="check_filter",
    responses=problems(FilterUnavailable, FiltersBusy, OutOfThreads),
)
@needs(Scope.CAPTURE)
async def check_filter(body: FilterCheck, registry: RegistryOf) -> FilterVerdict:
    """Check a filter.

    The answer says whether libpcap accepts the filter, and if not, what is wrong and where.
    """
    try:
        await registry.filters.compile(body.filter)
    except InvalidFilter as error:
        return FilterVerdict(
            valid=False, error=FilterFault(message=error.reason, offset=error.offset)
        )
    return FilterVerdict(valid=True)
