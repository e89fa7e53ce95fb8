"""A session, and `inject --pcap` into it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest
from typer.testing import Result

from tests.cli.commands import COMMAND, environment, invoke
from tests.running import TOKEN, RunningService

Replay = Callable[..., Result]
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def variables(service: RunningService) -> dict[str, str]:
    """The variables with which a command finds the service."""
    return {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN}


@pytest.fixture
def session(service: RunningService) -> str:
    """A session on 10.6.7.7/24."""
    adapter = service.adapter(name="OfficeNet", addresses=["10.6.7.7/24"])
    return str(service.session(adapter)["id"])


@pytest.fixture
def replay(variables: dict[str, str], session: str) -> Replay:
    """Replay a file into the session, with these options."""

    def run_command(file: Path, *options: str) -> Result:
        return invoke("inject", session, "--pcap", str(file), *options, **variables)

    return run_command


@pytest.fixture
def start(variables: dict[str, str], session: str, tmp_path: Path) -> Iterator[Start]:
    """Start replays as processes of their own, which are gone at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def start_command(
        file: str,
        *options: str,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stderr: int = subprocess.PIPE,
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [*COMMAND, "inject", session, "--pcap", file, *options],
            env=environment(tmp_path, **variables),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
        started.append(process)
        return process

    yield start_command
    for process in started:
        process.kill()
        with suppress(BrokenPipeError), process:  # of what standard input still has to write
            pass
