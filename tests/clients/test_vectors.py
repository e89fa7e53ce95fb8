"""Each client's codec passes the vectors, the invalid ones too."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.conftest import Built
from tests.clients.programs import CLIENTS, HERE, Client

pytestmark = pytest.mark.heavy

VECTORS: dict[str, Any] = json.loads(
    (HERE.parent.parent / "openapi" / "wire-vectors.json").read_text("utf-8")
)


def told(built: Built, messages: list[str]) -> list[str]:
    """Return what a client reads in messages, a line each."""
    assert built.client.codec is not None
    done = subprocess.run(
        built.command(built.client.codec),
        input="".join(f"{message}\n" for message in messages),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def listed(values: list[int] | None) -> str:
    """Return a column as the clients write it."""
    return "-" if values is None else ",".join(map(str, values))


@pytest.fixture(params=[client.name for client in CLIENTS.values() if client.codec])
def codec(request: pytest.FixtureRequest, builder: Callable[[Client], Built]) -> Built:
    """Each client with a codec."""
    return builder(CLIENTS[request.param])


def test_valid_messages(codec: Built) -> None:
    """Every member of every batch is read, and a writer gives the same bytes again."""
    vectors = VECTORS["valid"]
    for vector, line in zip(vectors, told(codec, [v["message"] for v in vectors]), strict=True):
        packed = ""
        for batch, words in zip(vector["batches"], line.split("|"), strict=True):
            *read, again = words.split(" ")
            assert read == [
                batch["sequence"],
                batch["time_ns"],
                str(int(batch["injected"])),
                listed(batch["original_lengths"]),
                listed(batch["sequence_deltas"]),
                ",".join(batch["packets"]),
            ], vector["name"]
            packed += again
        if vector["canonical"]:
            assert packed == vector["message"], vector["name"]


def test_invalid_messages(codec: Built) -> None:
    """Every one is refused for its reason, without a packet of it."""
    vectors = VECTORS["invalid"]
    reasons = told(codec, [vector["message"] for vector in vectors])
    assert reasons == [vector["reason"] for vector in vectors]
