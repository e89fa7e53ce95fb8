"""The installation that the service is started from: this checkout's, or one that is named."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Run by the installation's own Python. Every answer is a string, for the machine's description.
QUESTIONS = """
import json, platform
from importlib.metadata import PackageNotFoundError, version
from wintun_api import native
from wintun_api.choices import Native
from wintun_api.settings import Settings
try:
    loop = "uvloop " + version("uvloop")
except PackageNotFoundError:
    loop = "asyncio"
speedups = native.speedups(Native.AUTO)
print(json.dumps({
    "facts": {
        "wintun-api": version("wintun-api"),
        "python": platform.python_version(),
        "loop": loop,
        "uvicorn": version("uvicorn"),
        "websockets": version("websockets"),
    },
    "extension": speedups and speedups.__file__,
    "why_not": getattr(native.absence(), "reason", ""),
    "variables": [one.variable for one in Settings.declared().values()],
}))
"""
# What GCC and Clang write into the section .comment of every object.
COMPILER = re.compile(rb"(GCC: \([^\0]+|[\w ]*clang version [^\0]+)\0")
OFFLOAD = "WINTUN_API_OFFLOAD"


@dataclass(frozen=True, slots=True)
class Installation:
    """An environment with wintun-api in it.

    Attributes:
        command: Its `wintun-api`.
        facts: Versions, the event loop, and the extension with its compiler, for the reader.
        extension: Whether its C extension can be used.
        variables: The environment variables that it knows.
    """

    command: Path
    facts: dict[str, str]
    extension: bool
    variables: frozenset[str]

    @property
    def offloads(self) -> bool:
        """Whether it has the setting that lets it move segments."""
        return OFFLOAD in self.variables


def installation(python: Path) -> Installation:
    """Ask the installation that a Python belongs to.

    Raises:
        RuntimeError: wintun-api is not installed there.
    """
    # Isolated, so that it does not import the checkout that the benchmark is started in.
    done = subprocess.run(
        [python, "-I", "-c", QUESTIONS], capture_output=True, text=True, check=False, timeout=60
    )
    command = python.with_name("wintun-api")
    if done.returncode != 0 or not command.exists():
        reason = done.stderr.strip().rpartition("\n")[2] or f"{command} does not exist"
        raise RuntimeError(f"{python} has no wintun-api that can be measured: {reason}")
    answers = json.loads(done.stdout)
    extension = answers["extension"]
    facts = answers["facts"] | {
        "extension": compiler(Path(extension)) if extension else f"none ({answers['why_not']})"
    }
    return Installation(command, facts, bool(extension), frozenset(answers["variables"]))


def compiler(library: Path) -> str:
    """Return the compilers that a library names, which a stripped one does not."""
    found = sorted({match.decode() for match in COMPILER.findall(library.read_bytes())})
    return ", ".join(found) or "compiler unknown"
