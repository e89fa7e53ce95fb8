"""Convert errno to the exceptions of the package."""

from __future__ import annotations

import errno
import os

from wintun_api.errors import AccessDenied, AdapterNotFound, DriverError, SessionEnded

# Of another platform only where this module is imported there; the numbers are Linux's.
EBADFD: int = getattr(errno, "EBADFD", 77)

ACCESS_HINT = (
    "Run wintun-api doctor to see what is missing: the service needs CAP_NET_ADMIN for its network "
    "namespace, and must be allowed to open /dev/net/tun."
)

_CLASSES: dict[int, type[DriverError]] = {
    errno.EPERM: AccessDenied,
    errno.EACCES: AccessDenied,
    errno.ENODEV: AdapterNotFound,
    EBADFD: SessionEnded,
}


def driver_error(function: str, code: int, detail: str = "") -> DriverError:
    """Return the exception for the errno `code` of the call `function`.

    `detail` is a sentence; without one, the system's own text is used if the class has none.
    """
    found = _CLASSES.get(code, DriverError)
    if not detail and found is DriverError:
        detail = f"{os.strerror(code)}."
    hint = ACCESS_HINT if found is AccessDenied else None
    return found.from_call(function, code, detail, domain="errno", hint=hint)
