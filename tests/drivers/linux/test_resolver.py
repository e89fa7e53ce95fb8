"""drivers.linux.resolver: what is said to resolvectl(1), and what is read from it.

A program of our own stands in for resolvectl: it keeps what it is given in files, and prints lines
as the real one does. systemd-resolved itself is not asked here.
"""

from __future__ import annotations

import select
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.linux.driver import LinuxDriver
from wintun_api.drivers.linux.resolver import Resolver, by_link, find_resolver
from wintun_api.errors import DriverError, NotSupported

# A line with #! takes no path with a space in it.
COMMAND = """#!/bin/sh
exec '{python}' '{program}' "$@"
"""
RESOLVECTL = """import json, pathlib, sys
path = pathlib.Path(__file__).with_suffix(".json")
known = json.loads(path.read_text()) if path.exists() else {}
kind, *rest = sys.argv[1:]
if rest:
    dashes, link, *words = rest
    assert dashes == "--"
    if link == "broken":
        sys.exit("Failed to set DNS configuration: Link broken not known")
    known.setdefault(kind, {})[link] = [word for word in words if word]
    path.write_text(json.dumps(known))
else:
    print("Global:")
    for number, (link, words) in enumerate(known.get(kind, {}).items(), 2):
        print(f"Link {number} ({link}):", *words)
"""


@pytest.fixture
def resolver(tmp_path: Path) -> Resolver:
    """A resolver whose command is ours."""
    program, command = tmp_path / "program.py", tmp_path / "resolvectl"
    program.write_text(RESOLVECTL)
    command.write_text(COMMAND.format(python=sys.executable, program=program), "utf-8")
    command.chmod(0o755)
    return Resolver(command)


def test_set_and_read(resolver: Resolver) -> None:
    """Servers and domains come back, IPv4 before IPv6; empty lists take them away."""
    servers = [ip_address("fd06::1"), ip_address("10.6.7.1")]
    resolver.set("wt0", servers, ["example.com"])
    resolver.set("eth0", [ip_address("10.0.0.1")], [])
    assert resolver.read() == {
        "wt0": ((ip_address("10.6.7.1"), ip_address("fd06::1")), ("example.com",)),
        "eth0": ((ip_address("10.0.0.1"),), ()),
    }
    resolver.set("wt0", [], [])
    assert resolver.read()["wt0"] == ((), ())


def test_refused(resolver: Resolver) -> None:
    """What the command says is what is said."""
    with pytest.raises(DriverError, match="Link broken not known"):
        resolver.set("broken", [ip_address("10.0.0.1")], [])


def test_no_command(tmp_path: Path) -> None:
    """A command that does not run reads nothing and sets nothing."""
    resolver = Resolver(tmp_path / "nothing")
    assert resolver.read() == {}
    with pytest.raises(DriverError, match="nothing"):
        resolver.set("wt0", [], [])


def test_lines() -> None:
    """Links by name, long lists over several lines, and none of the global ones."""
    text = """Global: 9.9.9.9
Link 2 (eth0): 10.0.0.1
               10.0.0.2
Link 3 (wt0):
Link 4 (a (b)): fd06::1
"""
    assert by_link(text) == {
        "eth0": ["10.0.0.1", "10.0.0.2"],
        "wt0": [],
        "a (b)": ["fd06::1"],
    }


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("10.0.0.1:53#dns.example", "10.0.0.1"),
        ("[fd06::1]:53", "fd06::1"),
        ("fe80::1%3", "fe80::1"),
    ],
)
def test_servers_of_others(resolver: Resolver, tmp_path: Path, word: str, address: str) -> None:
    """Ports, zones and names that others gave are left out of the address."""
    for words in (["dns", "--", "wt0", word], ["domain", "--", "wt0", "~.", "example.com"]):
        subprocess.run([tmp_path / "resolvectl", *words], check=True)
    assert resolver.read()["wt0"] == ((ip_address(address),), ("example.com",))


def test_not_running(tmp_path: Path) -> None:
    """Where systemd-resolved does not run there is no resolver."""
    assert find_resolver(tmp_path / "run") is None


class TestDriver:
    """The driver with a resolver and without one."""

    pytestmark = kernel.needs_kernel

    def test_with(self, namespace: None, resolver: Resolver) -> None:
        """DNS settings are those of the device, by its kernel name."""
        driver = LinuxDriver(resolver)
        assert driver.capabilities.dns
        adapter = driver.create_adapter("A long name of an adapter", "Example")
        adapter.set_dns([ip_address("10.6.7.1")], ["example.com"])
        info = adapter.info()
        assert (info.dns, info.dns_search) == ((ip_address("10.6.7.1"),), ("example.com",))
        assert list(resolver.read()) == [info.interface_name]
        assert driver.adapters() == [info]
        driver.close()

    def test_without(self, namespace: None) -> None:
        """Without systemd-resolved the refusal says so."""
        driver = LinuxDriver()
        assert not driver.capabilities.dns
        with pytest.raises(NotSupported, match="systemd-resolved"):
            driver.create_adapter("nodns", "Example").set_dns([], [])

    def test_changed_by_another(self, namespace: None, resolver: Resolver, tmp_path: Path) -> None:
        """What systemd-resolved writes when somebody sets DNS makes the descriptor readable."""
        for every in ("all", "default"):  # the kernel has nothing to tell by itself
            Path(f"/proc/sys/net/ipv6/conf/{every}/disable_ipv6").write_text("1")
        watched = Resolver(tmp_path / "resolvectl", tmp_path / "run")
        (tmp_path / "run").mkdir()
        driver = LinuxDriver(watched)
        adapter = driver.create_adapter("dns", "Example")
        fileno = driver.changes_fileno()
        assert fileno is not None
        settled(driver, fileno)
        for directory in ("run", "run/netif", "run/netif"):
            (tmp_path / directory).mkdir(exist_ok=True)
            settled(driver, fileno)
            server = ip_address(f"10.6.7.{len(directory)}")
            resolver.set("dns", [server], [])
            assert not readable(fileno)
            saved = tmp_path / directory / "7.new"
            saved.write_text("DNS=")
            saved.rename(tmp_path / directory / "7")
            assert readable(fileno)
            assert [info.dns for info in driver.adapters()] == [(server,)]
        assert adapter.info().dns == (server,)
        driver.close()


def readable(fileno: int) -> bool:
    return bool(select.select([fileno], [], [], 0)[0])


def settled(driver: LinuxDriver, fileno: int) -> None:
    """Wait until the kernel has told of all that was done before.

    It tells of a link's state at most once a second (net/core/link_watch.c).
    """
    while select.select([fileno], [], [], 1.2)[0]:
        driver.adapters()
