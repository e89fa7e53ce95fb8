"""Read and set DNS servers and search domains per interface with systemd-resolved.

Its command resolvectl(1) uses D-Bus; setting them requires CAP_NET_ADMIN or a polkit permission.
Without systemd-resolved, Linux has one list for the whole machine, which this program must not
change.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from wintun_api.drivers.base import IPAddress
from wintun_api.drivers.linux.headers import OWN_NAMESPACE
from wintun_api.errors import DriverError

Dns: TypeAlias = tuple[tuple[IPAddress, ...], tuple[str, ...]]

RUNTIME_DIRECTORY = Path("/run/systemd/resolve")  # exists while systemd-resolved runs
COMMANDS = (Path("/usr/bin/resolvectl"), Path("/bin/resolvectl"))
FIRST_NAMESPACE = Path("/proc/1/ns/net")
PATIENCE = 10.0


class Resolver:
    """Use systemd-resolved through its command. Devices are named by their kernel names.

    Args:
        command: The path of resolvectl.
        runtime: The directory with systemd-resolved's state.

    Attributes:
        directories: A file in one of these is written whenever a setting changes: the settings of
            each link are in `netif`, and all servers in `resolv.conf`.
    """

    def __init__(self, command: Path, runtime: Path = RUNTIME_DIRECTORY) -> None:
        self._command = command
        self.directories = (runtime, runtime / "netif")

    def read(self) -> dict[str, Dns]:
        """Return servers and search domains by device; `{}` if it does not answer."""
        try:
            servers, search = by_link(self._run("dns")), by_link(self._run("domain"))
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
        """Replace the device's servers and search domains with these.

        Raises:
            DriverError: It was refused; `detail` has the command's message.
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
            raise DriverError("resolvectl", detail=f"{error}.") from None
        if done.returncode != 0:
            words = done.stderr.strip() or f"It ended with exit code {done.returncode}."
            raise DriverError("resolvectl", detail=words)
        return done.stdout


def find_resolver(runtime: Path = RUNTIME_DIRECTORY) -> Resolver | None:
    """Return systemd-resolved if it runs and knows the devices of this network namespace."""
    if not runtime.is_dir():
        return None
    command = next((path for path in COMMANDS if path.is_file()), None)
    if command is None or not _first_namespace():
        return None
    return Resolver(command, runtime)


def _first_namespace() -> bool:
    # It looks up devices in the machine's first namespace, where ours may belong to others.
    try:
        return OWN_NAMESPACE.stat().st_ino == FIRST_NAMESPACE.stat().st_ino
    except OSError:
        return True  # only root may read this; other users hardly change namespaces


def by_link(text: str) -> dict[str, list[str]]:
    """Read lines such as "Link 7 (wt0): 10.6.7.1 fd06::1"; long ones continue on the next line."""
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
