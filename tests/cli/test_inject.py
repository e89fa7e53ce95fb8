"""`inject` of a single packet, and what does not go together on its command line."""

from __future__ import annotations

import pytest

from tests.cli.commands import invoke
from tests.running import TOKEN, RunningService


@pytest.fixture
def variables(service: RunningService) -> dict[str, str]:
    """The variables with which a command finds the service."""
    service.session(service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"]))
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rate", "5"], "--rate needs --pcap"),
        (["--speed", "1x"], "--speed needs --pcap"),
        (["--max-gap", "1s"], "--max-gap needs --pcap"),
        (["--loop", "2"], "--loop needs --pcap"),
        (["--direction", "received"], "--direction needs --pcap"),
        (["--pcap", "f", "--hex", "45"], "cannot be used with"),
        (["--pcap", "f", "--rate", "5", "--speed", "1x"], "cannot be used together"),
        (["--pcap", "f", "--max-gap", "1s"], "--max-gap needs --speed"),
        (["--pcap", "f", "--rate", "0"], "at least 0.01pps"),
        (["--pcap", "f", "--rate", "fast"], "such as 1000pps or 10mbit"),
        (["--pcap", "f", "--speed", "0"], "such as 2x"),
        (["--pcap", "f", "--speed", "1x", "--max-gap", "0"], "longer than 0 seconds"),
        (["--pcap", ""], "It is empty."),
        (["--file", ""], "It is empty."),
        (["--pcap", "f", "--loop", "-1"], "--loop"),
        (["--pcap", "f", "--direction", "up"], "--direction"),
    ],
)
def test_wrong_usage(variables: dict[str, str], options: list[str], words: str) -> None:
    """What does not go together, or is no value of its option, is told before anything is sent."""
    result = invoke("inject", "OfficeNet", *options, **variables)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_a_file_without_end(variables: dict[str, str]) -> None:
    """No more is read than a packet can have, and the service refuses it."""
    result = invoke("inject", "OfficeNet", "--file", "/dev/zero", **variables)
    assert result.exit_code == 2
    assert "65535" in result.stderr
