"""Filter uvicorn's log lines: keep none with an address and none per handshake.

An address may contain a token, in its path as well as in its query, and any client can send
handshakes endlessly. `security` counts those that it refuses.
"""

from __future__ import annotations

import logging

# uvicorn logs the address of every WebSocket, reports each handshake that was answered with a
# problem as an error, and passes its logger to websockets, which logs each connection again.
HANDSHAKES = (
    '%s - "WebSocket %s"',
    "ASGI callable returned without completing handshake",
    "connection open",
    "connection rejected",
)


def keeps(record: logging.LogRecord) -> bool:
    """Return whether to log a record; remove the query from every address in it."""
    if record.name == "uvicorn.access" or str(record.msg).startswith(HANDSHAKES):
        return False
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) and arg.startswith("/") else arg
            for arg in record.args
        )
    return True
