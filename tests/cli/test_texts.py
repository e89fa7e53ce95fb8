"""The texts of the command line: plain words, and advice that can be followed."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup

import wintun_api.cli
from tests.cli.commands import invoke

FOLDER = Path(wintun_api.cli.__path__[0])
MODULES = sorted(FOLDER.glob("*.py"))
EXTRAS_OF_ADVICE = {"speed", "service", "filter", "fleet", "fleet-server"}


def texts(path: Path) -> list[str]:
    """Every text in a module: help, messages and docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_nothing_is_installed_by_a_name_that_is_not_published(path: Path) -> None:
    """Advice to install this project names the source code, never an index where it is not."""
    for text in texts(path):
        assert not re.search(r"(pip|pipx|uv|uvx)\b[^.]*\b(install|run|add)\b[^.]*wintun.api", text)


def test_extras_of_the_advice_exist() -> None:
    """The extras that the advice names, anywhere in the program, are extras of the project."""
    pyproject = FOLDER.parents[1] / "pyproject.toml"
    if not pyproject.exists():
        pytest.skip("the source code is not here")
    known = set(tomllib.loads(pyproject.read_text("utf-8"))["project"]["optional-dependencies"])
    named = {
        extra
        for path in FOLDER.parent.rglob("*.py")
        for extra in re.findall(
            r"""'\.\[([\w-]+)\]'|how_to_install\(["']([\w-]+)["']\)""",
            path.read_text("utf-8"),
        )
    }
    assert {extra for pair in named for extra in pair if extra} == EXTRAS_OF_ADVICE
    assert known >= EXTRAS_OF_ADVICE


@pytest.mark.thorough
def test_commands_of_all_texts_exist() -> None:
    """Every command and option that a text tells people to use exists."""
    found: set[tuple[str, ...]] = set()
    for path in MODULES:
        for text in texts(path):
            plain = re.sub(r"(?<=wintun-api )--host \w+ ", "", text)  # it stands before a command
            for command in re.findall(r"wintun-api ((?:(?:[a-z]+|--[a-z-]+)(?: |$))+)", plain):
                found.add(tuple(command.split()))
    for words in found:
        names = [word for word in words if not word.startswith("-")]
        flags = [word for word in words if word.startswith("-")]
        result = next(
            (
                shown
                for count in (2, 1)
                if names and (shown := invoke(*names[:count], "--help")).exit_code == 0
            ),
            None,
        )
        assert result is not None or not names or names[0] in PROSE, words
        if result is not None:
            assert all(flag in result.stdout for flag in flags), words


# Words that follow the name of the program in sentences that are not commands.
PROSE = {"as", "demo", "serves", "at", "on", "where", "that", "answers"}


@cache
def all_help() -> dict[tuple[str, ...], TyperCommand | TyperGroup]:
    """Every command that the help shows, by its path."""
    from typer.main import get_command

    from wintun_api.cli import app

    found: dict[tuple[str, ...], TyperCommand | TyperGroup] = {}

    def walk(command: TyperCommand | TyperGroup, words: tuple[str, ...]) -> None:
        found[words] = command
        for name, child in getattr(command, "commands", {}).items():
            if not child.hidden:
                walk(child, (*words, name))

    root = get_command(app)
    assert isinstance(root, TyperGroup)
    walk(root, ())
    return found


@pytest.mark.parametrize("words", all_help(), ids=" ".join)
def test_help_is_in_sentences(words: tuple[str, ...]) -> None:
    """The help of every command begins with a sentence and fits a terminal of 80 columns."""
    command = all_help()[words]
    said = (command.help or "").strip().partition("\n\n")[0]
    assert said[0].isupper(), said
    assert said.endswith("."), said
    for parameter in command.params:
        about = getattr(parameter, "help", None) or ""
        assert about == "" or about[0].isupper() or about[0] == "-" or about[0].islower() is False
        assert about == "" or about.endswith("."), about
    shown = invoke(*words, "--help", COLUMNS="80")
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
