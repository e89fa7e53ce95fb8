"""The client of commands with `--host`: the service of another host, over the bus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wintun_api.cli.bus import DEFAULT_NETWORK
from wintun_api.cli.client import STRANGE, Client
from wintun_api.cli.fleet_failure import fleet_failures
from wintun_api.cli.fleet_options import EXTRA, FleetOptions, connected, network_in
from wintun_api.cli.output import fail
from wintun_api.cli.setting_options import check_variables

if TYPE_CHECKING:
    from wintun_api.fleet.bus.nats import NatsBus
    from wintun_api.fleet.remote.reaching import Reaching

OPERATOR = "operator"  # the name of the key with which commands ask hosts


@contextmanager
def connect_far(
    host: str, network: str | None, bus: str | None, key: Path | None
) -> Iterator[Client]:
    """Return a client of a host's service; its agent presents a token, not the command.

    Args:
        host: What the user calls the host.
        network: Its network; None for that of the key.
        bus: Where the server is; None for what the key says.
        key: The file with the key of an operator; None for a key of the bus on this machine.
    """
    from wintun_api.client import synchronous

    check_variables()
    with fleet_failures(EXTRA):
        transport = _reach(host, network, bus, key)
        with synchronous.Client(transport.url, transport=transport) as api:
            try:
                yield Client(api)
            except STRANGE as error:
                fail(
                    f"The service of {host} does not answer like this version of it "
                    f"({type(error).__name__}: {str(error)[:200]}).",
                    "Compare the versions with wintun-api hosts and wintun-api version.",
                )


def _reach(host: str, network: str | None, bus: str | None, key: Path | None) -> Reaching:
    from wintun_api.fleet.keys.identity import read_key
    from wintun_api.fleet.keys.rights import Role
    from wintun_api.fleet.remote.reaching import Reaching

    named = network
    if named is None:
        named = DEFAULT_NETWORK if key is None else read_key(key).network.name
    chosen = network_in(named)
    options = FleetOptions([bus] if bus else None, key, None, None)

    async def begin() -> NatsBus:
        line = await options.key_for(chosen, OPERATOR, role=Role.OPERATOR, name="wintun-api --host")
        return await connected(line, "wintun-api --host")

    return Reaching(begin, chosen, host)
