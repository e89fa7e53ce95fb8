"""Read a file in YAML or JSON, written by hand, as the values that JSON knows.

Plain words of YAML are what people mean by them (YAML 1.2): `no` is a text and not false, and `010`
is ten. Numbers that are not decimal are refused.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.output import fail

if TYPE_CHECKING:
    import yaml

MAX_FILE: Final = 1 << 20  # bytes; the longest that the service takes is shorter
MAX_VALUES: Final = 100_000  # aliases in YAML can make a short file long
MAX_DEPTH: Final = 32
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TAG: Final = "tag:yaml.org,2002:"
_OTHER_BASE: Final = "!other-base"
# YAML 1.2.2, 10.3.2: core schema; beside it, `_` may be between digits.
_WORDS: Final = (
    (f"{_TAG}bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    (f"{_TAG}int", "[-+]?[0-9]+(?:_[0-9]+)*", "-+0123456789"),
    (
        f"{_TAG}float",
        (
            r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
        "-+0123456789.",
    ),
    (_OTHER_BASE, "[-+]?0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)", "-+0"),
)


class Document:
    """A file by its name, for what is said about it.

    Attributes:
        name: What it is called in sentences.
        hint: What to do about a file that cannot be read.
    """

    def __init__(self, name: str, hint: str) -> None:
        self.name = name
        self.hint = hint
        self._values = 0

    def load(self, content: bytes, *, as_json: bool) -> Any:
        """Return what the file holds, as JSON knows it."""
        if len(content) > MAX_FILE:
            self.fail(f"{self.name} is longer than {MAX_FILE} bytes.")
        try:
            text = content.decode("utf-16" if content.startswith(_UTF16) else "utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            self.fail(f"{self.name}, line {line}: the text is not in UTF-8.")
        try:
            if as_json or text.lstrip()[:1] in ("{", "["):
                try:
                    return self._plain(json.loads(text, object_pairs_hook=self._once))
                except json.JSONDecodeError as error:
                    if as_json:  # else it can be YAML, which has braces too
                        self.fail(self._at(error.lineno, error.colno, error.msg))
            return self._plain(self._yaml(text))
        except RecursionError:
            self.fail(f"{self.name} is nested too deeply.")

    def _yaml(self, text: str) -> Any:
        import yaml

        class Loader(yaml.SafeLoader):
            """Reads plain values; a name that is there twice is an error, as in JSON."""

            def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
                seen = set()
                for key, _ in node.value:
                    if isinstance(key, yaml.ScalarNode) and key.value in seen:
                        raise yaml.MarkedYAMLError(
                            problem=f"the name {key.value!r} is there twice",
                            problem_mark=key.start_mark,
                        )
                    seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
                return super().construct_mapping(node, deep)

        words = {f"{_TAG}bool", f"{_TAG}int", f"{_TAG}float"}
        Loader.yaml_implicit_resolvers = {
            first: [one for one in found if one[0] not in words]
            for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }
        for tag, pattern, first in _WORDS:
            Loader.add_implicit_resolver(tag, re.compile(f"(?:{pattern})$"), list(first))
        Loader.add_constructor(f"{_TAG}int", lambda _, node: int(node.value))
        Loader.add_constructor(_OTHER_BASE, _refuse_base)

        try:
            return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or error.context or "this is not YAML"
            if mark is None:
                self.fail(f"{self.name}: {problem}.")
            self.fail(self._at(mark.line + 1, mark.column + 1, problem))
        except yaml.reader.ReaderError as error:
            before = text[: error.position]
            line, column = before.count("\n") + 1, error.position - before.rfind("\n")
            self.fail(self._at(line, column, "YAML does not allow this character"))
        except ValueError as error:  # a date such as 2026-13-45
            self.fail(f"{self.name}: {error}.")

    def _once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                self.fail(f"{self.name}: the name {name!r} is there twice.")
            found[name] = value
        return found

    def _plain(self, value: Any, place: str = "", depth: int = 0) -> Any:
        """Return the value, if JSON has its like."""
        self._values += 1
        if self._values > MAX_VALUES or depth > MAX_DEPTH:
            many = "has too many values" if depth <= MAX_DEPTH else "is nested too deeply"
            self.fail(f"{self.name} {many}.")
        where = f" at {place.rstrip('.')}" if place else ""
        if isinstance(value, list):
            return [self._plain(one, f"{place}{at}.", depth + 1) for at, one in enumerate(value)]
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str):
                    self.fail(
                        f"{self.name}: the name {name!r}{where} is not a text; put it in "
                        "quotation marks."
                    )
            return {
                name: self._plain(one, f"{place}{name}.", depth + 1) for name, one in value.items()
            }
        finite = not isinstance(value, float) or math.isfinite(value)
        if not finite or not isinstance(value, str | int | float | None):
            self.fail(f"{self.name}: {value!r}{where} is not a number or a text.")
        return value

    def _at(self, line: int, column: int, problem: str) -> str:
        return f"{self.name}, line {line}, column {column}: {problem}."

    def fail(self, sentence: str) -> NoReturn:
        """End the command with a sentence that names the file."""
        fail(sentence, self.hint, code=ExitCode.USAGE)


def _refuse_base(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> NoReturn:
    import yaml

    raise yaml.MarkedYAMLError(
        problem=f"{node.value} is not a decimal number; write {int(node.value, 0)}",
        problem_mark=node.start_mark,
    )
