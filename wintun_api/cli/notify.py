"""What the service tells systemd about itself (sd_notify(3)), if systemd started it."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress


def ready(status: str) -> None:
    """Say that the service answers from now on; `status` is a sentence about it."""
    _send(f"READY=1\nSTATUS={status}")


def stopping() -> None:
    """Say that the service begins to shut down."""
    _send("STOPPING=1")


def _send(state: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if sys.platform != "win32" and address:
        if address.startswith("@"):  # a name in no file system (unix(7))
            address = "\0" + address[1:]
        # Without an answer systemd ends the start by itself and says so.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), address)
