"""What Python has compiled, shared by the processes of one run.

A test file costs most where pytest rewrites its assertions, and every program that a test starts
compiles what it imports. Where Python may not write beside the sources, a folder of the run takes
both; and each worker begins with other files, so that each is rewritten once and not by all.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def share(config: pytest.Config) -> None:
    """Let workers and programs keep bytecode for each other as long as the run lasts."""
    if sys.pycache_prefix is None and (sys.dont_write_bytecode or not os.access(HERE, os.W_OK)):
        folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        config.add_cleanup(folder.cleanup)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder.name


def read_in_turn(worker: int, workers: int) -> None:
    """Import every test file, beginning with this worker's part.

    One that cannot be imported, or is for another system, says so when pytest collects it.
    """
    names = [
        ".".join(path.relative_to(HERE.parent).with_suffix("").parts)
        for path in sorted(HERE.rglob("test_*.py"))
    ]
    first = len(names) * worker // workers
    for name in names[first:] + names[:first]:
        with suppress(Exception, pytest.skip.Exception, pytest.fail.Exception):
            importlib.import_module(name)
