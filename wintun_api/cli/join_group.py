"""The commands of `wintun-api join`: the name of a network joins it, `keys` makes keys.

    wintun-api join lab --adapter A
    wintun-api join keys --network lab

A word that is not the name of a command is the name of a network. The command that joins it is
called NETWORK, so help lists it as people type it.
"""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperGroup

from wintun_api.cli import join, join_keys

NETWORK: Final = "NETWORK"


class JoinGroup(TyperGroup):
    """Take a word that is not the name of a command as the name of a network."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments begin with, and its own arguments."""
        if args and args[0] not in self.commands and NETWORK in self.commands:
            # Without a name of its own: its usage has NETWORK as an argument already.
            return "", self.commands[NETWORK], args
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=JoinGroup,
    help="Join a network of many hosts with an adapter, or make keys for hosts. The command "
    "wintun-api join NETWORK --help lists the options for joining.",
    epilog=join.EPILOG,
    no_args_is_help=True,
    # Options may stand before the name of the network.
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
app.command("keys")(join_keys.keys)
app.command(NETWORK, epilog=join.EPILOG)(join.join)
