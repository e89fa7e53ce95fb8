"""fleet.unreachable: the kernel takes the answers, and programs fail at once."""

from __future__ import annotations

import errno
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.needs import needs
from tests.running import TOKEN, RunningService
from wintun_api.client import Client, SessionHandle, StreamClosed
from wintun_api.fleet.packets.unreachable import Unreachable

pytestmark = needs_kernel

NOBODY = {"10.9.0.77": socket.AF_INET, "fd09::77": socket.AF_INET6}


@contextmanager
def answering(service: RunningService) -> Iterator[SessionHandle]:
    """Answer everything that the host sends, for nobody is there."""
    with (
        Client(service.url, token=TOKEN) as client,
        client.adapter("Lab", addresses=["10.9.0.1/24", "fd09::1/64"]) as adapter,
        adapter.session() as session,
        session.packets() as stream,
    ):
        unreachable = Unreachable()

        def answer() -> None:
            try:
                for burst in stream:
                    stream.put(unreachable.answers(burst.packets))
            except StreamClosed:
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield session
        finally:
            stream.close()
            thread.join()


@pytest.mark.parametrize("nobody", NOBODY)
def test_connecting(kernel_service: RunningService, nobody: str) -> None:
    """A connection to an address that nobody has is refused with `No route to host`."""
    with (
        answering(kernel_service),
        socket.socket(NOBODY[nobody], socket.SOCK_STREAM) as connection,
    ):
        connection.settimeout(20)
        assert connection.connect_ex((nobody, 9)) == errno.EHOSTUNREACH


@needs("ping")
@pytest.mark.parametrize("nobody", NOBODY)
def test_ping(kernel_service: RunningService, nobody: str) -> None:
    """`ping` says that the host is unreachable."""
    with answering(kernel_service):
        said = subprocess.run(
            ["ping", "-c", "1", "-W", "20", nobody], capture_output=True, text=True, check=False
        )
    assert "unreachable" in said.stdout.lower()
