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


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The service that a command talks to, and how it shows what the service answers.

    Attributes:
        url: The address of the service.
        token: The token, or None if it is elsewhere.
        token_file: The file with the token, or None if it is elsewhere.
        as_json: Whether the answer is shown as JSON.
    """

    url: str
    token: str | None
    token_file: Path | None
    as_json: bool

    def connect(self) -> AbstractContextManager[Client]:
        """Return a client of the service, as `client.connect` does."""
        from wintun_api.cli.client import connect  # needs httpx, which --help does without

        return connect(self.url, self.token, self.token_file)


def takes_client_options(json_help: str = JSON_HELP) -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `options` is a `ClientOptions`.

    Args:
        json_help: What --json does, where the command shows more than one answer.
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
    return bundle.takes("options", options, ClientOptions)
