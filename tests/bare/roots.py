"""Bare Debian machines in folders: Python with venv and pip, and nothing else that was asked for.

They are made by mmdebstrap from what apt is set up for here. Python's packages come from where pip
gets them here: its settings are carried along, and the folders that they name.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.pythons.tree import mirror_of_this_machine
from tests.windows.rig import pythons

PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SHARED = ("/etc/resolv.conf", "/etc/hosts")
# The settings of pip that say where packages come from, and how to get there.
SETTINGS = {
    "index-url",
    "extra-index-url",
    "find-links",
    "trusted-host",
    "proxy",
    "timeout",
    "default-timeout",
    "no-index",
    "prefer-binary",
}
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
USER = 1000

# What every Linux has in /dev, and the TUN device where a cell has one. The mounts are taken away
# with the mount namespace, when its last process ends.
ENTER = r"""
root=$1 tun=$2 mounts=$3 owner=$4; shift 4
mount --bind "$root" "$root"  # a system's root is a mount of its own
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755,dev none "$root/dev"
for one in null zero full random urandom tty; do
  touch "$root/dev/$one"
  mount --bind "/dev/$one" "$root/dev/$one"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 none "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
chmod 1777 "$root/dev/shm"
if [ "$tun" = yes ]; then
  mkdir "$root/dev/net"
  mknod -m 666 "$root/dev/net/tun" c 10 200
fi
printf '%s' "$mounts" | while IFS= read -r one; do
  mkdir -p "$root$one"
  mount --bind "$one" "$root$one"
  mount -o remount,bind,ro "$root$one"
done
exec chroot --userspec="$owner" --groups="${owner#*:}" "$root" env -i "$@"
"""


@dataclass(frozen=True, slots=True)
class Making:
    """A machine that is being made."""

    root: Path
    process: subprocess.Popen[str]

    def finish(self) -> None:
        """Wait until it is there; end the program with what was said where it failed."""
        said, _ = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(f"{self.root.name} could not be made: {said.strip()[-2000:]}")
        for path in SHARED:
            if Path(path).exists():
                shutil.copy(Path(path).resolve(), f"{self.root}{path}")
        if CERTIFICATES.exists():
            shutil.copy(CERTIFICATES, f"{self.root}{CERTIFICATES}")

    def end(self) -> None:
        """Let mmdebstrap end, if it runs: it takes away what it has mounted in the folder."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate()


def begin(release: str, root: Path) -> Making:
    """Begin to make a machine of this release of Debian."""
    mirror = mirror_of_this_machine()
    if mirror is None or shutil.which("mmdebstrap") is None:
        raise SystemExit("Bare machines need mmdebstrap, and apt with a mirror of Debian.")
    settings = root.with_suffix(".conf")
    acquire = subprocess.run(
        ["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True
    )
    settings.write_text(acquire.stdout)
    dropped = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
    process = subprocess.Popen(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--mode=root", *dropped),
            *(f"--aptopt={settings}", f"--include={PACKAGES}"),
            *(release, str(root), f"deb {mirror} {release} main"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Making(root, process)


@dataclass(frozen=True, slots=True)
class Index:
    """Where pip gets packages: variables of its environment, and folders of this machine."""

    variables: Mapping[str, str]
    folders: Sequence[str]


def index() -> Index:
    """Return where this machine's pip gets its packages."""
    found: dict[str, str] = {}
    listed = [
        subprocess.run(
            [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
        )
        for python in pythons()
    ]
    for line in next((one.stdout for one in listed if one.returncode == 0), "").splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2]
        if name in SETTINGS and value:
            found["PIP_" + name.upper().replace("-", "_")] = shlex.split(value)[0]
    folders = {
        place
        for value in found.values()
        for word in value.split()
        if Path(place := str(Path(re.sub(r"^file://", "", word)))).is_absolute()
        and Path(place).is_dir()
    }
    # An index of files has its packages beside it.
    beside = {str(Path(place).parent) if place.endswith("/simple") else place for place in folders}
    found.update({name: os.environ[name] for name in PROXIES if name in os.environ})
    if CERTIFICATES.exists():
        found["PIP_CERT"] = found["SSL_CERT_FILE"] = str(CERTIFICATES)
    return Index(found, sorted(beside))


def enter(
    root: Path, *, user: bool, tun: bool, folders: Sequence[str], variables: Mapping[str, str]
) -> list[str]:
    """Return the command that runs another one on a machine."""
    owner = f"{USER}:{USER}" if user else "0:0"
    mounts = "".join(f"{folder}\n" for folder in folders)
    return [
        *("unshare", "--mount", "--propagation", "private", "bash", "-euc", ENTER, "enter"),
        *(str(root), "yes" if tun else "no", mounts, owner),
        *(f"{name}={value}" for name, value in variables.items()),
    ]
