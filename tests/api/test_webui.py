"""The dashboard's build, as it is committed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import wintun_api.webui

BUILD = Path(wintun_api.webui.__file__).parent


@pytest.mark.parametrize(("name", "budget"), [("app.js", 80 * 1024), ("app.css", 12 * 1024)])
def test_the_budget(name: str, budget: int) -> None:
    """What a browser loads stays small: bytes after gzip."""
    assert len(gzip.compress((BUILD / name).read_bytes())) <= budget
