"""The image, built from docker/Dockerfile with Podman on a base that this machine's apt gives.

Needs root, and no registry of images: mmdebstrap makes the base from the Debian packages that
apt is set up for here. Podman keeps everything in one folder.
"""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent.parent
BASE = "localhost/python-base"
IMAGE = "localhost/wintun-api"
LAYERED = ("ext2/ext3", "xfs", "btrfs")
PACKAGES = "python3,python3-venv,ca-certificates"
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d/debian.sources"))
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # this machine's, for its way to PyPI

# What Podman finds, whatever this machine has: a TUN device as udev makes it, that every user may
# open; control groups of one kind, as crun wants; and limits that it may set.
HOST = """
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mknod -m 666 "$0" c 10 200
mount --bind "$0" /dev/net/tun
echo ready
exec cat
"""
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")


class Podman:
    """Podman with its images and containers in a folder, and mounts that only it sees."""

    def __init__(self, folder: Path) -> None:
        self._host = subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", HOST, folder / "tun"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._host.stdout is not None
        assert self._host.stdout.readline() == b"ready\n"
        # Its own overlay where the file system can be one's upper layer; copies are slow.
        self._command = [
            *("nsenter", f"--target={self._host.pid}", "--mount", "podman"),
            *("--root", str(folder / "images"), "--runroot", str(folder / "run")),
            *("--storage-driver", "overlay" if file_system(folder) in LAYERED else "vfs"),
            *("--cgroup-manager=cgroupfs", "--events-backend=file"),
        ]

    def close(self) -> None:
        """Give the mounts back. The images stay in the folder."""
        self("umount", "--all", "--force", check=False)
        self._host.communicate()

    def __call__(self, *arguments: object, check: bool = True) -> str:
        """Run a command of it in this thread's network; return what it prints."""
        done = subprocess.run(
            [*self._command, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        said = done.stdout + done.stderr if done.returncode else done.stdout
        assert done.returncode == 0 or not check, (arguments, said)
        return said

    def run(self, *arguments: object, check: bool = True) -> str:
        """Run a container of the image, as its Dockerfile says."""
        return self(
            *("run", "--cgroups=disabled", *LIMITS, "--network=host", "--read-only"), *arguments,
            check=check,
        )  # fmt: skip

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        """Return what it knows of an image or a container."""
        (found,) = json.loads(self(kind, "inspect", name))
        return dict(found)


def file_system(folder: Path) -> str:
    """Return the kind of file system that a folder is on (stat(1))."""
    command = ["stat", "--file-system", "--format=%T", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def make_base(podman: Podman, folder: Path) -> None:
    """Make an image of Debian with Python from what apt is set up for."""
    sources = [path for path in SOURCES if path.is_file()]
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    settings, tree = folder / "apt.conf", folder / "base.tar"
    acquire = subprocess.run(
        ["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True
    ).stdout
    settings.write_text(acquire)
    dropped = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
    copied = f"--customize-hook=copy-in {CERTIFICATES} {CERTIFICATES.parent}"
    subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=essential", "--mode=root", *dropped, copied),
            *(f"--aptopt={settings}", f"--include={PACKAGES}", release, str(tree)),
            *map(str, sources),
        ],
        check=True,
    )
    podman("import", f"--change=ENV SSL_CERT_FILE={CERTIFICATES}", tree, BASE)
    tree.unlink()


def build(podman: Podman, image: str = IMAGE, **more: str) -> None:
    """Build the image; `more` are arguments of its Dockerfile.

    Docker's format is the one that has a health check.
    """
    given = [f"--build-arg={name}={value}" for name, value in {"BASE": BASE, **more}.items()]
    podman(
        *("build", "--isolation=chroot", "--format=docker", "--layers=false", "--network=host"),
        *(*given, "--file", PROJECT / "docker" / "Dockerfile", "--tag", image, PROJECT),
    )
