"""drivers.linux.availability: why the driver cannot work, as a value."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drivers.linux.user_namespaces import user_namespaces
from tests.needs import needs
from wintun_api.drivers.base import UnavailableReason
from wintun_api.drivers.linux import availability
from wintun_api.errors import AccessDenied, DriverUnavailable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="about Linux")

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
CHARACTER_DEVICE = Path("/dev/null")


def status_file(directory: Path, effective: int) -> Path:
    file = directory / "status"
    file.write_text(f"Name:\tpython\nCapPrm:\tffffffffffffffff\nCapEff:\t{effective:016x}\n")
    return file


def test_no_tun_device(tmp_path: Path) -> None:
    """A missing device is named, with what a container must be given."""
    found = availability.unavailable_reason(tmp_path / "tun", status_file(tmp_path, 1 << 12))
    assert found is not None
    assert found.reason is UnavailableReason.NO_TUN_DEVICE
    assert str(tmp_path / "tun") in found.message
    assert "--device /dev/net/tun --cap-add NET_ADMIN" in found.hint


def test_no_character_device(tmp_path: Path) -> None:
    """A file in its place is no device."""
    (tmp_path / "tun").touch()
    found = availability.unavailable_reason(tmp_path / "tun", status_file(tmp_path, 1 << 12))
    assert found is not None
    assert found.reason is UnavailableReason.NO_TUN_DEVICE


def test_not_elevated(tmp_path: Path) -> None:
    """Every capability but CAP_NET_ADMIN is not enough."""
    status = status_file(tmp_path, (1 << 41) - 1 & ~(1 << 12))
    found = availability.unavailable_reason(CHARACTER_DEVICE, status)
    assert found is not None
    assert found.reason is UnavailableReason.NOT_ELEVATED
    assert "CAP_NET_ADMIN" in found.message


@pytest.mark.skipif(not availability.has_net_admin(), reason="needs CAP_NET_ADMIN")
def test_available(tmp_path: Path) -> None:
    """CAP_NET_ADMIN alone, and a device that opens, are enough."""
    assert availability.unavailable_reason(CHARACTER_DEVICE, status_file(tmp_path, 1 << 12)) is None


@pytest.mark.skipif(not availability.has_net_admin(), reason="needs CAP_NET_ADMIN")
def test_without_proc(tmp_path: Path) -> None:
    """Where nobody can tell the capabilities, the first call will."""
    assert availability.unavailable_reason(CHARACTER_DEVICE, tmp_path / "none") is None


# The whole driver in a process without the capability, or without the device.
PROGRAM = """
import sys
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.errors import WintunApiError
driver = LinuxDriver()
found = driver.unavailable_reason()
print(found and found.reason)
try:
    driver.create_adapter("never made", "Example")
except WintunApiError as error:
    print(type(error).__name__, error.hint)
try:
    print(driver.adapters())
except WintunApiError as error:
    print(type(error).__name__)
"""


def run(*prefix: str) -> list[str]:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", PROGRAM],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(not ROOT, reason="needs root")
@needs("setpriv")
@pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="needs /dev/net/tun")
def test_process_without_capability() -> None:
    """Without CAP_NET_ADMIN adapters can be listed and not created."""
    reason, refusal, adapters = run("setpriv", "--bounding-set=-net_admin")
    assert reason == UnavailableReason.NOT_ELEVATED
    assert refusal.startswith(AccessDenied.__name__)
    assert "--cap-add NET_ADMIN" in refusal
    assert adapters.startswith("[")


@pytest.mark.skipif(not ROOT, reason="needs root")
@needs("unshare")
@pytest.mark.skipif(not Path("/dev/net").is_dir(), reason="needs /dev/net")
def test_process_without_device() -> None:
    """Where a container has no TUN device, every call says so."""
    shell = 'mount -t tmpfs none /dev/net && exec "$0" "$@"'
    try:
        reason, refusal, adapters = run("unshare", "--mount", "sh", "-c", shell)
    except subprocess.CalledProcessError:
        pytest.skip("no mount namespace can be made")
    assert reason == UnavailableReason.NO_TUN_DEVICE
    assert refusal.startswith(DriverUnavailable.__name__)
    assert "--device /dev/net/tun" in refusal
    assert adapters == DriverUnavailable.__name__


@pytest.mark.skipif(not ROOT, reason="needs root")
@needs("unshare")
@pytest.mark.skipif(not Path("/dev/net").is_dir(), reason="needs /dev/net")
@pytest.mark.skipif(not availability.has_net_admin(), reason="needs CAP_NET_ADMIN")
@pytest.mark.parametrize(
    ("mount", "number"),
    [
        pytest.param("-o dev", "10 254", id="no-driver"),
        pytest.param("-o nodev", "10 200", id="not-allowed"),
    ],
)
def test_process_with_a_device_that_does_not_open(mount: str, number: str) -> None:
    """A device that is there, but without its driver or not allowed to be opened, is none."""
    made = f"mount -t tmpfs {mount} none /dev/net && mknod /dev/net/tun c {number}"
    try:
        reason, refusal, _ = run("unshare", "--mount", "sh", "-c", f'{made} && exec "$0" "$@"')
    except subprocess.CalledProcessError:
        pytest.skip("no mount namespace can be made")
    assert reason == UnavailableReason.NO_TUN_DEVICE
    assert refusal.startswith(DriverUnavailable.__name__)


@pytest.mark.thorough
@user_namespaces
@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(("unshare", "-Ur"), id="all capabilities"),
        pytest.param(("unshare", "-U"), id="no capability"),
        pytest.param(("unshare", "-Ur", "setpriv", "--bounding-set=-sys_admin"), id="some"),
        pytest.param(("unshare", "-Urn", "unshare", "-Ur"), id="nested"),
        pytest.param(
            ("unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none /dev && exec "$0" "$@"'),
            id="without a device too",
        ),
    ],
)
def test_network_of_another_user_namespace(prefix: tuple[str, ...]) -> None:
    """Capabilities that do not count for this network are not called missing, nor sufficient."""
    reason, refusal, adapters = run(*prefix)
    assert reason == UnavailableReason.NETWORK_NOT_OWNED
    assert refusal.startswith(AccessDenied.__name__)
    assert "unshare -Urn" in refusal
    assert "elevated" not in refusal
    assert adapters.startswith("[")  # they can be listed all the same


@pytest.mark.thorough
@user_namespaces
@pytest.mark.skipif(availability.missing_device() is not None, reason="needs /dev/net/tun")
@pytest.mark.parametrize("prefix", [("unshare", "-Urn"), ("unshare", "-Ur", "unshare", "-n")])
def test_network_of_its_own(prefix: tuple[str, ...]) -> None:
    """Where the user namespace owns the network, adapters can be made."""
    reason, *_, adapters = run(*prefix)
    assert reason == "None"
    assert "never made" in adapters


@pytest.mark.skipif(not ROOT, reason="needs root")
@needs("unshare")
@pytest.mark.skipif(not Path("/dev/net").is_dir(), reason="needs /dev/net")
@pytest.mark.parametrize(("mode", "cause"), [("600", "its mode"), ("666", "CAP_NET_ADMIN")])
def test_device_of_another_user(mode: str, cause: str) -> None:
    """A device that this user may not open is told from a right that is missing."""
    program = (
        "from wintun_api.drivers.linux import availability as a; r = a.unavailable_reason();"
        "print(r.message)"
    )
    made = f"mount -t tmpfs -o dev none /dev/net && mknod -m {mode} /dev/net/tun c 10 200"
    # The interpreter may lie where that user cannot read, so the user changes within it.
    inside = "import os; os.setgroups([]); os.setuid(65534);"
    imports = "from wintun_api.drivers.linux import availability;"
    done = subprocess.run(
        [
            *("unshare", "--mount", "sh", "-c", f'{made} && exec "$0" "$@"'),
            *(sys.executable, "-c", f"{imports} {inside} {program}"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    if done.stderr.startswith("unshare:"):
        pytest.skip("no mount namespace can be made")
    assert cause in done.stdout, done


@pytest.mark.thorough
@needs("strace")
@pytest.mark.skipif(availability.missing_device() is not None, reason="needs /dev/net/tun")
@pytest.mark.parametrize(
    ("code", "words"),
    [("EPERM", "device rules"), ("EACCES", "its mode"), ("ENXIO", "modprobe tun")],
)
def test_a_device_that_does_not_open(code: str, words: str) -> None:
    """The system's refusals have causes of their own: mode, a container's rules, no module."""
    program = (
        "from wintun_api.drivers.linux import availability as a; r = a.unavailable_reason();"
        "print(r.reason, r.message, r.hint)"
    )
    fault = ("-P", "/dev/net/tun", "-e", f"inject=openat:error={code}")
    done = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", *fault, sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    if "PTRACE" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.stdout.startswith(UnavailableReason.NO_TUN_DEVICE), done
    assert words in done.stdout
