"""What changed about an adapter, in the words of the dashboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wintun_api.cli.adapter_changes import change_text, changes

ROOT = Path(__file__).parents[2]
# The dashboard's own tests read the same cases.
CASES = json.loads((ROOT / "web/test/models/adapter-changes.json").read_text("utf-8"))
ADAPTER: dict[str, Any] = {
    "name": "OfficeNet",
    "interface_name": "OfficeNet",
    "state": "up",
    "link_up": True,
    "mtu": 1420,
    "metric": None,
    "addresses": ["10.6.7.7/24"],
    "routes": [],
    "other_routes": [],
    "other_routes_total": 0,
    "dns": [],
    "dns_search": [],
    "managed": True,
}


@pytest.mark.parametrize("case", CASES)
def test_changes(case: dict[str, Any]) -> None:
    """Each difference is told as the dashboard tells it."""
    assert changes({**ADAPTER, **case["before"]}, {**ADAPTER, **case["after"]}) == case["told"]


def test_what_cannot_be_compared() -> None:
    """If nobody knows how it was, it is told how it is; a change may be one that nobody reads."""
    assert change_text(None, ADAPTER) == "up, 10.6.7.7/24, MTU 1420"
    assert change_text(ADAPTER, ADAPTER) == "a detail that the overview does not show"
