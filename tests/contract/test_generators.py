"""Two generators that no walk uses: openapi-typescript, and Modelina for AsyncAPI.

`npm ci` in this folder installs them.
"""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.contract.folder import FOLDER
from tests.contract.promise import HERE
from tests.needs import need

pytestmark = pytest.mark.heavy


def made(*command: str) -> str:
    """What a program of this folder prints."""
    need("node", str(HERE / "node_modules/.bin/openapi-typescript"))
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_typescript_lets_defaults_be_left_out() -> None:
    """openapi-typescript requires of a request what the service requires, and no more."""
    text = made("node_modules/.bin/openapi-typescript", str(FOLDER / "openapi.json"))
    for schema, required in (
        ("AdapterCreate", {"name"}),
        ("AdapterOpen", {"name"}),
        ("Route", {"destination"}),
        ("SessionCreate", {"adapter"}),
        ("TokenCreate", {"scopes"}),
    ):
        body = re.search(rf"(?s)\n        {schema}: \{{\n(.*?)\n        \}};", text)
        assert body
        assert set(re.findall(r"(?m)^            (\w+): ", body[1])) == required


def test_no_message_is_anonymous() -> None:
    """Modelina makes up no name: every message and enum of the document has one."""
    names = made("node", "models.js", str(FOLDER / "asyncapi.json")).split()
    assert {"BatchFrame", "Hello", "LostPackets", "AdapterCreated", "LossCause"} <= set(names)
    assert not [name for name in names if "anonymous" in name.lower()]
