"""Services on emulated machines, each with an adapter in one common subnet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fleet.running import A, B
from tests.running import RunningService, running
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.packet import build

ADDRESSES = {A: "10.7.0.1", B: "10.7.0.2"}


class Site:
    """A service on an emulated machine, with an adapter in one common subnet."""

    def __init__(self, path: Path, host: str) -> None:
        self.path = path
        path.mkdir(exist_ok=True)
        self.host = host
        self.address = ADDRESSES[host]
        self.library = EmulatedLibrary(Generation.TUNNEL_TYPE, Machine())
        self.start(0)

    def start(self, port: int) -> None:
        """Start the service, and create the adapter."""
        self._run: Any = running(self.path, emulated_driver(self.library), port=port)
        self.service: RunningService = self._run.__enter__()
        self.adapter = self.service.adapter(
            name="Lab", addresses=[f"{self.address}/24"], if_exists="open"
        )

    def stop(self) -> None:
        """Stop the service."""
        self._run.__exit__(None, None, None)

    def make_anew(self) -> None:
        """Delete the adapter, and create one with the same GUID."""
        guid = self.adapter["guid"]
        self.service.api.delete_adapter(guid)
        self.adapter = self.service.adapter(
            name="Lab", addresses=[f"{self.address}/24"], requested_guid=guid
        )

    def send(self, packet: bytes) -> bool:
        """Let the host send a packet into its adapter."""
        with self.library.machine.lock:
            return self.library.machine.device("Lab").deliver(packet)

    def injected(self) -> int:
        """Return how many packets the host got from its adapter."""
        (session,) = self.service.api.list_sessions()
        return session.counters.injected.packets


def ping(one: Site, other: Site, number: int = 1) -> bytes:
    """Return a ping from the host of a site to that of another one."""
    return build.icmp_echo(one.address, other.address, identifier=7, sequence=number)


def unanswered(one: Site, other: Site, size: int = 1200) -> bytes:
    """Return a packet that the other host takes without a word."""
    request = build.icmp_echo(
        other.address, one.address, identifier=1, sequence=1, data=bytes(size)
    )
    answer = build.echo_reply(request)
    assert answer is not None
    return answer
