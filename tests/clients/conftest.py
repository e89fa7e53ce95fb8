"""Fixtures: each client, built once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.clients.programs import CLIENTS, Client, Command
from tests.needs import need


@dataclass(frozen=True, slots=True)
class Built:
    """A client and the folder of what was built."""

    client: Client
    made: Path

    def command(self, command: Command, *arguments: str) -> list[str]:
        """Return one of its commands with arguments."""
        return [*self.client.filled(command, self.made), *arguments]


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Client], Built]:
    """What builds a client, once, where its tools are here."""

    @cache
    def build(name: str) -> Built:
        client = CLIENTS[name]
        need(*client.needs)
        made = tmp_path_factory.mktemp(name)
        for file in client.filled(client.files, made):
            if not Path(file).exists():
                say = pytest.fail if os.environ.get("CI") else pytest.skip
                say(f"not installed: {file}")
        client.compile(made)
        return Built(client, made)

    return lambda client: build(client.name)
