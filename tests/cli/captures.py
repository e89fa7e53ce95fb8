"""What the tests of `wintun-api captures` start, and the packets that they let it have."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import Result

from tests.cli.conftest import Cli
from tests.running import RunningService
from tests.waiting import until
from wintun_api.packet import build

PACKETS = [build.udp("10.9.0.2", "10.9.0.1", 40000, 7, bytes([at]) * 200) for at in range(40)]


def made(result: Result) -> Any:
    """What a command that worked wrote as JSON."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def begin(cli: Cli, *arguments: str) -> str:
    """Start a capture; return its id."""
    result = cli("captures", "start", *arguments, "-q")
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def inject(service: RunningService, session: str, capture: str) -> None:
    """Send the packets to the host, and wait until the capture has written them."""
    path = f"/v1/captures/{capture}"
    already = service.http.get(path).json()["packets"]
    with service.packets(session) as stream:
        for packet in PACKETS:
            stream.send([packet])
        until(lambda: service.http.get(path).json()["packets"] >= already + len(PACKETS))
