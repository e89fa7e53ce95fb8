"""The test vectors of the batch frame, against the codec that the service uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.folder import FOLDER
from tests.contract.vectors import batch_of
from wintun_api.errors import FrameError
from wintun_api.wire import Batch, Fault, pack, unpack

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "wire-vectors.json").read_text("utf-8"))
VALID = {row["name"]: row for row in (*DOCUMENT["valid"], *DOCUMENT["timed"])}
INVALID = {row["name"]: row for row in DOCUMENT["invalid"]}


@pytest.mark.parametrize("name", VALID)
def test_a_reader_gets_the_batches(name: str) -> None:
    """Every valid message is unpacked into what is listed."""
    row = VALID[name]
    assert [batch_of(batch) for batch in unpack(bytes.fromhex(row["message"]))] == row["batches"]


@pytest.mark.parametrize("name", [name for name, row in VALID.items() if row["canonical"]])
def test_a_writer_gives_the_message(name: str) -> None:
    """What is listed is packed into every canonical message."""
    batches = [
        Batch(
            packets=[bytes.fromhex(packet) for packet in row["packets"]],
            sequence=int(row["sequence"]),
            time_ns=int(row["time_ns"]),
            injected=row["injected"],
            original_lengths=row["original_lengths"],
            sequence_deltas=row["sequence_deltas"],
            times=row.get("times"),
        )
        for row in VALID[name]["batches"]
    ]
    assert b"".join(map(pack, batches)).hex() == VALID[name]["message"]


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_message_is_refused_with_its_reason(name: str) -> None:
    """Every invalid message is refused as a whole, and the reason is the listed one."""
    row = INVALID[name]
    with pytest.raises(FrameError) as caught:
        unpack(bytes.fromhex(row["message"]))
    assert caught.value.reason == row["reason"]


def test_every_reason_has_a_message() -> None:
    """No reason is without a message that shows it."""
    assert {row["reason"] for row in INVALID.values()} == set(Fault) == set(DOCUMENT["reasons"])
