"""What an agent is told to do: what it joins with what, and how often it does things."""

from __future__ import annotations

from dataclasses import dataclass

from wintun_api.client.backoff import Backoff
from wintun_api.fleet.captures.capturing import CaptureOrder
from wintun_api.fleet.members.inventory import LIFETIME, RENEWAL, RETURN
from wintun_api.fleet.network import Network, Prefix
from wintun_api.fleet.packets.backlog import DEFAULT_BYTES, Policy
from wintun_api.fleet.remote.allowance import Allow
from wintun_api.fleet.service.attachment import BACKOFF, RESTORING


@dataclass(frozen=True, slots=True)
class Order:
    """What is joined with what.

    Attributes:
        network: The network.
        adapter: The adapter, by its name or its GUID.
        name: What this host is called.
        prefixes: What is claimed beside the addresses of the adapter.
        policy: What happens to packets for which the bus has no room.
        bus_bytes: How many bytes wait for the bus.
        allow: What operators may ask of the service over the bus; None for nothing.
        capture: Which packets are captured for the network; None for none.
    """

    network: Network
    adapter: str
    name: str
    prefixes: tuple[Prefix, ...] = ()
    policy: Policy = "drop_oldest"
    bus_bytes: int = DEFAULT_BYTES
    allow: Allow | None = None
    capture: CaptureOrder | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How often things are done, in seconds.

    Attributes:
        renewal: Between two cards.
        lifetime: Without a card, after which a host is dead.
        patience: That hosts have to come back when this one was away itself.
        telling: Between two rounds of telling other hosts what became of their packets.
        clock: Between two measurements of the clock.
        service: How a service is looked for that has gone.
        restoring: That a service has to restore what it had, before it is said to be missing.
    """

    renewal: float = RENEWAL
    lifetime: float = LIFETIME
    patience: float = RETURN
    telling: float = 1.0
    clock: float = 60.0
    service: Backoff = BACKOFF
    restoring: float = RESTORING
