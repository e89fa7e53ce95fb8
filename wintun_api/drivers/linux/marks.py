"""Write an identity to a device, and find out which parts others have removed."""

from __future__ import annotations

import errno
from collections.abc import Collection

from wintun_api.drivers.linux.identity import Identity, is_mark
from wintun_api.drivers.linux.rtnetlink import RouteSocket
from wintun_api.errors import DriverError

# Kernels before 5.5 do not have alternative names.
_NO_ALTNAMES = (errno.EOPNOTSUPP, errno.EINVAL)


def put(route: RouteSocket, index: int, identity: Identity, altnames: Collection[str] = ()) -> None:
    """Write the identity to a device: first its alias, which alone decides the name.

    Args:
        route: A socket to the kernel.
        index: The device's interface index.
        identity: The identity to write.
        altnames: Its present alternative names; marks of another name are removed.

    Raises:
        DriverError: The kernel refuses it.
        InvalidArgument: Name and pool together do not fit into the alias.
    """
    route.set_link(index, ifalias=identity.alias())
    put_marks(route, index, identity, altnames)


def put_marks(
    route: RouteSocket, index: int, identity: Identity, altnames: Collection[str] = ()
) -> None:
    """Write the alternative names of an identity to a device, if the kernel supports them."""
    wanted = identity.marks()
    stale = [name for name in altnames if is_mark(name) and name not in wanted]
    missing = [name for name in wanted if name not in altnames]
    try:
        if stale:
            route.delete_altnames(index, stale)
        if missing:
            route.add_altnames(index, missing)
    except DriverError as error:
        if error.code not in _NO_ALTNAMES:
            raise
