"""schemas.captures: what a capture may be called."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wintun_api.schemas.captures import CaptureCreate


@pytest.mark.parametrize("name", ["a", "會", "🙂", "-", "\u3164a", "❤\ufe0f", "का", "\u00e9"])
def test_names_that_show(name: str) -> None:
    """One character that can be seen is enough, in every script."""
    assert CaptureCreate(name=name).name == name


@pytest.mark.parametrize(
    "name",
    ["\u3164", "\u115f\u1160", "\uffa0", "\u2800", "\ufe0f", "\u0301", "\u034f"],
)
def test_names_that_do_not_show(name: str) -> None:
    """Fillers and marks alone are no name."""
    with pytest.raises(ValidationError, match="no character that can be seen"):
        CaptureCreate(name=name)
