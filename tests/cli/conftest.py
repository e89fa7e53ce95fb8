"""Programs that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.cli.commands import Program

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
