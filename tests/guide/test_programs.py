"""The programs of the guide carry packets of the kernel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import needs_kernel
from tests.guide.blocks import only
from tests.guide.echo import answers
from tests.running import TOKEN, RunningService, running
from tests.waiting import until

pytestmark = [pytest.mark.kernel, *needs_kernel]


@contextmanager
def program(service: RunningService, file: Path, session: str, *more: str) -> Iterator[None]:
    """Run a program with the variables that it reads, once it is subscribed until the end."""
    environment = {**os.environ, "API": service.url, "TOKEN": TOKEN}
    with subprocess.Popen([sys.executable, str(file), session, *more], env=environment) as running:
        try:
            path = f"/v1/sessions/{session}"
            until(
                lambda: running.poll() is not None or service.http.get(path).json()["subscribers"]
            )
            assert running.poll() is None
            yield
        finally:
            running.terminate()


def test_the_client(kernel_service: RunningService, tmp_path: Path) -> None:
    """The client in Python answers pings to any address behind the adapter."""
    file = tmp_path / "client.py"
    file.write_text(only("clients", "client"))
    adapter = kernel_service.adapter(name="Guide", addresses=["10.6.7.7/24"])
    with program(kernel_service, file, kernel_service.session(adapter)["id"]):
        assert answers("10.6.7.99") == 3


def test_the_tunnel(kernel_service: RunningService, tmp_path: Path) -> None:
    """Two of the programs on the page "vpn" join a kernel device to an emulated machine."""
    file = tmp_path / "vpn.py"
    file.write_text(only("vpn", "vpn"))
    near = kernel_service.adapter(name="Near", addresses=["10.6.7.1/24"], mtu=1420)
    with running(tmp_path / "far") as far_service:
        far = far_service.adapter(name="Far", addresses=["10.6.7.2/24"])
        places = [f"127.0.0.1:{port}" for port in free_ports()]
        sessions = kernel_service.session(near)["id"], far_service.session(far)["id"]
        with (
            program(kernel_service, file, sessions[0], *places),
            program(far_service, file, sessions[1], *reversed(places)),
        ):
            assert answers("10.6.7.2") == 3


def free_ports() -> list[int]:
    """Return two UDP ports that are free in this namespace."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two,
    ):
        for each in (one, two):
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in (one, two)]


def test_the_client_is_short() -> None:
    """It is what a newcomer reads first."""
    assert len(only("clients", "client").splitlines()) <= 15


def test_the_client_for_node_is_the_one_that_is_run() -> None:
    """The guide shows the program that tests/clients runs, whole."""
    shown = Path(__file__).parents[1] / "clients" / "node" / "raw.mjs"
    assert only("clients", "client-node") == shown.read_text("utf-8")
