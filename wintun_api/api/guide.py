"""The guide as pages at `/guide`: Markdown to HTML, with a table of contents and anchors.

The pages hold no secret and are the same in every installation, so they need no sign-in: who
cannot sign in may read here how to. They come with the policy of the dashboard's pages, which
allows no script and no style but the service's own files.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from html import escape
from itertools import pairwise
from string import Template
from typing import TYPE_CHECKING

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from wintun_api import guide
from wintun_api.api.access import PUBLIC_PAGE, needs

if TYPE_CHECKING:
    from markdown_it.token import Token

router = APIRouter(include_in_schema=False)

# Files of the repository that the service has too, by their links in the guide.
SERVED = {"../../openapi/openapi.json": "/openapi.json"}
_PAGE_LINK = re.compile(r"(?:(?P<name>[\w-]+)\.md)?(?P<anchor>#[\w-]+)?")


@router.get("/guide")
@needs(PUBLIC_PAGE)
async def show_contents() -> HTMLResponse:
    """Show the list of topics."""
    return HTMLResponse(page(guide.CONTENTS))


@router.get("/guide/{topic}")
@needs(PUBLIC_PAGE)
async def show_topic(topic: str) -> HTMLResponse:
    """Show one topic; a name that no topic has gets a page that says which one is like it."""
    found = guide.find(topic)
    return HTMLResponse(page(found.name)) if found else HTMLResponse(missing(topic), 404)


def _file(name: str, kind: str) -> Callable[[], Awaitable[FileResponse]]:
    async def serve() -> FileResponse:
        return FileResponse(guide.FOLDER / name, media_type=kind)

    return serve


for _path, _name, _kind in (
    ("/guide.css", "page.css", "text/css"),
    ("/guide.js", "theme.js", "text/javascript"),
):
    router.add_api_route(_path, needs(PUBLIC_PAGE)(_file(_name, _kind)), methods=["GET"])


@cache
def page(name: str) -> str:
    """Return the HTML of a page of the guide; `name` is that of a topic, or `guide.CONTENTS`."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(guide.read(name))
    headings = _anchor(tokens)
    for token in tokens:
        token.children = _mapped(token.children or [])
    text = markdown.renderer.render(tokens, markdown.options, {})
    # A wide table scrolls in its own box, so that the page stays as wide as the screen.
    text = text.replace("<table>", '<div class="table" tabindex="0"><table>')
    text = text.replace("</table>", "</table></div>")
    (title, _, _), *parts = headings
    contents = "" if name == guide.CONTENTS else _contents(parts)
    # The table of contents comes behind the title.
    first, end, rest = text.partition("</h1>\n")
    return _framed(title, name, f"{first}{end}{contents}{rest}")


def missing(topic: str) -> str:
    """Return the page for a topic that does not exist."""
    like = guide.nearest(topic)
    meant = f' Did you mean <a href="/guide/{like}">{like}</a>?' if like else ""
    text = (
        "<h1>There is no such page</h1>\n"
        f"<p>The guide has no topic <code>{escape(topic[:100])}</code>.{meant} "
        'All topics are <a href="/guide">on its first page</a>.</p>\n'
    )
    return _framed("There is no such page", None, text)


def _framed(title: str, name: str | None, text: str) -> str:
    frame = Template((guide.FOLDER / "page.html").read_text("utf-8"))
    topics = "".join(
        f'<li><a href="/guide/{one.name}"{_current(one.name == name)}>'
        f"{escape(one.title)}</a></li>\n"
        for one in guide.topics()
    )
    return frame.substitute(title=escape(title), topics=topics, text=text, turn=_turn(name))


def _current(current: bool) -> str:
    return ' aria-current="page"' if current else ""


def _turn(name: str | None) -> str:
    """Return the links to the page before and the page behind."""
    topics = guide.topics()
    place = next((at for at, topic in enumerate(topics) if topic.name == name), None)
    if place is None:
        return ""
    links = [
        (topics[place - 1], "prev", "← ") if place else None,
        (topics[place + 1], "next", "") if place + 1 < len(topics) else None,
    ]
    return '<nav class="turn" aria-label="Pages">{}</nav>\n'.format(
        "".join(
            f'<a rel="{rel}" href="/guide/{one.name}">{before}{escape(one.title)}'
            f"{'' if before else ' →'}</a>"
            for one, rel, before in filter(None, links)
        )
    )


def _contents(headings: Sequence[tuple[str, str, str]]) -> str:
    seconds = [(title, anchor) for title, anchor, tag in headings if tag == "h2"]
    if len(seconds) < 2:
        return ""
    items = "".join(
        f'<li><a href="#{anchor}">{escape(title)}</a></li>\n' for title, anchor in seconds
    )
    head = '<nav class="contents" aria-label="On this page">\n<p>On this page</p>\n'
    return f"{head}<ul>\n{items}</ul>\n</nav>\n"


def _anchor(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """Give every heading an anchor; return title, anchor and tag of each."""
    from markdown_it.token import Token

    found: list[tuple[str, str, str]] = []
    for token, inline in pairwise(tokens):
        if token.type != "heading_open":
            continue
        title = "".join(one.content for one in inline.children or [])
        anchor = slug(title, [one for _, one, _ in found])
        found.append((title, anchor, token.tag))
        token.attrSet("id", anchor)
        if token.tag != "h1":
            link = Token("link_open", "a", 1, attrs=_link_attributes(anchor, title))
            sign = Token("text", "", 0, content="#")
            inline.children = [*(inline.children or []), link, sign, Token("link_close", "a", -1)]
    return found


def _link_attributes(anchor: str, title: str) -> dict[str, str | int | float]:
    return {"class": "anchor", "href": f"#{anchor}", "aria-label": f"Link to: {title}"}


def slug(title: str, taken: Sequence[str] = ()) -> str:
    """Return the anchor of a heading as the repository's web page makes it."""
    plain = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    number = sum(one == plain or re.fullmatch(rf"{plain}-\d+", one) is not None for one in taken)
    return f"{plain}-{number}" if number else plain


def _mapped(tokens: list[Token]) -> list[Token]:
    """Lead links to where the service has what they name; keep the text alone of all others.

    Pictures are left out: they are files of the repository that no installation has.
    """
    kept: list[Token] = []
    dropped = 0
    for token in tokens:
        if token.type == "image":
            continue
        if token.type == "link_open":
            to = target(str(token.attrs.get("href", "")))
            if to is None:
                dropped += 1
                continue
            token.attrSet("href", to)
        elif token.type == "link_close" and dropped:
            dropped -= 1
            continue
        kept.append(token)
    return kept


def target(link: str) -> str | None:
    """Return where a link of the guide leads to at the service; None for what is not there."""
    if link in SERVED:
        return SERVED[link]
    found = _PAGE_LINK.fullmatch(link)
    if found is None:
        return link if link.startswith("https://") else None
    name, anchor = found["name"], found["anchor"] or ""
    if name is None:
        return anchor
    return f"/guide{anchor}" if name == guide.CONTENTS else f"/guide/{name}{anchor}"
