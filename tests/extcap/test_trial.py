"""What a launcher lists, and why it lists less."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import TOKEN, RunningService
from wintun_api.extcap import launcher
from wintun_api.extcap.trial import Listed, listed_by


@pytest.fixture(autouse=True)
def settings(service: RunningService, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the service of the test."""
    monkeypatch.setenv("WINTUN_API_URL", service.url)
    monkeypatch.setenv("WINTUN_API_TOKEN", TOKEN)


def test_interfaces(service: RunningService, tmp_path: Path) -> None:
    """They are those that Wireshark gets."""
    service.adapter(name="OfficeNet")
    found = listed_by(launcher.install(tmp_path).path)
    assert found == Listed(("wintun-api:all", "wintun-api:OfficeNet"), "")


def test_a_problem(tmp_path: Path) -> None:
    """The sentence that Wireshark does not show is told."""
    made = launcher.install(tmp_path, ["--url", "http://127.0.0.1:1"])
    found = listed_by(made.path)
    assert found.interfaces == ("wintun-api:all",)
    assert found.problem.startswith("Nothing answers at http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("text", "said"), [("#!/bin/sh\nexit 3\n", "code 3"), ("#!/gone\n", "cannot be run")]
)
def test_a_launcher_that_fails(tmp_path: Path, text: str, said: str) -> None:
    """One that does not work is a sentence."""
    path = tmp_path / "launcher"
    path.write_text(text)
    path.chmod(0o755)
    assert said in listed_by(path).problem
