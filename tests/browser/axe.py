"""What axe-core finds of a page that keeps readers out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.screen import Screen

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"


def violations(screen: Screen) -> list[str]:
    """Return what axe-core holds to be serious or worse."""
    screen.page.evaluate(AXE.read_text("utf-8"))
    options = "{resultTypes: ['violations'], rules: {'target-size': {enabled: true}}}"
    found: dict[str, Any] = screen.page.evaluate(f"axe.run(document, {options})")
    return [
        f"{one['id']}: {node['html'][:200]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
