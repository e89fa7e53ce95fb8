"""Options that say which host a command is for, and may stand before the command.

    wintun-api --host hub adapters list

means the same as `wintun-api adapters list --host hub`: they are put behind the command, which says
so if it does not know them.
"""

from __future__ import annotations

from wintun_api.cli.client_options import BUS, HOST, KEY, NETWORK

FLAGS = (HOST, NETWORK, BUS, KEY)
# Here --host is the address at which a service listens.
OTHERS = frozenset(("demo", "doctor", "health", "serve", "service"))


def behind_the_command(arguments: list[str]) -> list[str]:
    """Return the arguments with these options behind the command."""
    leading: list[str] = []
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in FLAGS:
        count = 1 if "=" in rest[0] else 2
        leading += rest[:count]
        rest = rest[count:]
    if not rest or rest[0] in OTHERS:
        return list(arguments)
    end = rest.index("--") if "--" in rest else len(rest)
    return [*rest[:end], *leading, *rest[end:]]


def about_host(said: str) -> str:
    """Return what is wrong, with what --host is for where a command does not take it."""
    if said != f"No such option: {HOST}":
        return said
    return (
        f"{said}. It belongs to a command that asks the service of another host, as in "
        f"wintun-api {HOST} hub status."
    )
