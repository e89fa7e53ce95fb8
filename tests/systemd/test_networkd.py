"""The lines of the guide that keep network managers away, read by those that can be had."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from tests.guide.blocks import only
from wintun_api.drivers.linux.driver import LinuxDriver

NETWORKD = Path("/lib/systemd/systemd-networkd")

pytestmark = [
    *kernel.needs_kernel,
    pytest.mark.skipif(not NETWORKD.exists(), reason="systemd-networkd is not installed"),
    pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed"),
]

# A network that takes every interface, with everything that it writes in places of its own.
RUN = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
chown -R systemd-network /run/systemd/netif
mount -t tmpfs tmpfs /etc/systemd/network
mount -t sysfs -o ro sysfs /sys
printf '[Match]\\nName=*\\n[Network]\\nAddress=10.99.0.1/24\\n' >/etc/systemd/network/50-all.network
cat >/etc/systemd/network/05-wintun-api.network
SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console exec /lib/systemd/systemd-networkd 2>&1
"""


def what_networkd_does(lines: str) -> str:
    """Return what systemd-networkd does with an adapter: its word for it."""
    with kernel.namespace():
        driver = LinuxDriver()
        driver.create_adapter("A1", "Example")
        driver.close()
        command = ["unshare", "--mount", "sh", "-c", RUN]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as networkd:
            assert networkd.stdin is not None
            assert networkd.stdout is not None
            networkd.stdin.write(lines)
            networkd.stdin.close()
            try:
                said = []
                for line in networkd.stdout:
                    said.append(line)
                    assert "Unknown" not in line
                    for word in ("Unmanaging", "Configuring"):
                        if line.startswith(f"A1: {word}"):
                            return word
                raise AssertionError("".join(said))
            finally:
                networkd.kill()


def test_networkd_leaves_adapters_alone() -> None:
    """With the lines systemd-networkd does nothing to an adapter; without them it would."""
    assert what_networkd_does("") == "Configuring"
    assert what_networkd_does(only("network", "networkd")) == "Unmanaging"


def test_the_lines_for_network_manager() -> None:
    """The lines have the one section and key, and the form of specifications by name."""
    parser = configparser.ConfigParser()
    parser.read_string(only("network", "network-manager"))
    assert parser.sections() == ["keyfile"]
    assert list(parser["keyfile"]) == ["unmanaged-devices"]
    for one in parser["keyfile"]["unmanaged-devices"].split(";"):
        assert one.startswith("interface-name:")
