"""Runs what depends on the interpreter on several versions of Python.

    uv run python -m tests.pythons

They are the oldest and the newest that can be had here, and one whose asyncio never holds a writer
back (CVE-2024-12254), which runs only what depends on that. They are looked for among what is
installed, what uv and pyenv have, and what Debian testing has. The minor version that runs this
program is left out, for it runs the whole suite. The rest depends on the interpreter less; to run
all of it on another one, name the version:

    uv run --python 3.13.0 pytest
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.pythons import tree
from tests.pythons.interpreters import HOLED, Interpreter, chosen, installed, one_of_each

# What writes to sockets that nobody reads, which is what an asyncio with the hole gets wrong.
WRITERS = (
    "tests/api/test_unread_streams.py",
    "tests/api/test_link.py",
    "tests/api/test_streams.py",
    "tests/cli/test_python_holes.py",
)
# What ends and cancels tasks in every order.
FLEET = (
    "tests/fleet/bus",
    "tests/fleet/agent/test_agent.py",
    "tests/fleet/agent/test_exchange.py",
    "tests/fleet/captures/test_capturing.py",
    "tests/fleet/remote/test_remote.py",
)
PARTS = (
    *WRITERS,
    *FLEET,
    "tests/hub",
    "tests/api/test_tls.py",
    "tests/contract/test_documents.py",
)


def main() -> int:
    """Find, choose and run; return how many versions failed."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        sys.exit("There is no uv. Run: uv run python -m tests.pythons")
    project = Path.cwd()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = folder / "testing"
        making = tree.begin(root)
        found = installed(uv)
        for one in found:
            print(f"Python {one}")
        done = set()
        for what, one in chosen(found).items():
            if making is not None and what == "newest":
                continue  # the tree may have a newer one
            if one.version[:2] == sys.version_info[:2]:
                continue
            failed += not ran(what, one, uv, project, folder)
            done.add(one.version)
        newest = None if making is None else tree.finish(making, root, project, uv)
        if newest is not None:
            print(f"Python {newest}")
            found = one_of_each([*found, newest])
        if len(found) < 2:
            print("Only one version of Python can be had here; two are needed.")
            return 1
        for what, one in chosen(found).items():
            if one.version not in done and one.version[:2] != sys.version_info[:2]:
                failed += not ran(what, one, uv, project, folder)
    return failed


def ran(what: str, one: Interpreter, uv: str, project: Path, folder: Path) -> bool:
    """Make an environment, run the parts in it, and say how that went."""
    print(f"-- the {what}: Python {one}" if what != HOLED else f"-- one {what}: Python {one}")
    began = time.monotonic()
    home = Path("/venv") if one.root else folder / ".".join(map(str, one.version))
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    env.pop("VIRTUAL_ENV", None)
    if one.root is None:
        prefix, where, tool = [], str(project), uv
    else:
        prefix, where, tool = list(tree.enter(one.root, project)), tree.PROJECT, "/usr/bin/uv"
        env["TMPDIR"], env["PATH"] = "/tmp", "/usr/sbin:/usr/bin:/sbin:/bin"
        env.pop("CI", None)  # the tests leave out what needs a program that the tree lacks
    sync = [tool, "sync", "-q", "--directory", where, "--extra", "speed", "--python", str(one.path)]
    script = 'cd "$0" && exec "$@"'
    test = [
        *("sh", "-c", script, where, str(home / "bin" / "python"), "-m", "pytest", "-q"),
        *("-n", "2", "--thorough", "-o", f"cache_dir={home / 'cache'}"),
        *(WRITERS if what == HOLED else PARTS),
    ]
    # What fails beside the rest of the gate is tried once more by itself.
    alone = [*test, "--last-failed", "--last-failed-no-failures", "none", "-n", "0"]

    def passed(command: list[str]) -> bool:
        return subprocess.run([*prefix, *command], env=env, check=False).returncode == 0

    good = passed(sync) and (passed(test) or passed(alone))
    print(f"-- Python {one}: {'good' if good else 'FAILED'} in {time.monotonic() - began:.0f} s")
    sys.stdout.flush()
    return good


if __name__ == "__main__":
    sys.exit(main())
