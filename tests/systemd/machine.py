"""A machine that systemd runs, in namespaces: what it writes is gone with it.

systemd-nspawn starts systemd as PID 1 on an overlay of this machine's files, in a network of its
own, with a device node of its own. /tmp, /run, /dev and /proc/sys are not this machine's, for
systemd sweeps and sets such places when it starts.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.posix import datagram_socket, kill

PATIENCE = 60.0
PYTHON = "/usr/bin/python3"  # the system's, which a service may see

# In a mount namespace of its own: nothing of it is seen from outside, or left.
BOOT = """
mount --make-rprivate /
mount -t tmpfs tmpfs {place}
mkdir {place}/changes {place}/work {place}/root
mount -t overlay overlay {place}/root \
  -o lowerdir=/,upperdir={place}/changes,workdir={place}/work
test "$(findmnt -n -o FSTYPE {place}/root)" = overlay
# This is safe: sh -e ends above unless root is the overlay, whose changes are in the tmpfs.
rm -rf {place}/root/var/lib/wintun-api {place}/root/var/lib/private/wintun-api
: >{place}/root/etc/machine-id
mknod -m 666 {place}/tun c 10 200
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec systemd-nspawn --quiet --directory={place}/root --register=no --keep-unit \
  --private-network --capability=CAP_NET_ADMIN --bind={place}/tun:/dev/net/tun \
  --bind-ro={installed}:/opt/wintun-api \
  --notify-ready=yes --boot --console=pipe -- --unit=basic.target
"""


class Machine:
    """A machine that has started; commands run in it as root."""

    def __init__(self, leader: int) -> None:
        self.leader = leader

    def run(self, command: str, *, check: bool = True) -> str:
        """Run a line of shell and return what it prints."""
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"]
        done = subprocess.run(
            ["nsenter", f"--target={self.leader}", *spaces, "sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0 or not check, (command, done.stdout)
        return done.stdout

    def property(self, name: str) -> str:
        """Return what the manager knows of the service."""
        return self.run(f"systemctl show --property={name} --value wintun-api").strip()


@contextmanager
def machine(folder: Path, installed: Path) -> Iterator[Machine]:
    """Run a machine with `installed` at /opt/wintun-api until the end of the block.

    Args:
        folder: An empty one, to build it in.
        installed: A virtual environment of the system's Python that may be moved.
    """
    place = folder / "machine"
    place.mkdir()
    script = BOOT.format(place=shlex.quote(str(place)), installed=shlex.quote(str(installed)))
    with (
        (folder / "console").open("w+b") as console,
        datagram_socket() as told,
    ):
        told.bind(str(folder / "told"))
        told.settimeout(PATIENCE)
        booted = subprocess.Popen(
            ["unshare", "--mount", "--cgroup", "sh", "-euc", script],
            env={**os.environ, "NOTIFY_SOCKET": told.getsockname()},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
        leader = None
        try:
            leader = _leader(told, folder / "console")
            # What nobody reads would fill it, and the manager would wait to say more.
            told.close()
            yield Machine(leader)
        finally:
            booted.terminate()  # the order to power off
            try:
                booted.wait(20)
            except subprocess.TimeoutExpired:
                if leader is not None:  # every process of the machine ends with its first one
                    kill(leader)
                booted.kill()
                booted.wait()


def _leader(told: socket.socket, console: Path) -> int:
    """Wait until the machine has started; return its first process."""
    said = ""
    while "READY=1" not in said.splitlines():
        try:
            said += told.recv(4096).decode() + "\n"
        except TimeoutError:
            raise AssertionError(console.read_text("utf-8", "replace")) from None
    match = re.search(r"^X_NSPAWN_LEADER_PID=(\d+)$", said, re.MULTILINE)
    assert match, said
    return int(match[1])


def install(place: Path, project: Path, extras: str = "") -> None:
    """Install the project in a virtual environment that may be moved; `extras` is as `[fleet]`."""
    uv = os.environ.get("UV") or shutil.which("uv")
    assert uv, "uv is not installed"
    subprocess.run([uv, "venv", "-q", "--relocatable", "--python", PYTHON, place], check=True)
    python = place / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "-q", "--python", python, f"{project}{extras}"], check=True
    )
