"""TUN devices of the kernel without rights: where that works, and why it does not elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.needs import leave_out, need
from tests.testing import plain_user
from tests.testing.namespaces import needs_namespaces
from tests.testing.projects import ASK
from wintun_api.testing import rootless

if sys.platform == "win32":
    leave_out("namespaces are Linux's", module=True)

pytestmark = needs_namespaces

PYTEST = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist"]
ROOTLESS = [*PYTEST, "--tun-driver", "rootless"]

# The host pings itself over its adapter's address; the driver is the kernel's.
HOST = """
from ask import ask

def test_host(tun_service):
    assert ask(tun_service, "/v1/driver")["name"] == "linux"
    body = {"name": "Lab", "pool": tun_service.pool, "addresses": ["198.18.0.1/28"]}
    adapter = ask(tun_service, "/v1/adapters", **body)
    assert adapter["name"] in tun_service.run(["ip", "link"]).stdout
    assert tun_service.run(["ping", "-c1", "-W5", "198.18.0.1"]).returncode == 0
"""


def machine_devices() -> list[str]:
    """Return the devices of the machine's network."""
    lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    return [line.partition(":")[0].strip() for line in lines]


@pytest.fixture
def home() -> Iterator[Path]:
    """The folder of a plain user, with a test of the host's side."""
    with plain_user.folder() as path:
        (path / "ask.py").write_text(ASK)
        (path / "test_host.py").write_text(HOST)
        yield path


def test_a_plain_user_has_kernel_devices(home: Path) -> None:
    """A user without rights manages TUN devices and runs ping; the machine gets none of them."""
    need("ping")
    need("ip")
    before = machine_devices()
    done = plain_user.run(ROOTLESS, home)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert machine_devices() == before


def test_root_has_them_too(home: Path) -> None:
    """Root gets a namespace as well, so that tests do not touch the machine's network."""
    need("ping")
    need("ip")
    before = machine_devices()
    done = subprocess.run(
        ROOTLESS, cwd=home, capture_output=True, text=True, timeout=120, check=False
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert machine_devices() == before


def test_a_closed_device_skips(home: Path) -> None:
    """Where this user may not open /dev/net/tun, tests are skipped and the reason says so."""
    done = plain_user.run(ROOTLESS, home, device_mode="600")
    assert done.returncode == 0
    assert "/dev/net/tun cannot be opened: Permission denied. Let this user read and" in done.stdout


def test_a_machine_without_the_device(tmp_path: Path) -> None:
    """Where there is no TUN device, the reason says how to get one."""
    reason = rootless.why_not(tmp_path / "tun")
    assert reason is not None
    device = tmp_path / "tun"
    assert reason == (
        f"There is no {device}. Load the module with modprobe tun, or give a container "
        f"--device {device}."
    )


def test_without_user_namespaces(home: Path) -> None:
    """Where the kernel's limit forbids user namespaces, the reason names limit and remedy."""
    limited = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"'
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", limited, "sh", *ROOTLESS],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "This user may not make a user and a network namespace: unshare:" in done.stdout
    assert "user.max_user_namespaces is 0" in done.stdout
    assert "sysctl user.max_user_namespaces=" in done.stdout


def test_settings_that_forbid_namespaces_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings of Debian's and Ubuntu's kernels are named where they are the reason."""
    programs = tmp_path / "bin"
    programs.mkdir()
    refusing = programs / "unshare"
    refusing.write_text(
        "#!/bin/sh\n"
        "echo 'unshare: write failed /proc/self/uid_map: Operation not permitted' >&2\n"
        "exit 1\n"
    )
    refusing.chmod(0o755)
    shutil.copy(str(shutil.which("true")), programs / "nsenter")
    monkeypatch.setenv("PATH", f"{programs}:/bin:/usr/bin")
    setting = tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns"
    setting.parent.mkdir()
    setting.write_text("1\n")
    reason = rootless.why_not(sysctl=tmp_path)
    assert reason is not None
    assert "uid_map: Operation not permitted. The kernel's setting" in reason
    assert "kernel.apparmor_restrict_unprivileged_userns is 1" in reason
    setting.write_text("0\n")
    assert rootless.why_not(sysctl=tmp_path) == (
        "This user may not make a user and a network namespace: unshare: write failed "
        "/proc/self/uid_map: Operation not permitted. The sandbox of a container may forbid it."
    )


@pytest.mark.parametrize("missing", ["unshare", "nsenter"])
def test_missing_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """Without util-linux the reason names the program and the package."""
    if missing == "nsenter":
        shutil.copy(str(shutil.which("true")), tmp_path / "unshare")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert rootless.why_not() == f"The program {missing} is missing. Install util-linux."


def test_linux_without_rights_skips(home: Path) -> None:
    """The driver linux skips for a plain user, and the reason leads to rootless."""
    done = plain_user.run([*PYTEST, "--tun-driver", "linux"], home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not have CAP_NET_ADMIN" in done.stdout
    assert "--tun-driver rootless, which needs no rights" in done.stdout


def test_programs_need_a_kernel(pytester: pytest.Pytester) -> None:
    """`run` on the emulated driver says that no program can run there, and how to mark the test."""
    pytester.makepyfile(
        """
        import pytest
        from wintun_api.testing import NotPossible

        def test_it(tun_service):
            with pytest.raises(NotPossible, match="tun_driver"):
                tun_service.run(["ip", "link"])
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
