"""Networks of many hosts as interfaces: those for which this user has the key of a reader.

`wintun-api capture --network lab` makes such a key where the bus is on this machine. A key that was
made elsewhere is listed once it is in the same place: `lab/reader.key` in the folder of agents.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from wintun_api.extcap.options import OPTIONS as OF_ADAPTERS
from wintun_api.extcap.options import Chosen
from wintun_api.extcap.service import Refused

if TYPE_CHECKING:
    from wintun_api.extcap.stopping import Stopping
    from wintun_api.extcap.toolbar import Toolbar
    from wintun_api.fleet.bus.seam import Bus
    from wintun_api.fleet.captures.merging import Matches
    from wintun_api.fleet.network import Network

PREFIX: Final = "wintun-api-network:"

_LAST: Final = "Begin with what the bus has kept of the last seconds; 0 begins now"
_ALIKE: Final = ("direction", "snaplen")
OPTIONS: Final = (
    *(one for one in OF_ADAPTERS if one.name in _ALIKE),
    *(replace(one, tooltip=_LAST) for one in OF_ADAPTERS if one.name == "last"),
)


def networks() -> list[str]:
    """Return the names of the networks that can be read here."""
    from wintun_api.errors import InvalidSettings
    from wintun_api.fleet.keys.folder import default_directory, readable_networks

    with suppress(InvalidSettings):
        return [one.name for one in readable_networks(default_directory())]
    return []


def network_of(interface: str | None) -> str | None:
    """Return the network that an interface stands for; None if it stands for adapters."""
    if interface is None or not interface.startswith(PREFIX):
        return None
    return interface.removeprefix(PREFIX)


def fault_of(expression: str) -> str | None:
    """Return what is wrong with a filter, which this process compiles; None if nothing is."""
    from wintun_api.errors import FilterUnavailable, InvalidFilter

    try:
        _matches(expression)
    except InvalidFilter as error:
        return f"{error.reason} (at character {error.offset + 1})"
    except FilterUnavailable as error:
        return str(error)
    return None


def blocks(
    name: str, expression: str, chosen: Chosen, toolbar: Toolbar | None, stopping: Stopping
) -> Generator[bytes, None, None]:
    """Yield the packets of the hosts of a network until a signal comes. Close it when it is left.

    What is to be known besides the packets is then written on standard error. A signal raises
    nothing here.

    Raises:
        Refused: The filter is not valid, or the bus refuses or does not answer.
    """
    from wintun_api.errors import WintunApiError
    from wintun_api.fleet.problems import how_to_install

    try:
        yield from _blocks(name, expression, chosen, toolbar, stopping)
    except WintunApiError as error:
        raise Refused(" ".join(filter(None, (str(error), error.hint)))) from error
    except ImportError as error:
        if (error.name or "").startswith("wintun_api"):
            raise
        raise Refused(f"The package {error.name} is missing. {how_to_install('fleet')}") from error


def _blocks(
    name: str, expression: str, chosen: Chosen, toolbar: Toolbar | None, stopping: Stopping
) -> Iterator[bytes]:
    from wintun_api.fleet.captures.reading import Choice, End, opened
    from wintun_api.fleet.captures.remarks import remarks
    from wintun_api.fleet.network import Network

    network = Network(name)
    choice = Choice(
        since=f"-{chosen.last}s" if chosen.last else None,
        injected={"injected": True, "received": False}.get(chosen.direction),
        matches=_matches(expression) if expression else None,
        filter=expression,
        snaplen=chosen.snaplen,
    )
    end = End()
    with (
        stopping.told(end),
        suppress(KeyboardInterrupt),  # it was told to end before it was open
        opened(lambda: _connect(network), network, choice, end) as opening,
    ):
        merging = opening.reading.merging

        def change(another: str) -> str | None:
            wrong = fault_of(another) if another else None
            if wrong is None:
                matches = _matches(another) if another else None
                merging.wanted = replace(merging.wanted, matches=matches)
            return wrong

        if toolbar is not None:
            toolbar.serve(expression, change)
        try:
            yield from opening.chunks
        finally:
            for one in remarks(merging):
                print(one, file=sys.stderr)  # noqa: T201 - Wireshark shows it at the end


def _matches(expression: str) -> Matches:
    from wintun_api.fleet.captures.reading import matching

    return matching(expression)


async def _connect(network: Network) -> Bus:
    from wintun_api.fleet.bus.nats import NatsBus
    from wintun_api.fleet.keys.folder import READER, default_directory
    from wintun_api.fleet.keys.rights import Role
    from wintun_api.fleet.server import laboratory
    from wintun_api.fleet.storage import Storage

    line = await Storage(default_directory()).key(
        network,
        READER,
        laboratory.Laboratory(laboratory.default_directory()),
        role=Role.READER,
        name="wintun-api capture",
    )
    return await NatsBus.connect(line, name="wintun-api extcap")
