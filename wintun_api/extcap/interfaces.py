"""Which adapters an interface of Wireshark stands for.

An interface is called `wintun-api:` and the name of its adapter, or its GUID where the name cannot
be used. `wintun-api:all` stands for all adapters, those of later too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from wintun_api.extcap.sentences import can_name

PREFIX: Final = "wintun-api:"
ALL: Final = f"{PREFIX}all"


@dataclass(frozen=True, slots=True)
class Interface:
    """One interface of Wireshark.

    Attributes:
        value: Its name for programs, by which Wireshark asks for it.
        display: Its name for people.
        adapter: The GUID of its adapter; None for all adapters.
    """

    value: str
    display: str
    adapter: str | None


def interfaces_of(adapters: Sequence[dict[str, Any]]) -> list[Interface]:
    """Return the interfaces of adapters, as the service lists those, and the one for all."""
    found = [Interface(ALL, "all adapters of wintun-api", None)]
    for one in adapters:
        name, guid = str(one["name"]), str(one["guid"])
        usable = can_name(name) and PREFIX + name != ALL
        found.append(Interface(PREFIX + (name if usable else guid), f"adapter {name}", guid))
    return found


def interface_of(value: str, adapters: Sequence[dict[str, Any]]) -> Interface | None:
    """Return the interface that Wireshark asks for; None if its adapter is not there."""
    known = interfaces_of(adapters)
    return next((one for one in known if value in (one.value, f"{PREFIX}{one.adapter}")), None)
