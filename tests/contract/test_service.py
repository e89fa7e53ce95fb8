"""The service does what openapi.json says: schemathesis against a process of its own.

All its checks, examples, the borders of every schema, random data good and bad, and chains of
operations along the links. The short form runs in the gate. The long one, for the night:

    CONTRACT_EXAMPLES=2000 uv run --group schemathesis pytest -m heavy tests/contract
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.folder import FOLDER
from tests.needs import need

pytestmark = pytest.mark.heavy

ROOT = FOLDER.parent
EXAMPLES = os.environ.get("CONTRACT_EXAMPLES", "20")


@pytest.fixture(params=["pool", "tunnel-type"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The URL and the admin token of `wintun-api serve` on the emulated driver."""
    options = [
        "--driver",
        "emulated",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path),
        "--log-level",
        "error",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "wintun_api", "serve", *options, "--generation", request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        try:
            yield found[0], (tmp_path / "token").read_text("utf-8").strip()
        finally:
            process.terminate()
            process.stdout.close()


def test_schemathesis_finds_nothing(served: tuple[str, str], tmp_path: Path) -> None:
    """No check of it fails, whatever is sent."""
    need("schemathesis")
    url, token = served
    command = ["schemathesis", "--config-file", "tests/contract/schemathesis.toml", "run"]
    command += [str(FOLDER / "openapi.json"), "--url", url, "-H", f"Authorization: Bearer {token}"]
    command += ["--checks", "all", "--max-examples", EXAMPLES, "--no-color"]
    if EXAMPLES == "20":
        command += ["--seed", "1"]  # the gate's answer is about the change, not about luck
    else:  # an event stream with nothing to tell keeps its reader for 15 seconds
        command += ["--exclude-operation-id", "stream_events"]
    with (tmp_path / "report").open("w+", encoding="utf-8") as report:
        found = subprocess.run(
            command, cwd=ROOT, stdout=report, stderr=report, stdin=subprocess.DEVNULL, check=False
        )
        report.seek(0)
        text = report.read()
    print(text[text.rfind("= SUMMARY") :])
    assert found.returncode == 0, text
