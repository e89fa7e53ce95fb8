"""Write the synchronous modules of the client, the twins of the asynchronous ones.

To write them: `python -m tests.client.twin`. The twins differ by words alone, in code and in
docstrings, so a table of words makes one of the other, and ruff then formats it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import wintun_api.client

FOLDER = Path(wintun_api.client.__file__).parent
COMMAND = "python -m tests.client.twin"
# What differs beyond words: the order of imports, a loop that only passes things on, and blocks
# that can be one.
FIX = ["check", "--select", "I,F401,UP028,SIM117", "--fix", "--unsafe-fixes", "--quiet"]

# Whole words; an empty one goes with the space behind it.
WORDS = {
    "async": "",
    "await": "",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aiter_bytes": "iter_bytes",
    "aiter_raw": "iter_raw",
    "anext": "next",
    "async_look": "look",
    "async_undivided": "undivided",
    "asynccontextmanager": "contextmanager",
    "asyncio": "threading",
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncAdapterHandle": "AdapterHandle",
    "AsyncBaseTransport": "BaseTransport",
    "AsyncClient": "Client",
    "AsyncEventStream": "EventStream",
    "AsyncImpairmentHandle": "ImpairmentHandle",
    "AsyncIterator": "Iterator",
    "AsyncListener": "Listener",
    "AsyncPacketStream": "PacketStream",
    "AsyncSessionHandle": "SessionHandle",
    "StopAsyncIteration": "StopIteration",
}


@dataclass(frozen=True, slots=True)
class Twins:
    """A module that is written by hand, and the one that is made of it.

    Attributes:
        name: The name of the module.
        twin: The name of its twin.
        sentences: What differs beyond words: sentences, and modules.
    """

    name: str
    twin: str
    sentences: Mapping[str, str]

    @property
    def source(self) -> Path:
        """The file of the module."""
        return FOLDER / f"{self.name}.py"

    @property
    def target(self) -> Path:
        """The file of its twin."""
        return FOLDER / f"{self.twin}.py"

    def written(self) -> str:
        """Return what the twin is to be, not yet formatted."""
        source = self.source.read_text("utf-8")
        here = f"`{self.twin}` is generated from this module: `{COMMAND}` writes it."
        there = f"Generated from `{self.name}` by `{COMMAND}`; change that module."
        sentences = {here: there, "for programs with an": "for programs without an"}
        for sentence, other in {**sentences, **self.sentences}.items():
            words = r"\s+".join(map(re.escape, sentence.split()))
            source, count = re.subn(words, other.replace("\\", r"\\"), source)
            assert count, f"no longer in {self.name}: {sentence}"
        names = "|".join(sorted(WORDS, key=len, reverse=True))
        return re.sub(rf"(?<!\w)({names})\b( ?)", _word, source)

    def generated(self) -> str:
        """Return what the twin is to be."""
        return formatted(self.written(), self.target)


TWINS = (
    Twins(
        "asynchronous",
        "synchronous",
        {
            "from wintun_api.client.asynchronous_events import AsyncEventStream": (
                "from wintun_api.client.synchronous_events import EventStream"
            ),
            "from wintun_api.client.packets import AsyncPacketStream": (
                "from wintun_api.client.blocking import PacketStream"
            ),
            "by the tasks of one event loop": "by threads",
            "a cancellation or a time limit": "Ctrl-C or a time limit",
        },
    ),
    Twins(
        "asynchronous_events",
        "synchronous_events",
        {
            "import asyncio": "import time",
            "asyncio.sleep": "time.sleep",
            "A cancellation or a time limit ends the connection; the next call connects again and "
            "misses nothing, but a short limit over and over gets nothing at all.": (
                "Ctrl-C ends the connection; the next call connects again and misses nothing."
            ),
            "A read that is cancelled loses nothing": "A read that Ctrl-C ends loses nothing",
        },
    ),
)


def formatted(source: str, name: Path) -> str:
    """Return the source of a module as ruff writes it."""
    for command in (FIX, ["format", "--quiet"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(name), "-"],
            input=source,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        source = done.stdout
    return source


def _word(found: re.Match[str]) -> str:
    other = WORDS[found[1]]
    return f"{other}{found[2]}" if other else ""


if __name__ == "__main__":
    for twins in TWINS:
        twins.target.write_text(twins.generated(), "utf-8", newline="\n")
