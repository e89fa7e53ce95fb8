"""Hosts: network namespaces, each with a service and a running session of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drivers.linux.kernel import namespace
from tests.running import RunningService, running


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace, its address in the tunnel, and its service with a running session."""

    descriptor: int
    address: str
    service: RunningService
    session: str


@contextmanager
def host(folder: Path, address: str) -> Iterator[Host]:
    """Make a namespace with a service and an adapter."""
    folder.mkdir()
    with (
        namespace(),
        Path("/proc/thread-self/ns/net").open() as here,
        running(folder, driver="linux", log_level="warning") as service,
    ):
        adapter = service.adapter(name="Tunnel", mtu=1420, addresses=[f"{address}/24"])
        yield Host(here.fileno(), address, service, service.session(adapter)["id"])
