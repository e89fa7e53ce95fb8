"""Blocks of code in README and the guide, and what checks each of them.

A line above a block says which: `<!-- test: NAME -->` names the test that runs it, which `TESTS`
finds; `<!-- form: REASON -->` says why it cannot be run by a test, so that its form alone is
checked.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from wintun_api import guide

ROOT = Path(__file__).parents[2]
README = "README of the repository"
FENCE = re.compile(
    r"^(?P<indent> *)(?:<!-- (?P<kind>test|form): (?P<mark>[^\n]*?) -->\n(?P=indent))?"
    r"```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
# What shows something and is not pasted.
PICTURES = frozenset({"text"})
# Which file runs the blocks of a name; it has the name in it.
TESTS = {
    "shell": "tests/guide/test_commands.py",
    "serve": "tests/guide/test_commands.py",
    "doctor": "tests/guide/test_commands.py",
    "exit-codes": "tests/guide/test_commands.py",
    "curl": "tests/test_readme.py",
    "tunnel": "tests/test_readme.py",
    "vpn": "tests/guide/test_programs.py",
    "client": "tests/guide/test_programs.py",
    "client-handles": "tests/guide/test_python_client.py",
    "client-impair": "tests/guide/test_python_client.py",
    "client-echo": "tests/guide/test_python_client.py",
    "client-events": "tests/guide/test_python_client.py",
    "client-test": "tests/guide/test_python_client.py",
    "client-tunnel": "tests/guide/test_python_client.py",
    "client-recorder": "tests/guide/test_python_client.py",
    "client-captures": "tests/guide/test_python_client.py",
    "client-node": "tests/guide/test_programs.py",
    "scapy": "tests/testing/test_scapy.py",
    "nginx": "tests/proxies.py",
    "caddy": "tests/proxies.py",
    "haproxy": "tests/proxies.py",
    "socket-unit": "tests/systemd/test_service.py",
    "fixtures": "tests/testing/test_examples.py",
    "impaired-link": "tests/testing/test_examples.py",
    "impairment-file": "tests/guide/test_impairment_files.py",
    "networkd": "tests/systemd/test_networkd.py",
    "network-manager": "tests/systemd/test_networkd.py",
    "fleet-one-machine": "tests/fleet/test_walks.py",
    "fleet-two-machines": "tests/fleet/test_walks.py",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code.

    Attributes:
        page: The name of its page, `README` for that of the repository.
        kind: "test" or "form"; empty where the block has no mark.
        mark: What the mark says.
        language: The word behind the fence.
        text: The code.
    """

    page: str
    kind: str
    mark: str
    language: str
    text: str


def pages() -> dict[str, Path]:
    """Return every page by its name: README and the topics of the guide."""
    found = {README: ROOT / "README.md", guide.CONTENTS: guide.FOLDER / "README.md"}
    return found | {topic.name: guide.FOLDER / f"{topic.name}.md" for topic in guide.topics()}


def source(page: str) -> str:
    """Return the Markdown of a page with its marks."""
    return pages()[page].read_text("utf-8")


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in their order."""
    return [
        Block(
            page,
            found["kind"] or "",
            found["mark"] or "",
            found["language"],
            textwrap.dedent(found["text"]),
        )
        for found in FENCE.finditer(source(page))
    ]


def all_blocks() -> Iterable[Block]:
    """Return the blocks of all pages."""
    return [block for page in pages() for block in blocks(page)]


def marked(page: str, name: str) -> list[str]:
    """Return the code of the blocks of a page that the test `name` runs."""
    return [one.text for one in blocks(page) if one.kind == "test" and one.mark == name]


def only(page: str, name: str) -> str:
    """Return the one block of a page with this name."""
    (found,) = marked(page, name)
    return found
