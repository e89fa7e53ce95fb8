"""What is left of a service when the process of the tests is killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.linux.kernel import namespace, needs_kernel
from tests.needs import leave_out
from tests.testing.projects import ASK
from tests.waiting import until

if sys.platform == "win32":
    leave_out("processes are looked at under /proc", module=True)
assert sys.platform != "win32"

# Makes an adapter, says where, and waits to be killed.
VICTIM = """
import signal, sys
from ask import ask

def test_it(tun_service):
    ask(tun_service, "/v1/adapters", name=tun_service.next_name(), pool=tun_service.pool)
    print("\\nready", tun_service.pid, tun_service._warden.pid, file=sys.stderr, flush=True)
    {before}
    signal.pause()
"""


class Victim:
    """A run of tests that waits inside a test."""

    def __init__(self, folder: Path, driver: str, before: str = "pass") -> None:
        (folder / "ask.py").write_text(ASK)
        (folder / "test_it.py").write_text(VICTIM.format(before=before))
        (folder / "temporary").mkdir()
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-s", "-p", "no:xdist", "--tun-driver", driver],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder / "temporary")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.process.stderr is not None
        line = next(line for line in self.process.stderr if line.startswith("ready "))
        self.service, self.warden = (int(one) for one in line.split()[1:])

    def gone(self) -> bool:
        """Return whether service, warden and their directory are gone."""
        processes = [Path(f"/proc/{pid}") for pid in (self.service, self.warden)]
        return not any(one.exists() for one in [*processes, *(self.folder / "temporary").iterdir()])

    def close(self) -> None:
        """End it."""
        assert self.process.stderr is not None
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def network() -> Iterator[None]:
    """A network namespace whose devices are those of the tests."""
    with namespace():
        yield


def devices() -> list[str]:
    """Return the devices of this thread's network namespace, other than lo."""
    lines = Path("/proc/thread-self/net/dev").read_text().splitlines()[2:]
    return [name for line in lines if (name := line.partition(":")[0].strip()) != "lo"]


def test_kill_ends_an_emulated_service(tmp_path: Path) -> None:
    """After kill -9 of the tests the service ends, and its directory is removed."""
    victim = Victim(tmp_path, "emulated")
    try:
        victim.process.kill()
        until(victim.gone)
    finally:
        victim.close()


@pytest.mark.parametrize("driver", [pytest.param("linux", marks=needs_kernel)])
@pytest.mark.usefixtures("network")
def test_kill_removes_kernel_devices(tmp_path: Path, driver: str) -> None:
    """TUN devices, which outlive their service, are removed after kill -9 of the tests."""
    victim = Victim(tmp_path, driver)
    try:
        assert len(devices()) == 1
        os.killpg(victim.process.pid, signal.SIGKILL)
        until(victim.gone)
        assert devices() == []
    finally:
        victim.close()


@pytest.mark.parametrize("driver", [pytest.param("linux", marks=needs_kernel)])
@pytest.mark.usefixtures("network")
def test_devices_of_a_killed_service_are_removed(tmp_path: Path, driver: str) -> None:
    """Where a test has killed the service, another one removes its TUN devices."""
    victim = Victim(
        tmp_path, driver, "import os; os.kill(tun_service.pid, signal.SIGKILL); raise SystemExit"
    )
    try:
        victim.process.wait(60)
        assert victim.gone()
        assert devices() == []
    finally:
        victim.close()


@pytest.mark.thorough(but_first=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_to_the_group_of_the_tests(tmp_path: Path, number: int) -> None:
    """Ctrl-C reaches the tests alone: fixtures are still torn down with a service that answers."""
    victim = Victim(tmp_path, "emulated")
    try:
        os.killpg(victim.process.pid, number)
        victim.process.wait(60)
        until(victim.gone)
    finally:
        victim.close()
