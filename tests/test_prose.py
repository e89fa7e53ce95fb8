"""Texts that people read are plain English: full sentences, common words.

Read are the docstrings, comments and texts of the package, the guide, README, the newest part of
CHANGELOG, the descriptions in the API's documents, and the texts of the dashboard.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wintun_api"

# Generated from the API's documents, which are checked themselves.
GENERATED = ("web/src/api/schema.gen.ts",)


# Texts that are being rewritten at present; each entry is the beginning of a path.
class Rule(NamedTuple):
    """A wording that native readers stumble over, and what to write instead."""

    pattern: re.Pattern[str]
    instead: str


def _rule(pattern: str, instead: str) -> Rule:
    return Rule(re.compile(pattern.replace(" ", r"\s"), re.IGNORECASE), instead)


RULES = (
    # "There is no such adapter" and "no longer" are good English; "it is no adapter" is not.
    _rule(
        r"(?<!there )(?<!here )\b(?:is|are|was|were|being) no (?!longer\b|more\b|different\b|"
        r"doubt\b|use\b|place\b|exception\b|better\b|worse\b|less\b|need\b|way\b)",
        'say "is not a ...", "does not have ..." or "there is no ..."',
    ),
    _rule(r"(?<!there )\b(?:is|are) (?-i:none)\b", 'say "is not one", or name what is missing'),
    _rule(r"\bno one of\b", 'say "none of"'),
    _rule(r"\bnobody\b", 'name who is meant: "no client", "no program", "without ..."'),
    _rule(r"\bsomebody\b", 'name who is meant: "another user", "another program", "a client"'),
    _rule(r"\banybody\b", 'name who is meant: "any user", "any client", "other programs"'),
    _rule(r"\beverybody\b", 'name who is meant: "all clients", "every user"'),
    _rule(r"\bwho(?:m)?ever\b", 'name who is meant, as in "a client that ..."'),
    _rule(r"\b(?<!a number )of (?:ours|theirs|yours)\b", 'say "our ...", or whose it is'),
    _rule(r"\bshall\b", 'say "must", "should" or "is to"'),
    _rule(r"\bfor ever\b", 'say "forever", "indefinitely" or give the limit'),
    _rule(r"\b(?:what is|that is|this is) so\b(?! that)", "say what is the case"),
    _rule(r"\bas things are\b", 'say "at present", or name the condition'),
    _rule(r"\bwithout a word\b", 'say "silently" or "without a message"'),
    _rule(r"\bwithout end\b", 'say "endlessly" or "without a limit"'),
    _rule(r"\bnot any ?more\b|\b(?:nothing|none) [a-z ]{0,20}any ?more\b", 'say "no longer"'),
    _rule(r"\blets? go of\b", 'say "releases" or "closes"'),
    _rule(r"\b(?:is|are|was|were) told of\b", 'say "is reported to" or "is notified of"'),
    _rule(r"\btells? of\b", 'say "reports"'),
    _rule(r"\boften(?:er|est)\b", 'say "more often", "most often"'),
    _rule(r"\bthe one before\b", 'say "the previous one"'),
    _rule(r"\bof no use\b", 'say "useless" or "has no effect"'),
    _rule(r"\bin vain\b", 'say "without success"'),
    _rule(r"\b(?:was|were|is|are) started anew\b", 'say "was restarted"'),
    _rule(r"\bstays good\b|\bstill good\b", 'say "is still valid"'),
)


class Text(NamedTuple):
    """A piece of prose and where its first line is."""

    path: str
    line: int
    text: str


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _fault(text: Text) -> Iterator[str]:
    """Yield a sentence for every wording of a text that a rule names."""
    for rule in RULES:
        for match in rule.pattern.finditer(text.text):
            line = text.line + text.text.count("\n", 0, match.start())
            found = " ".join(match.group().split())
            yield f"{text.path}:{line}: {found!r}: {rule.instead}"


def _unwrapped(text: str) -> str:
    """Return a text with blanks for the white space around its line ends, which are kept."""
    return re.sub(r"[ \t]*\n[ \t]*(?:#:?[ \t]*)?", "\n", text).replace("`", "")


def _string_texts(tree: ast.AST, path: str) -> Iterator[Text]:
    """Yield every string with at least three words; the values of an f-string are left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [p.value if isinstance(p, ast.Constant) else "X" for p in node.values]
            value: Any = "".join(str(part) for part in parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            value = node.value
        else:
            continue
        if len(value.split()) > 2:
            yield Text(path, getattr(node, "lineno", 1), _unwrapped(value))


def _comments(source: str, path: str) -> Iterator[Text]:
    """Yield comments; those that fill consecutive lines are one text."""
    block: list[str] = []
    start = last = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        whole = token.line.lstrip().startswith("#")
        if block and (token.start[0] != last + 1 or not whole):
            yield Text(path, start, "\n".join(block))
            block = []
        if not block:
            start = token.start[0]
        block.append(token.string.lstrip("#: "))
        last = token.start[0] if whole else 0
    if block:
        yield Text(path, start, "\n".join(block))


def package_texts() -> Iterator[Text]:
    """Yield docstrings, comments and texts of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        yield from _string_texts(ast.parse(source), _relative(path))
        yield from _comments(source, _relative(path))


def _without_code(text: str) -> str:
    """Return Markdown with its code blocks blanked, line by line."""
    return re.sub(
        r"^ *```.*?^ *```", lambda m: "\n" * m.group().count("\n"), text, flags=re.M | re.S
    )


def markdown_texts() -> Iterator[Text]:
    """Yield README, the guide, the notes for contributors and the newest changes."""
    paths = [
        ROOT / "README.md",
        *(PACKAGE / "guide").glob("*.md"),
        *(ROOT / ".github").glob("*.md"),
    ]
    for path in paths:
        text = _without_code(path.read_text(encoding="utf-8"))
        yield Text(_relative(path), 1, _unwrapped(text))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.split(r"^(?=## )", changes, flags=re.MULTILINE)
    newest = "".join(sections[:2])
    yield Text("CHANGELOG.md", 1, _unwrapped(_without_code(newest)))


def _described(value: object) -> Iterator[str]:
    """Yield the texts for people in a document, at any depth."""
    if isinstance(value, dict):
        for key, member in value.items():
            if key in {"description", "summary", "title", "detail", "hint"} and isinstance(
                member, str
            ):
                yield member
            yield from _described(member)
    elif isinstance(value, list):
        for member in value:
            yield from _described(member)


def document_texts() -> Iterator[Text]:
    """Yield the descriptions in OpenAPI and AsyncAPI; the line is that of the description."""
    for path in sorted((ROOT / "openapi").glob("*api.json")):
        source = path.read_text(encoding="utf-8")
        lines = source.split("\n")
        for text in _described(json.loads(source)):
            quoted = json.dumps(text, ensure_ascii=False)[1:-1]
            line = next((n for n, row in enumerate(lines, 1) if quoted in row), 1)
            yield Text(_relative(path), line, text.replace("\n", " "))


STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|>[^<>{}]+<', re.DOTALL
)


def dashboard_texts() -> Iterator[Text]:
    """Yield texts of at least three words in strings and elements of the dashboard."""
    for suffix in ("*.ts", "*.tsx"):
        for path in sorted((ROOT / "web" / "src").rglob(suffix)):
            if _relative(path) in GENERATED:
                continue
            source = path.read_text(encoding="utf-8")
            for match in STRING.finditer(source):
                text = re.sub(r"\$\{[^}]*\}", "X", match.group())
                if len(text.split()) > 2 and not text.startswith(("//", "/*")):
                    line = source.count("\n", 0, match.start()) + 1
                    yield Text(_relative(path), line, _unwrapped(text))


@pytest.mark.parametrize(
    "texts",
    [package_texts, markdown_texts, document_texts, dashboard_texts],
    ids=lambda f: f.__name__,
)
def test_prose(texts: Callable[[], Iterator[Text]]) -> None:
    """No text has a wording that native readers stumble over; the report says what to write."""
    read = list(texts())
    assert read
    faults = sorted({fault for text in read for fault in _fault(text)})
    assert not faults, "Write it in plain English:\n" + "\n".join(faults)


@pytest.mark.parametrize(
    "sentence",
    [
        "A packet of 3 bytes is no packet.",
        "These are\nno frames.",
        "Nobody has talked yet.",
        "The file belongs to somebody else.",
        "Whoever reads it gets a copy.",
        "A route of ours stays.",
        "The adapter shall be deleted.",
        "It waits for ever.",
        "The kernel tells of every change.",
        "The token itself stays good.",
    ],
)
def test_wordings_that_are_found(sentence: str) -> None:
    """Each of these is reported, with its line and what to write instead."""
    faults = list(_fault(Text("x.py", 7, sentence)))
    assert faults
    assert all(re.match(r"x\.py:[78]: '.+': \w.+", fault) for fault in faults)


@pytest.mark.parametrize(
    "sentence",
    [
        "There is no such adapter.",
        "The token is no longer valid.",
        "If there are no adapters, create one.",
        "There is none with this name.",
        "The adapter is not an IP adapter.",
        "It runs on a thread of its own.",
        "If `schedule` is None, it runs at once.",
        "This is so that the page can be read.",
    ],
)
def test_good_english(sentence: str) -> None:
    """None of these is reported."""
    assert not list(_fault(Text("x.py", 1, sentence)))
