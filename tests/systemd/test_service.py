"""The service under systemd itself, with everything that the unit takes from it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.drivers.linux.kernel import namespace_of, needs_kernel
from tests.elsewhere import ServiceElsewhere, ping_through
from tests.guide.blocks import only
from tests.needs import need
from tests.systemd.machine import Machine, install, machine
from tests.waiting import until

PROJECT = Path(__file__).parent.parent.parent
PROGRAM = "/opt/wintun-api/bin/wintun-api"
CAP_NET_ADMIN = 1 << 12

pytestmark = [pytest.mark.heavy, *needs_kernel]


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine where the unit is installed as its first lines say, and started."""
    need("systemd-nspawn", "nsenter", "ping", "uv")
    folder = tmp_path_factory.mktemp("systemd")
    install(folder / "installed", PROJECT)
    with machine(folder, folder / "installed") as started:
        unit = started.run(f"{PROGRAM} service unit > /etc/systemd/system/wintun-api.service")
        assert unit == "", "a warning"
        started.run("systemctl daemon-reload")
        started.run("systemctl enable --now wintun-api || journalctl -u wintun-api")
        yield started


@pytest.fixture
def service(booted: Machine) -> Iterator[ServiceElsewhere]:
    """The service in it, while this thread is in its network."""
    token = booted.run("cat /var/lib/wintun-api/token").strip()
    with namespace_of(booted.leader):
        elsewhere = ServiceElsewhere("http://127.0.0.1:9886", token)
        yield elsewhere
        elsewhere.stop()


def status(booted: Machine) -> dict[str, str]:
    """What the kernel knows of the service's process (proc_pid_status(5))."""
    lines = booted.run(f"cat /proc/{booted.property('MainPID')}/status").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_started(booted: Machine) -> None:
    """It has said itself that it answers, and what it serves."""
    assert booted.property("ActiveState") == "active"
    assert booted.property("StatusText") == "The driver linux at http://127.0.0.1:9886"
    assert booted.property("NRestarts") == "0"


def test_rights(booted: Machine) -> None:
    """It is nobody's user, with one right and no way to more."""
    found = status(booted)
    assert found["Uid"].split()[0] not in ("0", "65534")
    for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[kind], 16) == CAP_NET_ADMIN, kind
    assert found["NoNewPrivs"] == "1"
    assert found["Seccomp"] == "2"  # a filter is in force


def test_files(booted: Machine) -> None:
    """It may write its state, which root alone can read besides, and nothing else."""
    process = booted.property("MainPID")

    def touch(path: str) -> str:
        return booted.run(f"nsenter --target={process} --mount touch {path}", check=False)

    for path in ("/etc/here", "/usr/here", "/var/here", "/opt/here"):
        assert "Read-only file system" in touch(path), path
    assert touch("/var/lib/wintun-api/here") == ""
    assert booted.run("stat --format=%a /var/lib/private/wintun-api/token").strip() == "600"
    devices = booted.run(f"nsenter --target={process} --mount ls -A /home /root")
    assert devices.split() == ["/home:", "/root:"]


def test_driver(service: ServiceElsewhere) -> None:
    """The driver has what it needs, and sees the kernel's settings."""
    driver = service.http.get("/v1/driver").json()
    assert driver["unavailable"] is None
    assert driver["running_version"] is not None


def test_ping(service: ServiceElsewhere) -> None:
    """Adapters are made, in both families, and carry packets."""
    adapter = ping_through(service, "Systemd")
    assert adapter["families"] == [4, 6]
    assert adapter["wanted"] is None


def test_restart(booted: Machine, service: ServiceElsewhere) -> None:
    """Adapters and token survive the service, which ends in order and starts again."""
    made = service.adapter(name="Kept", addresses=["10.8.8.1/24"])
    booted.run("systemctl restart wintun-api")
    assert [one["guid"] for one in service.http.get("/v1/adapters").json()] == [made["guid"]]
    log = booted.run("journalctl --output=cat --unit=wintun-api")
    assert "Traceback" not in log
    assert service.http.headers["Authorization"].split()[1] not in log


def test_stop(booted: Machine) -> None:
    """It ends in order, which is no failure."""
    booted.run("systemctl stop wintun-api")
    assert booted.property("ActiveState") == "inactive"
    assert booted.property("Result") == "success"
    assert booted.property("ExecMainStatus") == "0"


def test_socket_activation(booted: Machine) -> None:
    """The socket unit of the guide starts the service at the first request, which is answered."""
    unit = shlex.quote(only("linux", "socket-unit"))
    booted.run(f"printf %s {unit} > /etc/systemd/system/wintun-api.socket")
    booted.run("systemctl stop wintun-api && systemctl daemon-reload")
    booted.run("systemctl enable --now wintun-api.socket")
    assert booted.property("ActiveState") == "inactive"
    with namespace_of(booted.leader):
        health = httpx.get("http://127.0.0.1:9886/noauth/health", timeout=60, trust_env=False)
        assert health.status_code == 200
        until(lambda: booted.property("ActiveState") == "active")
        assert booted.property("StatusText") == "The driver linux at http://127.0.0.1:9886"
        # A request while the service restarts waits for it.
        booted.run("systemctl restart --no-block wintun-api")
        health = httpx.get("http://127.0.0.1:9886/noauth/health", timeout=60, trust_env=False)
        assert health.status_code == 200
    booted.run("systemctl stop wintun-api.socket wintun-api")
    assert booted.property("Result") == "success"
