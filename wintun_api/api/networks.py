"""The networks of many hosts over REST: agents report them, the dashboard shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from wintun_api.api.access import REPORT, needs
from wintun_api.api.context import ContextOf, problems
from wintun_api.choices import Scope
from wintun_api.limits import MAX_INVENTORY, MAX_NETWORK_NAME
from wintun_api.schemas.networks import Network, NetworkSet

router = APIRouter(prefix="/v1/networks", tags=["networks"])


@router.get("", operation_id="list_networks", responses=problems())
@needs(Scope.READ)
async def list_networks(context: ContextOf) -> list[Network]:
    """List the joined networks.

    These are the networks of many hosts that agents beside this service (`wintun-api join`) have
    joined. An agent reports its network every ten seconds. A network that has not been reported for
    30 seconds is not listed.
    """
    return context.inventory.all()


@router.put(
    "/{network}",
    operation_id="set_network",
    responses=problems(),
    max_body_size=MAX_INVENTORY,
)
@needs(REPORT)
async def set_network(
    network: Annotated[
        str,
        Path(
            min_length=1,
            max_length=MAX_NETWORK_NAME,
            pattern="^[a-z0-9][a-z0-9-]*$",
            description="The name of the network.",
        ),
    ],
    body: NetworkSet,
    context: ContextOf,
) -> Network:
    """Set the report of a network.

    The service keeps the report in memory for 30 seconds, in place of the previous one about this
    network, and does nothing else with it. It keeps 16 networks; beyond that it drops the oldest
    report.
    """
    reported = Network(name=network, reported_at=datetime.now(UTC), **dict(body))
    context.inventory.put(reported)
    return reported
