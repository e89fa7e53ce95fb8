"""Modules of the dashboard as ones that Node runs."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.needs import need

WEB = Path(__file__).parents[2] / "web"
ROLLDOWN = WEB / "node_modules/.bin/rolldown"


def bundled(source: Path, folder: Path) -> Path:
    """Return a module of TypeScript, with all that it imports, as one in this folder."""
    need("node", str(ROLLDOWN))
    module = folder / f"{source.stem}.mjs"
    command = [str(ROLLDOWN), str(source), "-o", str(module)]
    done = subprocess.run(
        [*command, "--format", "esm", "--platform", "node"],
        cwd=WEB,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return module
