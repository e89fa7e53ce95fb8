"""Store an adapter's GUID, pool and name in the kernel: in the device's alias and altnames.

So listing, opening and renaming work across restarts, and only adapters of this program are found.
An alias is free text that administrators and other programs may set for their own purposes, so the
identity is stored in alternative names too (ip-link(8): altname). Within a network namespace an
alternative name is unique, while an alias can be copied to any device.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from wintun_api.drivers.limits import check_name, check_pool
from wintun_api.errors import InvalidArgument

PREFIX = "wintun-api/1/"
MARK_PREFIX = "wintun-api-1-"
MARK_TEXT = 72  # characters of base64 in one alternative name; if.h: ALTIFNAMSIZ is 128
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
    """Hold the GUID, pool and name of an adapter."""

    guid: UUID
    pool: str
    name: str

    def alias(self) -> str:
        """Return the ifalias.

        Raises:
            InvalidArgument: Pool and name together are too long.
        """
        alias = f"{alias_start(self.guid)}{self.pool}/{self.name}"
        excess = len(alias.encode()) - MAX_ALIAS
        if excess > 0:
            has = len(self.pool.encode()) + len(self.name.encode())
            raise InvalidArgument(
                "name",
                f"name and pool together have {has} bytes of UTF-8; the limit on Linux is "
                f"{has - excess}.",
                hint="Choose a shorter name or pool.",
            )
        return alias

    def marks(self) -> tuple[str, ...]:
        """Return the alternative names that store the identity: up to four of 127 characters.

        Each is `wintun-api-1-GUID-PART` and a piece of the pool and name in base64url (RFC 4648),
        because ip(8) and the kernel allow few characters in a name.
        """
        content = f"{self.pool}/{self.name}".encode()
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        pieces = [text[at : at + MARK_TEXT] for at in range(0, len(text), MARK_TEXT)]
        last = len(pieces) - 1
        return tuple(
            f"{mark_start(self.guid)}{part}{'.' if part == last else '-'}{piece}"
            for part, piece in enumerate(pieces)
        )

    def same_name(self, name: str) -> bool:
        """Return whether the adapter has this name, ignoring case as Windows does."""
        return self.name.casefold() == name.casefold()


def alias_start(guid: UUID) -> str:
    """Return the beginning of an adapter's ifalias, which does not depend on its name."""
    return f"{PREFIX}{guid}/"


def mark_start(guid: UUID) -> str:
    """Return the beginning of an adapter's alternative names, independent of its name."""
    return f"{MARK_PREFIX}{guid}-"


def is_mark(altname: str) -> bool:
    """Return whether an alternative name may be part of an identity."""
    return altname.startswith(MARK_PREFIX)


def identify(alias: object, altnames: Iterable[str] = ()) -> Identity | None:
    """Return the identity of a device; None if neither its alias nor its altnames have one.

    The altnames decide which adapter it is, because an alias may have been copied from another one.
    An alias of the same adapter decides its name, because renaming changes the alias first.
    """
    named = parse_alias(alias)
    marked = parse_marks(altnames)
    if marked is None or (named is not None and named.guid == marked.guid):
        return named
    return marked


def parse_marks(altnames: Iterable[str]) -> Identity | None:
    """Return the identity in alternative names; None if it is missing or incomplete."""
    found = sorted(filter(is_mark, altnames))
    text, guid = "", found[0][len(MARK_PREFIX) :][:36] if found else ""
    for part, name in enumerate(found):
        start = f"{MARK_PREFIX}{guid}-{part}"
        end, piece = name[len(start) :][:1], name[len(start) + 1 :]
        if not name.startswith(start) or end not in ("-", "."):
            return None
        text += piece
        if end == ".":
            break
    else:
        return None
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        pool, _, name = content.decode().partition("/")
        identity = Identity(UUID(guid), check_pool(pool), check_name(name))
        return identity if set(identity.marks()) <= set(found) else None
    except (ValueError, binascii.Error):
        return None


def parse_alias(alias: object) -> Identity | None:
    """Return the identity in an ifalias; None if it is not ours or incomplete."""
    # pyroute2 returns bytes if the text is not UTF-8.
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
    """Return the kernel name to ask for: the adapter's own if it is valid, else a pattern."""
    encoded = name.encode()
    if (
        len(encoded) > MAX_KERNEL_NAME
        or name in _FORBIDDEN_NAMES
        or not _FORBIDDEN_BYTES.isdisjoint(encoded)
    ):
        return KERNEL_NAME_PATTERN
    return name


def luid_of(interface_index: int) -> int:
    """Return a NET_LUID as Windows would build it (ifdef.h), from the interface index."""
    return NET_LUID_TYPE << 48 | (interface_index & 0xFFFFFF) << 24
