"""Redocly's strictest rules and AsyncAPI's parser accept the documents.

`npm ci` in this folder installs them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.needs import need

pytestmark = pytest.mark.heavy

HERE = Path(__file__).parent


@pytest.mark.parametrize("document", ["openapi", "asyncapi"])
def test_nothing_to_complain_about(document: str) -> None:
    """The linter reports neither errors nor warnings."""
    need("node", "npm", str(HERE / "node_modules/.bin/redocly"))
    judged = subprocess.run(
        ["npm", "run", "--silent", document],
        cwd=HERE,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "warning" not in judged.stdout.lower()
