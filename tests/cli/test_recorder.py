"""`wintun-api recorder` against a real service: switch it, show it, save what it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.conftest import Cli
from tests.running import RunningService
from tests.waiting import until
from wintun_api.capture.reader import Reader
from wintun_api.packet import build

MIB = 2**20
PACKETS = [build.udp("10.9.0.2", "10.9.0.1", 40000, 7, bytes([at])) for at in range(20)]


def made(result: Result) -> Any:
    """What a command that worked wrote as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def inject(service: RunningService, session: str) -> None:
    """Send the packets to the host, and wait until the recorder has them."""
    with service.packets(session) as stream:
        stream.send(PACKETS)
        path = f"/v1/sessions/{session}/recorder"
        until(lambda: service.http.get(path).json()["packets"] >= len(PACKETS))


def packets_in(path: Path) -> list[bytes]:
    """The packets of a file."""
    return [packet.data or b"" for packet in Reader([path.read_bytes()])]


def test_on_show_and_off(cli: Cli, session: str) -> None:
    """It is shown as it was set until it is switched off, and then it is not there."""
    assert made(cli("recorder", "Lab", "--json")) is None
    found = made(cli("recorder", "Lab", "on", "--seconds", "5m", "--bytes", "16mb", "--json"))
    assert (found["session"], found["seconds"], found["bytes"]) == (session, 300, 16 * MIB)
    assert made(cli("recorder", session, "--json"))["set_at"] == found["set_at"]
    assert made(cli("recorder", "Lab", "off", "--json"))["bytes"] == 16 * MIB
    assert made(cli("recorder", "Lab", "show", "--json")) is None


def test_what_people_read(cli: Cli) -> None:
    """Without --json a recorder is names and values, and one that is off a sentence."""
    assert cli("recorder", "Lab").stderr == "The recorder of Lab is off.\n"
    shown = cli("recorder", "Lab", "on").stdout
    assert dict(line.split(None, 1) for line in shown.splitlines())["seconds"] == "120.0"
    assert cli("recorder", "Lab", "off").exit_code == 0
    assert cli("recorder", "Lab", "off").stderr == "The recorder of Lab was off.\n"


def test_save(cli: Cli, service: RunningService, session: str, tmp_path: Path) -> None:
    """The file has the packets that were there before the command began."""
    cli("recorder", "Lab", "on")
    inject(service, session)
    path = tmp_path / "lab.pcapng"
    result = cli("recorder", "Lab", "save", "-w", str(path), "--since", "-60s")
    assert result.exit_code == 0, result.output
    found = packets_in(path)
    size = sum(map(len, found))
    assert result.stderr == f"{len(found)} packets saved, {size} bytes, 0 lost.\n"
    assert [one for one in found if one in PACKETS] == PACKETS
    assert made(cli("recorder", "Lab", "--json"))["packets"] >= len(PACKETS)  # it continues


def test_save_a_part(cli: Cli, service: RunningService, session: str, tmp_path: Path) -> None:
    """Direction and time choose from what the recorder has."""
    cli("recorder", "Lab", "on")
    inject(service, session)
    path = tmp_path / "lab.pcapng"
    for part in (
        ("--direction", "received"),
        ("--until", "1h"),
        ("--since", "2200-01-01T00:00:00Z"),
    ):
        assert cli("recorder", "Lab", "save", "-w", str(path), *part).exit_code == 0
        assert not [one for one in packets_in(path) if one in PACKETS], part


def test_save_when_it_is_off(cli: Cli, tmp_path: Path) -> None:
    """A file that is there stays as it was, and the hint says how to switch the recorder on."""
    path = tmp_path / "lab.pcapng"
    path.write_bytes(b"mine")
    result = cli("recorder", "Lab", "save", "-w", str(path))
    assert result.exit_code == 5
    assert "wintun-api recorder ADAPTER on" in result.stderr
    assert path.read_bytes() == b"mine"


def test_more_than_all_recorders_may_use(cli: Cli) -> None:
    """A recorder that does not fit into the service's limit is refused with what to do."""
    result = cli("recorder", "Lab", "on", "--bytes", "2gb")
    assert result.exit_code != 0
    assert "Ask for fewer --bytes" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("save",), "-w FILE"),
        (("on", "--since", "-60s"), "--since belongs to: wintun-api recorder ADAPTER save"),
        (("--bytes", "1mb"), "--bytes belongs to: wintun-api recorder ADAPTER on"),
        (("on", "--seconds", "soon"), "'soon' is not a length of time"),
        (("on", "--bytes", "much"), "'much' is not a size"),
        (("on", "--seconds", "2d"), "It must be at most 86,400 s."),
        (("on", "--bytes", "65535"), "It must be at least 64kb."),
        (("on", "--bytes", "5gb"), "It must be at most 4gb."),
        (("save", "-w", ""), "It is empty."),
        (("save", "-w", "x", "-f", "x" * 4097), "a filter has at most 4096"),
        (("save", "-w", "x", "--since", "yesterday"), "'yesterday' is not a time with its zone"),
        (("start",), "'start' is not one of"),
    ],
)
def test_usage(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    """What does not belong together, or is no value, is refused before the service is asked."""
    result = cli("recorder", "Lab", *arguments, "--json")
    assert result.exit_code == 2
    assert said in json.loads(result.stderr)["detail"]
