"""`wintun-api guide`: topics, pages as text, and pages on a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.cli.commands import COMMAND, environment, invoke
from tests.posix import fork_on_terminal
from wintun_api import guide
from wintun_api.cli.guide import rendered, topic_names

NAMES = [topic.name for topic in guide.topics()]
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def test_the_topics_are_listed() -> None:
    """Without an argument each topic has a line that says what is there."""
    shown = invoke("guide")
    assert shown.exit_code == 0
    for topic in guide.topics():
        assert re.search(rf"^{topic.name} +\S.*", shown.stdout, re.MULTILINE)
    assert "wintun-api guide TOPIC" in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_the_topics_as_json() -> None:
    """Scripts get names, titles and sentences."""
    listed = json.loads(invoke("guide", "--json").stdout)
    assert [one["name"] for one in listed] == NAMES
    assert set(listed[0]) == {"name", "title", "about"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_in_a_pipe(name: str) -> None:
    """A pipe gets the Markdown, without escape sequences and without the marks of the tests."""
    shown = invoke("guide", name)
    assert shown.exit_code == 0
    assert shown.stdout == guide.read(name)
    assert shown.stdout.startswith("# ")
    assert "\x1b" not in shown.stdout
    assert not re.search(r"^ *<!--", shown.stdout, re.MULTILINE)
    assert json.loads(invoke("guide", name, "--json").stdout)["markdown"] == shown.stdout


@pytest.mark.parametrize("name", ["PACKETS", "packets.md", " packets "])
def test_a_name_in_other_clothes(name: str) -> None:
    """Case, blanks and the ending of the file do not matter."""
    assert invoke("guide", name).stdout == guide.read("packets")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("pakets", "packets"), ("netwrok", "network"), ("sett", "settings"), ("build a vpn", "vpn")],
)
def test_a_misspelt_topic(asked: str, meant: str) -> None:
    """The nearest topic is offered."""
    shown = invoke("guide", asked)
    assert shown.exit_code == 2
    assert f"wintun-api guide {meant}?" in shown.stderr
    assert shown.stdout == ""


def test_a_topic_like_none() -> None:
    """Where none is near, the list is."""
    shown = invoke("guide", "zzz")
    assert shown.exit_code == 2
    assert "Did you mean" not in shown.stderr
    assert "wintun-api guide" in shown.stderr


def test_topics_are_completed() -> None:
    """The shell completes the names of topics."""
    assert topic_names("net") == ["network"]
    assert topic_names("") == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("styled", [True, False])
def test_a_page_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch, name: str, *, styled: bool
) -> None:
    """No line is wider than 80 columns, but for code, which stays as it can be pasted."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = ESCAPES.sub("", rendered(guide.read(name), styled=styled)).splitlines()
    code = set()
    for block in re.findall(r"^ *```\w+\n(.*?)^ *```", guide.read(name), re.M | re.S):
        code |= {line.strip() for line in block.splitlines()}
    for line in lines:
        width = sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in line)
        assert width <= 80 or line.strip() in code, line
    shown = {line.strip() for line in lines}
    assert code <= shown


def test_links_name_the_command() -> None:
    """A link to a page becomes the command's own words; a file has its name alone."""
    text = rendered("See [Packets](packets.md#hello) and [it](../../x.c).\n", styled=False)
    assert text.strip() == "See Packets (guide packets) and it."


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of POSIX")
@pytest.mark.parametrize(("term", "styled"), [("xterm-256color", True), ("dumb", False)])
def test_on_a_terminal(tmp_path: Path, term: str, *, styled: bool) -> None:
    """A person gets the page by the pager, styled where the terminal can show it."""
    variables = environment(tmp_path, TERM=term, PAGER="cat", COLUMNS="80")
    child, terminal = fork_on_terminal()
    if child == 0:
        os.execve(COMMAND[0], [*COMMAND, "guide", "exit-codes"], variables)  # pragma: no cover
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:  # the end of a terminal (pty(7))
        pass
    finally:
        os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    text = shown.decode()
    assert "Exit codes" in ESCAPES.sub("", text)
    assert bool(ESCAPES.search(text)) == styled
    assert "| code |" not in text
