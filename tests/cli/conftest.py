"""Programs that end with their test, and commands against a service with a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.commands import Program, invoke
from tests.running import TOKEN, RunningService

Cli = Callable[..., Result]
Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start commands that run until the end of the test."""
    with ExitStack() as stack:
        count = 0

        def start_program(*arguments: str, within: Sequence[str] = (), **env: str) -> Program:
            nonlocal count
            count += 1
            folder = tmp_path / f"program-{count}"
            program = Program(folder, *arguments, within=within, **env)
            return stack.enter_context(closing(program))

        yield start_program


@pytest.fixture
def session(service: RunningService) -> str:
    """The id of the session of the adapter Lab."""
    adapter = service.adapter(name="Lab", pool="Pool", addresses=["10.9.0.1/24"])
    return str(service.session(adapter)["id"])


@pytest.fixture
def cli(service: RunningService, session: str) -> Cli:
    """Run a command against the service."""

    def run_command(*arguments: str, **env: str) -> Result:
        variables = {"WINTUN_API_URL": service.url, "WINTUN_API_TOKEN": TOKEN, **env}
        return invoke(*arguments, **variables)

    return run_command
