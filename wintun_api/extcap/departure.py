"""Notice that the adapter of a capture was deleted, which no packet says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from wintun_api.extcap.service import adapters_of

if TYPE_CHECKING:
    from wintun_api.client import Client


def watch(client: Client, guid: str, gone: Callable[[], None]) -> None:
    """Call a function, in a thread, as soon as the service has no adapter of this GUID.

    The thread ends with the client or with the process. What else goes wrong with the service is
    for the capture to say.
    """

    def run() -> None:
        with suppress(Exception):
            if _departs(client, guid):
                gone()

    threading.Thread(target=run, name="departure", daemon=True).start()


def _departs(client: Client, guid: str) -> bool:
    """Wait until the adapter is not there; return False if that cannot be known any more."""
    from wintun_api.choices import EventType
    from wintun_api.schemas.events import Event

    with client.events() as happenings:
        for one in happenings:
            if isinstance(one, Event):
                deleted = one.type is EventType.ADAPTER_DELETED and one.data.get("guid") == guid
            else:  # the beginning, or events that were missed
                deleted = all(adapter["guid"] != guid for adapter in adapters_of(client))
            if deleted:
                return True
    return False
