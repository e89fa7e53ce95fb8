"""Which lines of the server below us reach the log: none with an address, none per handshake.

An address may hold a token, in its path as well as in its query, and everybody may send handshakes
without end. The door counts those that it refuses (security.py).
"""

from __future__ import annotations

import logging

# uvicorn logs the address of every WebSocket, calls each handshake that was answered with a problem
# an error, and hands its logger to websockets, which tells of each connection once more.
HANDSHAKES = (
    '%s - "WebSocket %s"',
    "ASGI callable returned without completing handshake",
    "connection open",
    "connection rejected",
)


def keeps(record: logging.LogRecord) -> bool:
    """Say whether a record is logged; cut the query off every address in it."""
    if record.name == "uvicorn.access" or str(record.msg).startswith(HANDSHAKES):
        return False
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) and arg.startswith("/") else arg
            for arg in record.args
        )
    return True
