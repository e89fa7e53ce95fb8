"""Writing an identity to a device, and what of it others have taken from the device."""

from __future__ import annotations

import errno
from collections.abc import Collection

from wintun_api.drivers.linux.identity import Identity, is_mark
from wintun_api.drivers.linux.rtnetlink import RouteSocket
from wintun_api.errors import DriverError

# Kernels before 5.5 have no alternative names.
_NO_ALTNAMES = (errno.EOPNOTSUPP, errno.EINVAL)


def put(route: RouteSocket, index: int, identity: Identity, altnames: Collection[str] = ()) -> None:
    """Write the identity to a device: its alias first, which alone says how it is called.

    Args:
        route: A conversation with the kernel.
        index: The device's interface index.
        identity: What the device shall be.
        altnames: The alternative names it has now; marks of another name are taken away.

    Raises:
        DriverError: The kernel refuses it.
        InvalidArgument: Name and pool do not fit into the alias together.
    """
    route.set_link(index, ifalias=identity.alias())
    put_marks(route, index, identity, altnames)


def put_marks(
    route: RouteSocket, index: int, identity: Identity, altnames: Collection[str] = ()
) -> None:
    """Write the alternative names of an identity to a device, where the kernel has such names."""
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
