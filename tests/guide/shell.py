"""A shell in which the lines of README and the guide run as a reader pastes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.running import TOKEN, RunningService

ADDRESS = "http://127.0.0.1:9886"  # in the pages; the service of a test is elsewhere
COMMANDS = (".venv/bin/python -m wintun_api", ".venv/bin/wintun-api")
LIMIT = 300.0  # seconds; it guards against a hang only


def run(
    service: RunningService, folder: Path, script: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run lines with `wintun-api` on the PATH, the token file, and these variables."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    command = programs / "wintun-api"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wintun_api "$@"\n')
    command.chmod(0o755)
    token = service.settings.data_dir / "token"
    token.parent.mkdir(exist_ok=True)
    token.write_text(TOKEN)
    token.chmod(0o600)
    for name in COMMANDS:
        script = script.replace(name, "wintun-api")
    inherited = {key: value for key, value in os.environ.items() if "WINTUN_API" not in key}
    return subprocess.run(
        ["sh", "-eux", "-c", script.replace(ADDRESS, service.url)],
        cwd=folder,
        env={
            **inherited,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "WINTUN_API_DATA_DIR": str(service.settings.data_dir),
            "WINTUN_API_URL": service.url,
            "WINTUN_API_PORT": str(service.port),
            "NO_PROXY": "127.0.0.1",
            **variables,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
