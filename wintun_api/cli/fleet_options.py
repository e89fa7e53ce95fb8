"""The options of the commands that connect with a bus, and the connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api.cli import bundle
from wintun_api.cli.options import as_folder, as_path

if TYPE_CHECKING:
    from wintun_api.fleet.bus.nats import NatsBus
    from wintun_api.fleet.keys.identity import KeyLine
    from wintun_api.fleet.keys.rights import Role
    from wintun_api.fleet.network import Network, Prefix
    from wintun_api.fleet.storage import Storage

EXTRA = "fleet"
MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """A bus, and the key with which a command connects.

    Attributes:
        bus: Where the servers are; those of the key if there are none.
        key: The file of the key; None for a key of the bus on this machine.
        data_dir: Where this user's agents keep their things; None for the default.
        bus_data_dir: Where the bus on this machine keeps its data; None for the default.
    """

    bus: list[str] | None
    key: Path | None
    data_dir: Path | None
    bus_data_dir: Path | None

    def storage(self) -> Storage:
        """Return where this user's agents keep their things."""
        from wintun_api.fleet.storage import Storage, default_directory

        return Storage(self.data_dir or default_directory())

    def has_key(self, network: Network, what: str, *, role: Role) -> bool:
        """Return whether there is a key, or a bus that can make one; see `Storage.has_key`."""
        from wintun_api.cli.bus import laboratory_in

        laboratory = laboratory_in(self.bus_data_dir)
        return self.key is not None or self.storage().has_key(network, what, laboratory, role)

    async def key_for(self, network: Network, what: str, *, role: Role, name: str) -> KeyLine:
        """Return the key; see `Storage.key`."""
        from wintun_api.cli.bus import laboratory_in

        return await self.storage().key(
            network,
            what,
            laboratory_in(self.bus_data_dir),
            file=self.key,
            servers=tuple(self.bus or ()),
            role=role,
            name=name,
        )


async def connected(line: KeyLine, name: str, *, pending: int | None = None) -> NatsBus:
    """Connect with a bus, and warn of a server with known holes.

    Raises:
        FleetError: It refuses, or does not answer.
    """
    from wintun_api.cli.log import tell
    from wintun_api.fleet.bus.nats import NatsBus
    from wintun_api.fleet.server.program import parsed, warning_of

    if pending is None:
        bus = await NatsBus.connect(line, name=name)
    else:
        bus = await NatsBus.connect(line, name=name, pending=pending)
    version = parsed(bus.version)
    warning = warning_of(version) if version is not None else None
    if warning:
        tell(f"Warning: {warning}")
    return bus


def takes_fleet_options(command: bundle.Command) -> bundle.Command:
    """Decorate a command whose argument `fleet` is a `FleetOptions`."""
    bus = typer.Option(
        "--bus",
        metavar="URL",
        help="The URL of the bus, such as tls://hub.example.com:4222. The default is the URLs in "
        "the key. Can be repeated.",
    )
    key = typer.Option(
        "--key",
        metavar="FILE",
        parser=as_path,
        help="The file with a key that wintun-api join keys has made. Without it, a bus that the "
        "same user runs on this machine makes one.",
    )
    data_dir = typer.Option(
        "--data-dir",
        metavar="FOLDER",
        parser=as_folder,
        help="The folder for keys and counters of agents. The default is a folder of this user.",
    )
    bus_data_dir = typer.Option(
        "--bus-data-dir",
        metavar="FOLDER",
        parser=as_folder,
        help="The folder of the bus on this machine, if it was started with --data-dir.",
    )
    options = [
        bundle.option("bus", Annotated[list[str] | None, bus], None),
        bundle.option("key", Annotated[Path | None, key], None),
        bundle.option("data_dir", Annotated[Path | None, data_dir], None),
        bundle.option("bus_data_dir", Annotated[Path | None, bus_data_dir], None),
    ]
    make: Callable[..., object] = FleetOptions
    return bundle.takes("fleet", options, make)(command)


def check_name(name: str) -> None:
    """Check what a host is called.

    Raises:
        typer.BadParameter: It is too long, or a terminal could not show it.
    """
    if len(name) > MAX_NAME or not name.isprintable():
        raise typer.BadParameter(
            f"A name has at most {MAX_NAME} characters, all of them printable.", param_hint="--name"
        )


def network_in(name: str) -> Network:
    """Return the network of a name.

    Raises:
        typer.BadParameter: It is not the name of a network.
    """
    from wintun_api.errors import InvalidArgument
    from wintun_api.fleet.network import Network

    try:
        return Network(name)
    except InvalidArgument as error:
        raise typer.BadParameter(
            str(error).removeprefix(f"{error.field}: "), param_hint="NETWORK"
        ) from None


def prefix_in(text: str) -> Prefix:
    """Return the prefix that was given.

    Raises:
        typer.BadParameter: It is not a network, or never one of a single host.
    """
    try:
        prefix = ip_network(text.strip())
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is not a network such as 192.168.5.0/24: {error}.", param_hint="--prefix"
        ) from None
    if prefix.is_multicast or prefix.is_loopback or prefix.is_link_local:
        raise typer.BadParameter(
            f"No host can claim {prefix}: multicast reaches all hosts without a claim, and "
            "loopback and link-local addresses belong to each host.",
            param_hint="--prefix",
        )
    return prefix
