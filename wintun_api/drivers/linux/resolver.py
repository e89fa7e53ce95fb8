"""DNS servers and search domains per interface, where systemd-resolved keeps them.

resolvectl(1) is its command; it speaks D-Bus, and the right to set them is CAP_NET_ADMIN's or
polkit's. Without systemd-resolved Linux has one list for the whole machine, which is not ours.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from wintun_api.drivers.base import IPAddress
from wintun_api.errors import DriverError

Dns: TypeAlias = tuple[tuple[IPAddress, ...], tuple[str, ...]]

RUNTIME_DIRECTORY = Path("/run/systemd/resolve")  # there while systemd-resolved runs
COMMANDS = (Path("/usr/bin/resolvectl"), Path("/bin/resolvectl"))
OWN_NAMESPACE = Path("/proc/thread-self/ns/net")
FIRST_NAMESPACE = Path("/proc/1/ns/net")
PATIENCE = 10.0


class Resolver:
    """systemd-resolved through its command. Devices go by their kernel names.

    Args:
        command: The path of resolvectl.
        runtime: Where systemd-resolved keeps its state.

    Attributes:
        directories: A file in one of these is written whenever a setting has changed: the settings
            of each link are in `netif`, and all servers in `resolv.conf`.
    """

    def __init__(self, command: Path, runtime: Path = RUNTIME_DIRECTORY) -> None:
        self._command = command
        self.directories = (runtime, runtime / "netif")

    def read(self) -> dict[str, Dns]:
        """Return servers and search domains by device; `{}` when it does not answer."""
        try:
            servers, search = _by_link(self._run("dns")), _by_link(self._run("domain"))
        except DriverError:
            return {}
        return {
            device: (
                tuple(sorted(map(_address, words), key=lambda one: one.version)),
                # A tilde marks a domain that is only routed to the link, not searched.
                tuple(word for word in search.get(device, ()) if not word.startswith("~")),
            )
            for device, words in servers.items()
        }

    def set(self, device: str, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Make exactly these the device's.

        Raises:
            DriverError: It was refused; `detail` has the command's words.
        """
        # An empty word clears the list (resolvectl(1)); a device's name may begin with a dash.
        self._run("dns", "--", device, *(map(str, servers) if servers else ("",)))
        self._run("domain", "--", device, *(search or ("",)))

    def _run(self, *arguments: str) -> str:
        command = [str(self._command), *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - an absolute path, no shell
                command, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DriverError("resolvectl", 0, f"{error}.", domain="errno") from None
        if done.returncode != 0:
            words = done.stderr.strip() or f"It ended with {done.returncode}."
            raise DriverError("resolvectl", 0, words, domain="errno")
        return done.stdout


def find_resolver(runtime: Path = RUNTIME_DIRECTORY) -> Resolver | None:
    """Return systemd-resolved where it runs and knows the devices of this network namespace."""
    if not runtime.is_dir():
        return None
    command = next((path for path in COMMANDS if path.is_file()), None)
    if command is None or not _first_namespace():
        return None
    return Resolver(command, runtime)


def _first_namespace() -> bool:
    # It looks devices up in the machine's first namespace, where ours may be somebody else's.
    try:
        return OWN_NAMESPACE.stat().st_ino == FIRST_NAMESPACE.stat().st_ino
    except OSError:
        return True  # only root may look; others hardly change namespaces


def _by_link(text: str) -> dict[str, list[str]]:
    """Read lines such as "Link 7 (wt0): 10.6.7.1 fd06::1"; long ones go on in the next line."""
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for line in text.splitlines():
        head, colon, rest = line.partition("): ") if "): " in line else line.partition("):")
        if line.startswith("Link ") and colon:
            words = found.setdefault(head.partition("(")[2], [])
            words += rest.split()
        elif line[:1].isspace():
            words += line.split()
        else:
            words = []  # "Global:"
    return found


def _address(word: str) -> IPAddress:
    # 10.0.0.1:53%wt0#name and [fd06::1]:53%wt0#name are possible too.
    text = word.partition("#")[0].partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return ip_address(text)
