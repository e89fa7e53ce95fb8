"""TCP through two adapters in two network namespaces, joined by a WebSocket client."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from tests.drivers.linux.kernel import ip, needs_kernel
from tests.needs import needs
from tests.running import RunningService
from tests.traffic.peers import bridge
from tests.waiting import until

pytestmark = needs_kernel

FILE_SIZE = 64 * 1024 * 1024
SECONDS = int(os.environ.get("IPERF_SECONDS", "2"))


@contextmanager
def host(service: RunningService, address: str) -> Iterator[tuple[str, str]]:
    """Make a namespace with an adapter of the service in it; yield its name and the session."""
    name = f"wt-{uuid4().hex[:8]}"
    ip("netns", "add", name)
    try:
        adapter = service.adapter(name=name, mtu=1420)
        session = service.session(adapter)["id"]
        device = adapter["interface_name"]
        ip("link", "set", device, "netns", name)
        for command in (
            ["addr", "add", address, "dev", device],
            ["link", "set", device, "up"],
            ["link", "set", "lo", "up"],
        ):
            ip("-n", name, *command)
        yield name, session
        assert service.http.delete(f"/v1/adapters/{adapter['guid']}").status_code == 200
        assert device not in ip("-n", name, "link")  # also from where the service cannot see it
    finally:
        ip("netns", "del", name)


@contextmanager
def two_hosts(service: RunningService) -> Iterator[tuple[str, str, list[str]]]:
    """Two hosts that reach each other through a bridge."""
    with (
        host(service, "10.6.7.1/24") as (one, first),
        host(service, "10.6.7.2/24") as (other, second),
        bridge(service, first, second),
    ):
        yield one, other, [first, second]


def inside(name: str, *command: str) -> list[str]:
    """Return the command that runs in a namespace."""
    return ["ip", "netns", "exec", name, *command]


def listening(name: str, port: int) -> None:
    """Wait until something listens on this port of the namespace."""
    command = inside(name, "ss", "-Hltn")
    until(
        lambda: (
            f":{port} "
            in subprocess.run(command, capture_output=True, text=True, check=True).stdout
        )
    )


@pytest.mark.thorough
@needs("ip", "ss", "iperf3")
def test_iperf3_each_way(kernel_service: RunningService, caplog: pytest.LogCaptureFixture) -> None:
    """TCP flows both ways for a while; the log is clean and memory stays flat."""
    with two_hosts(kernel_service) as (one, other, _):
        server = subprocess.Popen(
            inside(other, "iperf3", "-s", "-p", "5201"), stdout=subprocess.PIPE
        )
        try:
            listening(other, 5201)
            memory = []
            for reverse in ([], ["-R"]):
                command = ["iperf3", "-J", "-c", "10.6.7.2", "-p", "5201", "-t", str(SECONDS)]
                done = subprocess.run(
                    inside(one, *command, *reverse),
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=SECONDS + 30,
                )
                assert done.returncode == 0, done.stdout
                rate = json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]
                assert rate > 0
                memory.append(psutil.Process().memory_info().rss)
            assert memory[1] - memory[0] < 32 * 1024 * 1024
        finally:
            server.terminate()
            server.communicate()
    assert [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")] == []


@pytest.mark.thorough
@needs("ip", "ss", "nc")
def test_a_file_arrives_whole(kernel_service: RunningService, tmp_path: Path) -> None:
    """64 MiB through nc have the same SHA-256 on the other side."""
    sent, arrived = tmp_path / "sent", tmp_path / "arrived"
    block = os.urandom(1024 * 1024)
    with sent.open("wb") as file:
        for number in range(FILE_SIZE // len(block)):
            file.write(number.to_bytes(4, "big") + block[4:])
    with two_hosts(kernel_service) as (one, other, _), arrived.open("wb") as sink:
        receiver = subprocess.Popen(inside(other, "nc", "-l", "-p", "7000"), stdout=sink)
        listening(other, 7000)
        with sent.open("rb") as source:
            subprocess.run(
                inside(one, "nc", "-N", "10.6.7.2", "7000"), stdin=source, check=True, timeout=120
            )
        receiver.wait(30)
    assert sha256(sent) == sha256(arrived)


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
