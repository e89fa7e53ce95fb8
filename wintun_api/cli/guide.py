"""`wintun-api guide`: the user's guide in the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from wintun_api.cli import options
from wintun_api.cli.output import fail, show_json

if TYPE_CHECKING:
    from markdown_it.token import Token

WIDTH = 100  # columns; longer lines of text are hard to read


def topic_names(incomplete: str) -> list[str]:
    """Return the topics that begin so, for the shell."""
    from wintun_api.guide import topics

    return [topic.name for topic in topics() if topic.name.startswith(incomplete)]


def guide(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC",
            help="The page to read; without one the topics are listed.",
            autocompletion=topic_names,
            show_default=False,
        ),
    ] = None,
    *,
    as_json: options.Json = False,
) -> None:
    """Read the user's guide.

    On a terminal the page is shown by your pager (PAGER). Otherwise its Markdown
    is written as it is.
    """
    import pydoc
    from dataclasses import asdict

    from wintun_api import guide as pages

    if topic is None:
        if as_json:
            show_json([asdict(one) for one in pages.topics()])
            return
        width = max(len(one.name) for one in pages.topics())
        for one in pages.topics():
            typer.echo(f"{one.name:<{width}}  {one.about}")
        typer.echo("\nRead one with: wintun-api guide TOPIC")
        return
    found = pages.find(topic)
    if found is None:
        near = pages.nearest(topic)
        meant = f"Did you mean: wintun-api guide {near}?" if near else ""
        fail(
            f"The guide has no topic {topic!r}.",
            f"{meant} List the topics with: wintun-api guide".lstrip(),
            code=2,
        )
    text = pages.read(found.name)
    if as_json:
        show_json({**asdict(found), "markdown": text})
    elif sys.stdout.isatty():
        # As git does: show a short page at once, and let colours through.
        os.environ.setdefault("LESS", "-FRX")
        pydoc.pager(rendered(text, styled=is_styled()))
    else:
        typer.echo(text, nl=False)


def is_styled() -> bool:
    """Say whether a pager here can show bold text and colours; Windows' own cannot."""
    return sys.platform != "win32" and os.environ.get("TERM") not in (None, "", "dumb")


def rendered(text: str, *, styled: bool) -> str:
    """Return a page of Markdown as a terminal of this width shows it.

    `styled` adds escape sequences, of colours too unless NO_COLOR is set.
    """
    import shutil
    from io import StringIO

    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.markdown import CodeBlock, Markdown
    from rich.text import Text

    class Pasteable(CodeBlock):
        """Code as it is: a line that the page would break could not be pasted."""

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            for line in str(self.text).rstrip().split("\n"):
                yield Text(f"  {line}", style="cyan", no_wrap=True, overflow="ignore")

    class Page(Markdown):
        elements: ClassVar = {**Markdown.elements, "fence": Pasteable, "code_block": Pasteable}

    width = min(shutil.get_terminal_size().columns, WIDTH)
    written = StringIO()
    markdown = Page(text, hyperlinks=False)
    for token in markdown.parsed:
        token.children = list(_without_links(token.children or []))
    console = Console(file=written, force_terminal=styled, width=width, legacy_windows=False)
    console.print(markdown, crop=False)
    return written.getvalue()


def _without_links(tokens: list[Token]) -> Iterator[Token]:
    """Keep the text of links; behind that of another page write the command that shows it."""
    from markdown_it.token import Token

    to = ""
    for token in tokens:
        if token.type == "link_open":
            to = str(token.attrs.get("href", ""))
        name, is_page, _ = to.partition(".md")
        if token.type == "image":
            continue  # a file of the repository, and no text
        if token.type not in ("link_open", "link_close") or to.startswith("https://"):
            yield token
        elif token.type == "link_close" and is_page and "/" not in name:
            yield Token("text", "", 0, content=f" (guide {name})")
