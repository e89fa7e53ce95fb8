"""What a declaration tells of the type and the default of a setting."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest

from wintun_api.choices import ServiceLogLevel
from wintun_api.declaration import Declaration


def declared(**more: Any) -> Declaration:
    """A declaration with these attributes."""
    return Declaration(help="A setting.", group="", commands=frozenset(), **more)


LEVELS = ("debug", "info", "warning", "error")
WORDS = Literal["thin", "thick"]


@pytest.mark.parametrize(
    ("given", "kind", "values"),
    [
        (int, int, ()),
        (Path | None, Path, ()),
        (WORDS, WORDS, ("thin", "thick")),
        (WORDS | None, WORDS, ("thin", "thick")),
        (ServiceLogLevel, ServiceLogLevel, LEVELS),
        (ServiceLogLevel | None, ServiceLogLevel, LEVELS),
        (tuple[int, ...], int, ()),
        (tuple[ServiceLogLevel, ...], ServiceLogLevel, LEVELS),
        (Literal["auto"] | Path, Literal["auto"] | Path, ()),
    ],
)
def test_the_kind_of_a_value(given: Any, kind: Any, values: tuple[str, ...]) -> None:
    """A type says what one value is, and which values a closed list has."""
    one = declared(type=given)
    assert (one.kind, one.values) == (kind, values)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"default": None}, ""),
        ({"default": ()}, ""),
        ({"default": False}, ""),
        ({"default": 0}, "0"),
        ({"default": 65536}, "65536"),
        ({"default": 0, "in_bytes": True}, "0"),
        ({"default": 131072, "in_bytes": True}, "131072 (128 KiB)"),
        ({"default": 8 << 20, "in_bytes": True}, "8388608 (8 MiB)"),
        ({"default": 30.0}, "30"),
        ({"default": 2.5}, "2.5"),
        ({"default": ServiceLogLevel.INFO}, "info"),
        ({"default": None, "words": "what the system chooses"}, "what the system chooses"),
    ],
)
def test_the_text_of_a_default(attributes: dict[str, Any], text: str) -> None:
    """People read a default in their units; where nothing is set, nothing is said."""
    assert declared(**attributes).default_text == text
