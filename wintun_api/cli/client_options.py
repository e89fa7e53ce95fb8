"""The options of every command that talks to a running service."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wintun_api import variables
from wintun_api.cli import bundle
from wintun_api.cli.options import JSON_HELP, as_path
from wintun_api.variables import DEFAULT_URL

if TYPE_CHECKING:
    from wintun_api.cli.client import Client

HOST, NETWORK, BUS, KEY = "--host", "--network", "--bus", "--key"
PANEL = "Another host of a network"


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The service that a command talks to, and how it shows what the service answers.

    Attributes:
        url: The address of the service.
        token: The token, or None if it is elsewhere.
        token_file: The file with the token, or None if it is elsewhere.
        as_json: Whether the answer is shown as JSON.
        host: The host of a network whose service is meant, in place of the one at `url`; None for
            that one.
        network: The network of the host.
        bus: Where the server of the network is; None for what the key says.
        key: The file with the key for it; None for a key of the bus on this machine.
    """

    url: str
    token: str | None
    token_file: Path | None
    as_json: bool
    host: str | None = None
    network: str | None = None
    bus: str | None = None
    key: Path | None = None

    def connect(self) -> AbstractContextManager[Client]:
        """Return a client of the service, as `client.connect` does."""
        if self.host is not None:
            from wintun_api.cli.far_client import connect_far

            return connect_far(self.host, self.network, self.bus, self.key)
        for value, flag in ((self.network, NETWORK), (self.bus, BUS), (self.key, KEY)):
            if value is not None:
                raise typer.BadParameter("It belongs to --host, which is missing.", param_hint=flag)
        from wintun_api.cli.client import connect  # needs httpx, which --help does without

        return connect(self.url, self.token, self.token_file)


def takes_client_options(
    json_help: str = JSON_HELP, *, far: bool = False
) -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `options` is a `ClientOptions`.

    Args:
        json_help: What --json does, where the command shows more than one answer.
        far: Whether the command can be for the service of another host of a network: it sends
            requests only, and reads nothing of this machine.
    """
    url = typer.Option("--url", envvar=variables.URL, help="The address of the service.")
    token = typer.Option(
        "--token",
        help="The token. Other users can see it in the list of processes, so prefer the variable "
        "WINTUN_API_TOKEN or --token-file.",
        show_default=False,
    )
    token_file = typer.Option(
        "--token-file",
        parser=as_path,
        metavar="<path>",
        help="The file with the token. The default is the service's own file.",
    )
    as_json = typer.Option("--json", help=json_help)
    options = [
        bundle.option("url", Annotated[str, url], DEFAULT_URL),
        bundle.option("token", Annotated[str | None, token], None),
        bundle.option("token_file", Annotated[Path | None, token_file], None),
        bundle.option("as_json", Annotated[bool, as_json], False),
    ]
    if far:
        options += _far_options()
    return bundle.takes("options", options, ClientOptions)


def _far_options() -> list[bundle.Option]:
    host = typer.Option(
        HOST,
        metavar="HOST",
        rich_help_panel=PANEL,
        help="Ask the service of this host over the bus: its name, its id or the beginning of it, "
        "as wintun-api hosts shows them. Its agent must allow it.",
    )
    network = typer.Option(
        NETWORK,
        metavar="NETWORK",
        rich_help_panel=PANEL,
        help="The network of the host. The default is that of the key, or lab.",
    )
    bus = typer.Option(
        BUS,
        metavar="URL",
        rich_help_panel=PANEL,
        help="Where the server of the bus is. The default is what the key says.",
    )
    key = typer.Option(
        KEY,
        metavar="FILE",
        parser=as_path,
        rich_help_panel=PANEL,
        help="The file with the key of an operator: wintun-api join keys --role operator makes it. "
        "Without it a bus on this machine, of the same user, makes one.",
    )
    return [
        bundle.option("host", Annotated[str | None, host], None),
        bundle.option("network", Annotated[str | None, network], None),
        bundle.option("bus", Annotated[str | None, bus], None),
        bundle.option("key", Annotated[Path | None, key], None),
    ]
