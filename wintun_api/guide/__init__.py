"""The user's guide: one Markdown page per topic, read in three places.

On the repository's web page the files are read as they are; the service shows them at `/guide`
(`api/guide.py`), and `wintun-api guide` in the terminal (`cli/guide.py`). `README.md` is the table
of contents, and the order of the topics is the order of its list.

    page.html   the frame of a page at /guide
    page.css    its style, in both themes
    theme.js    takes the theme that was chosen on the dashboard
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
CONTENTS = "README"
_ENTRY = re.compile(r"^\* \[(?P<title>[^\]]+)\]\((?P<name>[a-z-]+)\.md\): (?P<about>.+)$", re.M)
_MARK = re.compile(r"^ *<!-- [^\n]* -->\n", re.M)


@dataclass(frozen=True, slots=True)
class Topic:
    """One page of the guide.

    Attributes:
        name: The word in `wintun-api guide NAME` and in `/guide/NAME`.
        title: What people call it.
        about: What a reader finds there, in one sentence.
    """

    name: str
    title: str
    about: str


@cache
def topics() -> tuple[Topic, ...]:
    """Return every topic in the order in which a new user reads them."""
    return tuple(Topic(**entry.groupdict()) for entry in _ENTRY.finditer(read(CONTENTS)))


def find(name: str) -> Topic | None:
    """Return the topic with this name, whatever the case; None where no page has it."""
    wanted = name.strip().lower().removesuffix(".md")
    return next((topic for topic in topics() if topic.name == wanted), None)


def nearest(name: str) -> str | None:
    """Return the name of the topic that was probably meant; None where none is like it."""
    by_title = {topic.title.lower(): topic.name for topic in topics()}
    names = [topic.name for topic in topics()]
    wanted = name.strip().lower()
    begun = [one for one in names if wanted and one.startswith(wanted)]
    close = begun or difflib.get_close_matches(wanted, [*names, *by_title], 1, 0.5)
    return by_title.get(close[0], close[0]) if close else None


def read(name: str) -> str:
    """Return the Markdown of a page without the marks of the tests.

    `name` is that of a topic, or `CONTENTS`.
    """
    return _MARK.sub("", (FOLDER / f"{name}.md").read_text("utf-8"))
