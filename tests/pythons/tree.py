"""Debian testing in a folder, for a newer Python than this machine's own."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.pythons.interpreters import Interpreter, look

PACKAGES = "ca-certificates,iproute2,mount,openssl"
# Testing has several; the newest need not be its default.
NEWEST = (
    'chroot "$1" sh -c "DEBIAN_FRONTEND=noninteractive apt-get install -qq -y '
    "--no-install-recommends \\$(apt-cache pkgnames python3. | grep -x 'python3[.][0-9]*-venv' "
    '| sort -V | tail -n 1)" >/dev/null'
)
SHARED = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
PROJECT = "/project"
# A mount namespace of its own takes the mounts away when its last process ends.
ENTER = r"""
root=$1 project=$2; shift 2
for one in proc sys dev; do mount --rbind "/$one" "$root/$one"; done
mkdir -p "$root/project" "$root/run/netns"
mount --bind "$project" "$root/project"
exec chroot "$root" "$@"
"""


def begin(root: Path) -> subprocess.Popen[str] | None:
    """Begin to make the tree; None where that cannot be."""
    if platform.system() != "Linux" or shutil.which("mmdebstrap") is None:
        return None
    mirror = mirror_of_this_machine()
    if mirror is None:
        return None
    settings = root.with_suffix(".conf")
    acquire = subprocess.run(
        ["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True
    )
    settings.write_text(acquire.stdout)
    dropped = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
    return subprocess.Popen(
        [
            *("mmdebstrap", "--quiet", "--variant=apt", "--mode=root", *dropped),
            *(f"--aptopt={settings}", f"--include={PACKAGES}", f"--customize-hook={NEWEST}"),
            *("testing", str(root), f"deb {mirror} testing main"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def mirror_of_this_machine() -> str | None:
    """Return where this machine gets Debian's packages from; None where it does not."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages", "Label: Debian"],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(iter(listed.stdout.split()), None)


def finish(making: subprocess.Popen[str], root: Path, project: Path, uv: str) -> Interpreter | None:
    """Return the newest interpreter of the tree; None, with what was said, where it failed."""
    said, _ = making.communicate()
    if making.returncode:
        print(f"Debian testing could not be fetched: {said.strip()[-500:]}")
        return None
    for path in SHARED:
        if Path(path).exists():
            shutil.copy(Path(path).resolve(), f"{root}{path}")
    shutil.copy(uv, root / "usr" / "bin" / "uv")
    found = [
        look(Path("/usr/bin") / path.name, enter(root, project), root)
        for path in (root / "usr" / "bin").glob("python3.[0-9]*")
    ]
    return max((one for one in found if one is not None), key=lambda one: one.version, default=None)


def enter(root: Path, project: Path) -> Sequence[str]:
    """Return the command that runs another one in the tree, with the project at `PROJECT`."""
    shell = ("unshare", "--mount", "--propagation", "private", "bash", "-euc", ENTER, "enter")
    return (*shell, str(root), str(project))
