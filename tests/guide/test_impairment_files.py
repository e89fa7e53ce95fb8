"""The files on the page of bad networks are ones that the service takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import invoke
from tests.guide.blocks import marked
from tests.running import TOKEN, RunningService

FILES = marked("impairment", "impairment-file")


@pytest.mark.parametrize("number", range(len(FILES)))
@pytest.mark.parametrize("option", ["--file", "--scenario"])
def test_files(service: RunningService, tmp_path: Path, number: int, option: str) -> None:
    """Each file is set as it stands there, and what it says holds; a scenario needs steps."""
    service.session(service.adapter(name="OfficeNet"))
    path = tmp_path / "network.yaml"
    path.write_text(FILES[number])
    variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}
    done = invoke("impair", "OfficeNet", option, str(path), "--json", **variables)
    if option == "--scenario" and "steps:" not in FILES[number]:
        assert "--file" in json.loads(done.stderr)["hint"]
        return
    assert done.exit_code == 0, done.output
    rules = json.loads(done.stdout)["rules"]
    if "steps:" in FILES[number]:
        (rule,) = rules
        assert [one["at"] for one in rule["scenario"]["steps"]] == [0, 10, 40, 45]
        assert rule["scenario"]["length"] == 60
        assert rule["now_received"]["rate_bps"] == 20_000_000
    else:
        assert [one["match"]["protocol"] for one in rules] == ["udp", None]
        assert rules[1]["received"]["rate_bps"] == 1_000_000
