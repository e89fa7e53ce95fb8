"""A user without any rights, on this machine but in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import need

USER = 54321
PROJECT = Path(__file__).parents[2]

# The files of this interpreter are put where a user may read them; a TUN device gets the mode $1.
ENTER = r"""
set -eu
mode=$1 user=$2 place=$3; shift 3
while [ "$1" != -- ]; do
  path=$1 closed= part=
  shift
  for name in $(printf '%s' "$path" | tr / ' '); do
    part=$part/$name
    if [ -z "$closed" ] && ! setpriv --reuid="$user" --clear-groups test -x "$part"; then
      closed=$part
    fi
  done
  if [ -n "$closed" ]; then
    mkdir -p "$place/kept"
    mount --bind "$path" "$place/kept"
    mount -t tmpfs -o mode=755 tmpfs "$closed"
    mkdir -p "$path"
    mount --move "$place/kept" "$path"
  fi
done
shift
mount -t tmpfs -o mode=755,dev tmpfs /dev/net
mknod -m "$mode" /dev/net/tun c 10 200
exec setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs -- "$@"
"""


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder that belongs to the user."""
    path = Path(tempfile.mkdtemp(prefix="plain-user-"))
    try:
        path.chmod(0o755)  # a container's root may look into it
        os.chown(path, USER, USER)  # type: ignore[attr-defined,unused-ignore]
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def run(
    command: list[str], home: Path, *, device_mode: str = "666", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as this user, in its folder; root starts it."""
    for program in ("unshare", "setpriv"):
        need(program)
    with tempfile.TemporaryDirectory() as place:
        readable = dict.fromkeys([str(PROJECT), sys.prefix, sys.base_prefix])
        return subprocess.run(
            [
                *("unshare", "--mount", "--propagation", "private", "sh", "-c", ENTER, "sh"),
                *(device_mode, str(USER), place, *readable, "--", *command),
            ],
            cwd=home,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(home),
                "TMPDIR": str(home),
                "PYTHONDONTWRITEBYTECODE": "1",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
