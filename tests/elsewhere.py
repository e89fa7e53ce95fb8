"""A service that somebody else runs, and the clients of `tests.running` that talk to it."""

from __future__ import annotations

import re
import subprocess
from typing import Any

from tests.running import RunningService
from tests.traffic.peers import responder
from wintun_api.wire import BATCH


class ServiceElsewhere(RunningService):
    """A service at an address; `http` and `api` have the admin's token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.secret = token
        self.http = self.client(token)

    def stop(self) -> float:
        """Leave it; who runs it ends it."""
        self.http.close()
        self.api.close()
        return 0.0


def ping_through(service: RunningService, name: str) -> dict[str, Any]:
    """Make an adapter, let ping go through it to a client, and delete it; return what it was."""
    adapter = service.adapter(name=name, mtu=1420, addresses=["10.6.7.7/24", "fd06:7::7/64"])
    session = service.session(adapter)["id"]
    with responder(service, session, BATCH):
        for destination in ("10.6.7.8", "fd06:7::8"):
            # With a deadline it goes on until there are ten answers.
            ping = subprocess.run(
                ["ping", "-c", "10", "-i", "0.05", "-w", "20", destination],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            assert re.search(r"\b10 received", ping.stdout), ping
    gone = service.http.delete(f"/v1/adapters/{adapter['guid']}", params={"force": True})
    assert gone.is_success, gone.text
    return adapter
