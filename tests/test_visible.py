"""Which characters of a name can be seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wintun_api.visible import first_unseen, visible

# The dashboard's own tests read the same names.
NAMES = Path(__file__).parents[1] / "web/test/models/visible-names.json"


@pytest.mark.parametrize(("name", "unseen"), json.loads(NAMES.read_text("utf-8")))
def test_the_first_that_cannot_be_seen(name: str, unseen: str) -> None:
    """Joiners can be seen where Persian and Indic names need them, and nowhere else."""
    assert (first_unseen(name) or "") == unseen


@pytest.mark.parametrize("text", ["", "Office", "a b"])
def test_what_can_be_seen(text: str) -> None:
    """Such a text stays as it is, an empty one too."""
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "fault"), [("a\u202eb", "U[+]202E is a character"), (" \u3164", "no character")]
)
def test_what_cannot_be_seen(text: str, fault: str) -> None:
    """The fault says which character it is, or that there is none to see."""
    with pytest.raises(ValueError, match=fault):
        visible(text)
