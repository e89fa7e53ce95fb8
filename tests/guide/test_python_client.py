"""The programs of the page "client" are whole, and carry packets of the kernel."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import inside, ip, move, namespace, needs_kernel
from tests.guide.blocks import README, blocks, only
from tests.guide.echo import answers
from tests.needs import need
from tests.running import TOKEN, RunningService, running
from tests.testing.namespaces import needs_namespaces
from tests.waiting import until
from wintun_api.capture import pcapng

PAGE = "client"
PROGRAMS = ("client-handles", "client-echo", "client-events", "client-tunnel", "client-test")


@contextmanager
def program(
    service: RunningService, folder: Path, name: str, *arguments: str, subscribers: int = 1
) -> Iterator[subprocess.Popen[str]]:
    """Run a program of the page with the service's address, until it is stopped with Ctrl-C."""
    file = folder / f"{name}.py"
    file.write_text(only(PAGE, name))
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    with subprocess.Popen(
        [sys.executable, "-u", str(file), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            until(lambda: running.poll() is not None or _subscribers(service) >= subscribers)
            assert running.poll() is None
            yield running
            running.send_signal(signal.SIGINT)
            running.wait(30)
        finally:
            running.kill()


def _subscribers(service: RunningService) -> int:
    return sum(int(one["subscribers"]) for one in service.http.get("/v1/sessions").json())


def test_handles(service: RunningService, tmp_path: Path) -> None:
    """The first program prints what it made, and leaves nothing."""
    file = tmp_path / "handles.py"
    file.write_text(only(PAGE, "client-handles"))
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    done = subprocess.run(
        [sys.executable, file], env=environment, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"[0-9a-f-]{36} \w+ \S+\n", done.stdout)
    assert service.http.get("/v1/adapters").json() == []


def test_a_bad_network(service: RunningService, tmp_path: Path) -> None:
    """The program of the page of bad networks loses the same packets each time."""
    file = tmp_path / "impair.py"
    file.write_text(only("impairment", "client-impair"))
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}

    def run() -> str:
        return subprocess.run(
            [sys.executable, file], env=environment, capture_output=True, text=True, check=True
        ).stdout

    first = run()
    found = re.fullmatch(r"(\d+) of 100 were lost\n", first)
    assert found
    assert 5 < int(found[1]) < 50
    assert run() == first


def test_a_recorder(service: RunningService, tmp_path: Path) -> None:
    """The program of the page of recorders switches one on, and saves a file of whole blocks."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    file = tmp_path / "record.py"
    file.write_text(only("recorder", "client-recorder"))
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    subprocess.run([sys.executable, file], env=environment, cwd=tmp_path, check=True)
    saved = (tmp_path / "office.pcapng").read_bytes()
    assert saved
    assert pcapng.whole(saved) == len(saved)
    assert service.http.get(f"/v1/sessions/{session}/recorder").json()["seconds"] == 120


def test_a_named_capture(service: RunningService, tmp_path: Path) -> None:
    """The program of the page of named captures downloads a whole file, and leaves nothing."""
    service.session(service.adapter(name="OfficeNet"))
    file = tmp_path / "capture.py"
    file.write_text(only("named-captures", "client-captures"))
    environment = {**os.environ, "WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    subprocess.run([sys.executable, file], env=environment, cwd=tmp_path, check=True)
    (saved,) = tmp_path.glob("office-00001-*.pcapng")
    assert pcapng.whole(saved.read_bytes()) == saved.stat().st_size > 0
    assert service.http.get("/v1/captures").json() == []


@pytest.mark.skipif(sys.platform == "win32", reason="it is stopped with a signal of POSIX")
def test_events(service: RunningService, tmp_path: Path) -> None:
    """The program prints what happens, with its data as a model."""
    with program(service, tmp_path, "client-events", subscribers=0) as running:
        assert running.stdout is not None
        service.adapter(name="Adapter")
        line = next(line for line in running.stdout if "adapter.created" in line)
    assert "name='Adapter" in line


@pytest.mark.kernel
@pytest.mark.usefixtures("kernel_service")
class TestEcho:
    """The echo responder."""

    pytestmark = needs_kernel

    def test_it_answers(self, kernel_service: RunningService, tmp_path: Path) -> None:
        """Pings of the kernel to any address behind the adapter are answered; it tidies up."""
        with program(kernel_service, tmp_path, "client-echo"):
            assert answers("10.9.0.77") == 3
        assert kernel_service.http.get("/v1/adapters").json() == []


@dataclass(frozen=True, slots=True)
class Host:
    """A network namespace with a service."""

    descriptor: int
    service: RunningService


@contextmanager
def host(folder: Path) -> Iterator[Host]:
    """Make a host."""
    folder.mkdir()
    with (
        namespace(),
        Path("/proc/thread-self/ns/net").open() as here,
        running(folder, driver="linux", log_level="warning") as service,
    ):
        yield Host(here.fileno(), service)


@pytest.mark.kernel
class TestTunnel:
    """The tunnel between two hosts."""

    pytestmark = needs_kernel

    def test_ping_and_iperf3(self, tmp_path: Path) -> None:
        """Two hosts with a cable: ping and TCP pass, also after one program was killed."""
        need("iperf3")
        with host(tmp_path / "near") as near, host(tmp_path / "far") as far, ExitStack() as stack:
            with inside(near.descriptor):
                ip("link", "add", "wire0", "type", "veth", "peer", "name", "wire1")
                move("wire1", far.descriptor)
                ip("addr", "add", "192.0.2.1/24", "dev", "wire0")
                ip("link", "set", "wire0", "up")
            with inside(far.descriptor):
                ip("addr", "add", "192.0.2.2/24", "dev", "wire1")
                ip("link", "set", "wire1", "up")
            with (
                inside(near.descriptor),
                program(
                    near.service, tmp_path / "near", "client-tunnel", "10.9.0.1/24", "192.0.2.2"
                ) as victim,
            ):
                victim.kill()
                victim.wait()  # and it is started again below
            for end, folder, address, peer in (
                (near, "near", "10.9.0.1/24", "192.0.2.2"),
                (far, "far", "10.9.0.2/24", "192.0.2.1"),
            ):
                with inside(end.descriptor):
                    stack.enter_context(
                        program(end.service, tmp_path / folder, "client-tunnel", address, peer)
                    )
            with inside(far.descriptor):
                server = subprocess.Popen(
                    ["iperf3", "--forceflush", "-s", "-1", "-B", "10.9.0.2"],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            assert server.stdout is not None
            with inside(near.descriptor):
                assert answers("10.9.0.2") == 3
                assert any("listening" in line for line in server.stdout)
                done = subprocess.run(
                    ["iperf3", "-c", "10.9.0.2", "-t", "2", "-J"],
                    capture_output=True,
                    text=True,
                    check=True,
                    timeout=60,
                )
            server.communicate(timeout=60)
            assert json.loads(done.stdout)["end"]["sum_received"]["bytes"] > 1_000_000
            stack.close()
            until(lambda: far.service.http.get("/v1/adapters").json() == [])


@pytest.mark.parametrize("driver", ["emulated", pytest.param("rootless", marks=needs_namespaces)])
def test_the_test(tmp_path: Path, driver: str) -> None:
    """The file with the fixtures passes as a stranger's test."""
    (tmp_path / "test_it.py").write_text(only(PAGE, "client-test"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tun-driver", driver],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout or "1 skipped" in done.stdout


# What can be pasted


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_short(name: str) -> None:
    """A program has at most 40 lines."""
    assert len(only(PAGE, name).splitlines()) <= 40


def test_the_strictest_types(tmp_path: Path) -> None:
    """Every program, and that of README, passes mypy --strict as a stranger's file would."""
    pytest.importorskip("mypy")
    texts = {one.mark: one.text for one in blocks(PAGE) if one.language == "python"}
    texts["readme"] = only(README, "tunnel")
    for name, text in texts.items():
        (tmp_path / f"{name.replace('-', '_')}.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", *map(str, tmp_path.glob("*"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
