"""The dashboard's build: what of it is sent, and how much that is."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.running import RunningService
from wintun_api.api import page
from wintun_api.api.static import accepts_gzip, read

KIB = 1024
# What a browser loads before it shows anything; each part that it loads later; all of it. The API
# docs are another page.
FIRST, PART, ALL = 64, 32, 240
DOCS = {"/docs", "/docs.js"}
PATHS = sorted(page.build())
FIRST_PATHS = page.sign_in_files() - {"/icon.svg"} | {"/"}
LATER = [path for path in PATHS if path.endswith(".js") and path not in FIRST_PATHS]


def size(path: str) -> int:
    """Return how many bytes of a file are sent to a browser, which takes gzip."""
    file = page.build()[path]
    return len(read(file, page.KINDS[file.suffix]).packed)


def test_the_first_load() -> None:
    """What is needed before anything is shown is 64 KiB as it is sent."""
    sizes = {path: size(path) for path in FIRST_PATHS}
    assert sum(sizes.values()) <= FIRST * KIB, sizes


@pytest.mark.parametrize("path", LATER)
def test_a_part(path: str) -> None:
    """What is loaded when it is first shown is 32 KiB as it is sent."""
    assert size(path) <= PART * KIB


def test_all_of_it() -> None:
    """A reader who opens every view has loaded 240 KiB."""
    sizes = {path: size(path) for path in PATHS if path not in DOCS}
    assert sum(sizes.values()) <= ALL * KIB, sizes


def test_the_parts_are_there() -> None:
    """Whatever a part of the build imports is a part of the build."""
    for path in PATHS:
        if path.endswith(".js"):
            text = page.build()[path].read_text("utf-8")
            for name in re.findall(r"""["'`]\.(/[a-z-]+\.js)["'`]""", text):
                assert name in PATHS, (path, name)


@pytest.mark.parametrize("path", LATER)
def test_a_part_is_served_as_the_page_is(service: RunningService, path: str) -> None:
    """With its type, a policy and without a stale copy; only for a browser that is signed in."""
    with service.browser() as http:
        answer = http.get(path)
    page_answer = service.http.get("/app.js")
    assert answer.status_code == 200
    for name in ("content-type", "cache-control", "content-security-policy"):
        assert answer.headers[name] == page_answer.headers[name]
    assert answer.headers["content-type"].startswith("text/javascript")
    with service.client(None) as http:
        assert http.get(path).status_code == 401


@pytest.mark.parametrize("path", sorted(FIRST_PATHS - {"/"}))
def test_the_sign_in_page_has_what_it_needs(service: RunningService, path: str) -> None:
    """Before anybody has signed in, all that the page needs at once is there, and no more."""
    with service.client(None) as http:
        assert http.get(path).status_code == 200


def test_what_is_sent_is_what_is_measured(service: RunningService) -> None:
    """A browser that takes gzip gets those very bytes, and others get what they hold."""
    content = page.build()["/app.js"].read_bytes()
    with service.http.stream("GET", "/app.js", headers={"Accept-Encoding": "br, gzip"}) as packed:
        body = b"".join(packed.iter_raw())
    plain = service.http.get("/app.js", headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(body) == int(packed.headers["content-length"]) == size("/app.js")
    assert gzip.decompress(body) == content == plain.content
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]


def test_what_a_browser_has_is_not_sent_again(service: RunningService) -> None:
    """It asks with the tag of what it has."""
    tag = service.http.get("/app.css").headers["etag"]
    again = service.http.get("/app.css", headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == "no-cache"
    other = service.http.get("/app.css", headers={"If-None-Match": '"other"'})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip;q=1", True),
        ("*, gzip;q=0.000", False),
        ("deflate", False),
    ],
)
def test_accept_encoding(header: str, taken: bool) -> None:
    """It names what is taken, and what is not."""
    assert accepts_gzip(header) is taken
