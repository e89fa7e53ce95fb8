"""The dashboard's build, as it is committed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import wintun_api.webui
from tests.running import RunningService
from wintun_api.api.page import FILES

BUILD = Path(wintun_api.webui.__file__).parent
KIB = 1024
# What a browser loads before it shows anything, and what it loads when a part is first shown.
BUDGETS = {
    "app.js": 64,
    "app.css": 12,
    "captures.js": 32,
    "compose.js": 16,
    "hosts.js": 8,
    "packets.js": 16,
    "traffic.js": 32,
    "impairment.js": 16,
    "docs.js": 4,
}


@pytest.mark.parametrize(("name", "budget"), BUDGETS.items())
def test_the_budget(name: str, budget: int) -> None:
    """What a browser loads stays small: KiB after gzip."""
    assert len(gzip.compress((BUILD / name).read_bytes())) <= budget * KIB


def test_the_build_is_what_is_served() -> None:
    """A part that the build splits off is in the list of files, and has a budget."""
    built = {path.name for path in BUILD.iterdir() if path.suffix not in (".py", "")}
    assert built == {name for name, _ in FILES.values()}
    assert {name for name in built if name.endswith((".js", ".css"))} == set(BUDGETS)


@pytest.mark.parametrize(
    "path",
    ["/captures.js", "/compose.js", "/hosts.js", "/packets.js", "/traffic.js", "/impairment.js"],
)
def test_a_part_is_served_as_the_page_is(service: RunningService, path: str) -> None:
    """With its type, a policy and without a stale copy; only for a browser that is signed in."""
    with service.browser() as http:
        answer = http.get(path)
    page = service.http.get("/app.js")
    assert answer.status_code == 200
    for name in ("content-type", "cache-control", "content-security-policy"):
        assert answer.headers[name] == page.headers[name]
    assert answer.headers["content-type"].startswith("text/javascript")
    with service.client(None) as http:
        assert http.get(path).status_code == 401
