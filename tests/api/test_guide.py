"""The guide as pages of the service: open, under the policy, with links that lead somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.running import RunningService
from wintun_api import guide
from wintun_api.api.guide import page, slug, target
from wintun_api.api.security import PAGE_POLICY

NAMES = [guide.CONTENTS, *(topic.name for topic in guide.topics())]
VOID = frozenset({"meta", "link", "br", "hr", "img"})


class Reader(HTMLParser):
    """What a page holds: links, anchors, and what the policy would forbid."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.forbidden: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element links to, is called and brings along."""
        values = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.links += [one for name in ("href", "src") if (one := values.get(name))]
        self.anchors += [one for one in [values.get("id")] if one]
        inline = tag == "style" or (tag == "script" and "src" not in values)
        if inline or any(name == "style" or name.startswith("on") for name in values):
            self.forbidden.append(self.get_starttag_text() or tag)

    def handle_endtag(self, tag: str) -> None:
        """Hold that elements are closed in order."""
        assert self.open.pop() == tag


def path_of(name: str) -> str:
    """Return the path of a page."""
    return "/guide" if name == guide.CONTENTS else f"/guide/{name}"


@pytest.mark.parametrize("name", NAMES)
def test_a_page(service: RunningService, name: str) -> None:
    """A page needs no token, comes with the policy of pages, and keeps to it."""
    with service.client(None) as http:
        answer = http.get(path_of(name))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    read = Reader(answer.text)
    assert read.forbidden == []
    assert len(set(read.anchors)) == len(read.anchors)
    assert "<!--" not in answer.text


def test_links_lead_somewhere(service: RunningService) -> None:
    """Every link of every page is answered, and every anchor is there."""
    anchors = {path_of(name): Reader(page(name)).anchors for name in NAMES}
    followed = set()
    with service.client("the-admin-token", Accept="text/html") as http:
        for name in NAMES:
            for link in Reader(page(name)).links:
                path, _, anchor = link.partition("#")
                path = path or path_of(name)
                if link.startswith("http"):
                    assert link.startswith(("https://", "http://127.0.0.1:9886")), link
                    continue
                if anchor:
                    assert anchor in anchors[path], link
                followed.add(path)
        for path in followed:
            assert http.get(path).status_code == 200, path
    assert {"/", "/docs", "/openapi.json", "/guide.css", "/guide.js"} <= followed


@pytest.mark.parametrize("name", [topic.name for topic in guide.topics()])
def test_headings_have_anchors(name: str) -> None:
    """Headings can be linked to, and a page with several has a table of contents."""
    html = page(name)
    assert not re.search(r"<h[1-6]>", html)
    seconds = re.findall(r'<h2 id="([^"]+)"', html)
    listed = re.findall(r'<li><a href="#([^"]+)">', html)
    assert listed == (seconds if len(seconds) > 1 else [])


def test_the_current_page_is_marked() -> None:
    """The list of topics says where the reader is."""
    for topic in guide.topics():
        assert page(topic.name).count('aria-current="page"') == 1
        assert f'<a href="/guide/{topic.name}" aria-current="page">' in page(topic.name)


@pytest.mark.parametrize(
    ("asked", "meant"), [("pakets", "packets"), ("Netwrok", "network"), ("exit", "exit-codes")]
)
def test_a_page_that_is_not_there(service: RunningService, asked: str, meant: str) -> None:
    """The answer is 404 and names the page that was probably meant."""
    with service.client(None) as http:
        answer = http.get(f"/guide/{asked}")
    assert answer.status_code == 404
    assert f'Did you mean <a href="/guide/{meant}">' in answer.text


@pytest.mark.parametrize("asked", ["<script>alert(1)", "x" * 5000, "%00", "zzz", "%F0%9F"])
def test_a_name_is_shown_as_text(service: RunningService, asked: str) -> None:
    """Whatever is asked for, no markup of it reaches the page."""
    with service.client(None) as http:
        answer = http.get(f"/guide/{asked}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert len(answer.text) < 20_000


@pytest.mark.parametrize(
    ("path", "status"),
    [("/guide/../settings.md", 401), ("/guide/README.md/x", 401), ("/guide/page.html", 404)],
)
def test_only_topics_are_shown(service: RunningService, path: str, status: int) -> None:
    """No other file of the package can be read by its name."""
    with service.client(None) as http:
        assert http.get(path).status_code == status


def test_file_names_lead_to_their_pages(service: RunningService) -> None:
    """A link with .md, as the repository's web page has it, leads to the page too."""
    with service.client(None) as http:
        assert http.get("/guide/packets.md").text == http.get("/guide/packets").text


@pytest.mark.parametrize(
    ("link", "place"),
    [
        ("packets.md", "/guide/packets"),
        ("packets.md#hello", "/guide/packets#hello"),
        ("#mtu", "#mtu"),
        ("README.md", "/guide"),
        ("../../openapi/openapi.json", "/openapi.json"),
        ("../../tests/clients/c/tunnel.c", None),
        ("https://www.wintun.net", "https://www.wintun.net"),
        ("javascript:alert(1)", None),
    ],
)
def test_links_are_mapped(link: str, place: str | None) -> None:
    """Links between pages become paths; files that the service does not have lose their link."""
    assert target(link) == place


def test_slugs_are_those_of_the_repositorys_page() -> None:
    """Anchors are lower case, with hyphens, and numbered when they repeat."""
    assert slug("Directions: received, sent, injected") == "directions-received-sent-injected"
    assert slug("Windows' own") == "windows-own"
    assert slug("MTU", ["mtu"]) == "mtu-1"
