"""The documents in openapi/ are what the code gives."""

from __future__ import annotations

import pytest

from tests.contract.documents import DOCUMENTS, text_of
from tests.contract.folder import BASELINE, FOLDER


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_committed_document_is_current(name: str) -> None:
    """A change of routes or models is committed together with its documents."""
    assert (FOLDER / name).read_text("utf-8") == text_of(DOCUMENTS[name]()), (
        f"Run: uv run python -m tests.contract {FOLDER.name}"
    )


def test_every_file_of_the_folder_is_generated() -> None:
    """Every document comes from the code."""
    assert {path.name for path in FOLDER.iterdir()} - {BASELINE.name} == set(DOCUMENTS)
