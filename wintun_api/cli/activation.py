"""The listening sockets that the program which starts the service has made (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

from wintun_api.errors import InvalidArgument
from wintun_api.limits import FIRST_PASSED

_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_HINT: Final = (
    "Pass listening TCP sockets only: in the socket unit, ListenStream with a port or with an "
    "address and a port."
)


def passed_sockets() -> list[socket.socket]:
    """Return the listening TCP sockets that were passed to this process, which now owns them.

    The variables are removed, so that programs which this process starts do not take the sockets
    for theirs. The list is empty where none were passed, or where they are for another process.

    Raises:
        InvalidArgument: What was passed is not a listening TCP socket, or the variables are wrong.
    """
    given = {name: os.environ.pop(name, None) for name in _VARIABLES}
    process, count = given["LISTEN_PID"], given["LISTEN_FDS"]
    if process is None or count is None or os.name != "posix":
        return []
    if _number("LISTEN_PID", process) != os.getpid():
        return []
    taken: list[socket.socket] = []
    try:
        for descriptor in range(FIRST_PASSED, FIRST_PASSED + _number("LISTEN_FDS", count)):
            taken.append(_take(descriptor))  # noqa: PERF401 - what was taken is closed on failure
    except InvalidArgument:
        for one in taken:
            one.close()
        raise
    return taken


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise InvalidArgument(name, f"{value!r} is not a number.", hint=_HINT)
    return int(value)


def _take(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor.

    Raises:
        InvalidArgument: It does not accept TCP connections.
    """
    try:
        os.set_inheritable(descriptor, False)
        one = socket.socket(fileno=descriptor)
    except OSError:  # closed, or not a socket
        raise _unsuitable(descriptor, "is not a socket") from None
    if one.family not in (socket.AF_INET, socket.AF_INET6) or one.type != socket.SOCK_STREAM:
        one.close()
        raise _unsuitable(descriptor, "is not a TCP socket")
    accepts = True
    with suppress(OSError, AttributeError):  # not every system can be asked
        accepts = bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    if not accepts:
        one.close()
        raise _unsuitable(descriptor, "does not listen")
    return one


def _unsuitable(descriptor: int, what: str) -> InvalidArgument:
    return InvalidArgument("LISTEN_FDS", f"The descriptor {descriptor} {what}.", hint=_HINT)
