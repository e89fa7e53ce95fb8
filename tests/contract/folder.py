"""The folder of the documents, and the one that the last release promised."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "openapi"
BASELINE = FOLDER / "baseline"  # what the last release promises, see promise.py
