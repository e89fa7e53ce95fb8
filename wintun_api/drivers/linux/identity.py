"""GUID, pool and name of an adapter, kept where the kernel keeps them: in the device's ifalias.

So enumeration, open and rename work across restarts, and find only adapters of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from wintun_api.drivers.limits import check_name, check_pool
from wintun_api.errors import InvalidArgument

PREFIX = "wintun-api/1/"
MAX_ALIAS = 254  # if.h: IFALIASZ is 256; one byte is the zero, another one netlink's
MAX_KERNEL_NAME = 15  # if.h: IFNAMSIZ is 16 with the zero
KERNEL_NAME_PATTERN = "wt%d"
NET_LUID_TYPE = 53  # ipifcons.h: IF_TYPE_PROP_VIRTUAL, what Wintun's adapters are

# net/core/dev.c: dev_valid_name refuses these, and isspace() there knows the no-break space.
# "%" would make a pattern of the name; "all" and "default" are taken in /proc/sys/net.
_FORBIDDEN_BYTES = frozenset(b"/:% \t\n\v\f\r\xa0")
_FORBIDDEN_NAMES = frozenset((".", "..", "all", "default"))


@dataclass(frozen=True, slots=True)
class Identity:
    """What an adapter is called in Wintun's words."""

    guid: UUID
    pool: str
    name: str

    def alias(self) -> str:
        """Return the ifalias.

        Raises:
            InvalidArgument: Pool and name do not fit together.
        """
        alias = f"{alias_start(self.guid)}{self.pool}/{self.name}"
        excess = len(alias.encode()) - MAX_ALIAS
        if excess > 0:
            has = len(self.pool.encode()) + len(self.name.encode())
            raise InvalidArgument(
                "name",
                f"{has} bytes of UTF-8 are in name and pool together; on Linux {has - excess} fit.",
                hint="Choose a shorter name or pool.",
            )
        return alias

    def same_name(self, name: str) -> bool:
        """Tell whether the adapter has this name, whatever the case, as Windows compares."""
        return self.name.casefold() == name.casefold()


def alias_start(guid: UUID) -> str:
    """Return what the ifalias of an adapter begins with, whatever its name."""
    return f"{PREFIX}{guid}/"


def parse_alias(alias: object) -> Identity | None:
    """Return the identity in an ifalias, None for one that is not ours or not whole."""
    # pyroute2 gives bytes for what is no UTF-8.
    if not isinstance(alias, str) or not alias.startswith(PREFIX):
        return None
    parts = alias[len(PREFIX) :].split("/")
    if len(parts) != 3:
        return None
    text, pool, name = parts
    try:
        identity = Identity(UUID(text), check_pool(pool), check_name(name))
        return identity if identity.alias() == alias else None
    except ValueError:
        return None


def kernel_name(name: str) -> str:
    """Return the kernel name to ask for: the adapter's own when it is valid, else a pattern."""
    encoded = name.encode()
    if (
        len(encoded) > MAX_KERNEL_NAME
        or name in _FORBIDDEN_NAMES
        or not _FORBIDDEN_BYTES.isdisjoint(encoded)
    ):
        return KERNEL_NAME_PATTERN
    return name


def luid_of(interface_index: int) -> int:
    """Return a NET_LUID as Windows would build it (ifdef.h), with the index for its own."""
    return NET_LUID_TYPE << 48 | (interface_index & 0xFFFFFF) << 24
