"""Read a file that describes an impairment: YAML or JSON, written by hand.

It has what `PUT /v1/sessions/{id}/impairment` takes. The words of the options are understood as
well, with their units: `delay: 100ms` is `delay_ms: 100`. A list is the steps of a scenario, and
`steps`, `loop` and `length` can stand beside the other members.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from wintun_api import netem, quantities
from wintun_api.cli.document import MAX_FILE, Document
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.impairment_options import in_options
from wintun_api.cli.output import fail

Place: TypeAlias = tuple[str | int, ...]  # as the API has it

DIRECTIONS: Final = ("received", "injected")
SCENARIO: Final = ("steps", "loop", "length")
PORTS: Final = ("source_port", "destination_port")
FLAGS: Final = ("blackout", "too_big_reply")
ONES: Final = {"rules": "rule", "steps": "step"}
YES_OR_NO: Final = {
    "yes": True,
    "on": True,
    "true": True,
    "no": False,
    "off": False,
    "false": False,
}
_HINT: Final = "The guide shows such files: wintun-api guide impairment"
_QUOTED: Final = re.compile("`([a-z_]+)`")


def read_file(path: Path, option: str) -> ImpairmentFile:
    """Return what a file describes; `-` is standard input.

    What cannot be read ends the command with a sentence that says where.

    Args:
        path: The file.
        option: The option that names it. `--scenario` takes only what has steps.
    """
    name = "standard input" if str(path) == "-" else str(path)
    document = Document(name, _HINT)
    content = document.load(_read(path, name, option), as_json=path.suffix.lower() == ".json")
    found = ImpairmentFile(document, content)
    if option == "--scenario" and not found.has_steps:
        fail(
            f"{name} has no steps, so it is not a scenario.",
            "To set what is in it, use --file in place of --scenario.",
            code=ExitCode.USAGE,
        )
    return found


def _read(path: Path, name: str, option: str) -> bytes:
    if path == Path():
        fail(f"{option} needs the name of a file; - is standard input.", code=ExitCode.USAGE)
    try:
        if str(path) != "-":
            with path.open("rb") as opened:
                return opened.read(MAX_FILE + 1)
        if sys.stdin is None or sys.stdin.isatty():
            fail(
                "Standard input has no file.",
                f"Write its text into the command: wintun-api impair ADAPTER {option} - < FILE",
                code=ExitCode.USAGE,
            )
        return sys.stdin.buffer.read(MAX_FILE + 1)
    except OSError as error:
        fail(f"Cannot read {name}: {error.strerror or error}.")


class ImpairmentFile:
    """What a file says, as the API takes it, and how the file calls it.

    Attributes:
        body: The body of a request.
    """

    def __init__(self, document: Document, content: Any) -> None:
        self._document = document
        self._written: dict[Place, str] = {}  # how the file calls a member of one direction
        self._options: frozenset[str] = frozenset()
        self._bare = isinstance(content, list) or (isinstance(content, dict) and "steps" in content)
        self.body = self._body(content)

    @property
    def has_steps(self) -> bool:
        """Whether there is a scenario in it."""
        rules = self.body.get("rules")
        ones = [self.body, *(rules if isinstance(rules, list) else ())]
        return any(isinstance(one, dict) and one.get("scenario") is not None for one in ones)

    def body_with(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the body with members from options, which take the place of the file's."""
        self._options = frozenset(options)
        return {**self.body, **options}

    def refuse(self, problem: dict[str, Any]) -> NoReturn:
        """End the command with what the service refuses, in the words of the file."""
        errors = problem.get("errors") or [
            {"field": problem.get("field", ""), "message": problem.get("detail", "")}
        ]
        said = []
        of_file = False
        for error in errors:
            place = _place(str(error["field"]))
            if place and place[0] in self._options:
                said.append(in_options(f"{error['field']}: {error['message']}"))
                continue
            of_file = True
            message = _QUOTED.sub(
                lambda one, place=place: f"`{self._named((*place[:-1], one[1]))}`",  # type: ignore[misc]
                str(error["message"]),
            )
            name = self._spelled(place)
            said.append(f"{name}: {message}" if name else message)
        detail = "; ".join(dict.fromkeys(said))
        fail(
            f"{self._document.name}: {detail}." if of_file else f"{detail}.",
            _HINT if of_file else "Run the command with --help to see what the option takes.",
            code=ExitCode.USAGE,
            problem=problem,
        )

    def _body(self, content: Any) -> dict[str, Any]:
        if isinstance(content, list):
            content = {"steps": content}
        if not isinstance(content, dict) or not content:
            self._document.fail(f"{self._document.name} does not describe an impairment.")
        if "steps" in content:
            if "scenario" in content:
                self._fail(("scenario",), "cannot be beside `steps`; leave one of them out")
            scenario = {name: content[name] for name in SCENARIO if name in content}
            others = {name: value for name, value in content.items() if name not in SCENARIO}
            content = {**others, "scenario": scenario}
        return self._rule(self._renamed(content, (), ("on_change",)), ())

    def _rule(self, rule: Mapping[str, Any], place: Place) -> dict[str, Any]:
        found = self._directions(rule, place)
        if isinstance(found.get("match"), dict):
            found["match"] = self._renamed(found["match"], (*place, "match"), PORTS)
        if isinstance(found.get("scenario"), dict):
            found["scenario"] = self._scenario(found["scenario"], (*place, "scenario"))
        if isinstance(found.get("rules"), list):
            found["rules"] = [
                self._rule(one, (*place, "rules", at)) if isinstance(one, dict) else one
                for at, one in enumerate(found["rules"])
            ]
        return found

    def _scenario(self, scenario: Mapping[str, Any], place: Place) -> dict[str, Any]:
        found = self._times(scenario, place, "length")
        if "loop" in found:
            found["loop"] = _flag(found["loop"])
        if isinstance(found.get("steps"), list):
            found["steps"] = [
                self._times(self._directions(one, step), step, "at", "ramp")
                if isinstance(one, dict)
                else one
                for at, one in enumerate(found["steps"])
                for step in [(*place, "steps", at)]
            ]
        return found

    def _directions(self, holder: Mapping[str, Any], place: Place) -> dict[str, Any]:
        found = dict(holder)
        for name in DIRECTIONS:
            given, side = found.get(name), (*place, name)
            if given is None:
                continue
            if not isinstance(given, dict):
                self._fail(side, f"{given!r} is not what happens to packets; write {{delay: 5ms}}")
            words = {
                word: _flag(value) if netem.member_of(word) in FLAGS else value
                for word, value in given.items()
            }
            self._written.update({(*side, netem.member_of(word)): word for word in words})
            try:
                found[name] = netem.members(words)
            except netem.WrongWord as error:
                self._document.fail(f"{self._document.name}: {self._spelled(side)}.{error}.")
        return found

    def _times(self, holder: Mapping[str, Any], place: Place, *names: str) -> dict[str, Any]:
        found = dict(holder)
        for name in names:
            if isinstance(found.get(name), str):
                try:
                    found[name] = quantities.seconds(found[name])
                except ValueError as error:
                    self._fail((*place, name), str(error))
        return found

    def _renamed(
        self, holder: Mapping[str, Any], place: Place, names: Collection[str]
    ) -> dict[str, Any]:
        """Return the members, of which some may be written with dashes, as options are."""
        found: dict[str, Any] = {}
        for name, value in holder.items():
            plain = name.replace("-", "_")
            plain = plain if plain in names else name
            if plain in found:
                self._fail((*place, name), f"means the same as {plain}; leave one of them out")
            found[plain] = value
        return found

    def _named(self, place: Place) -> str:
        """Return how the file calls a member, or would call it."""
        member = str(place[-1])
        if place in self._written:
            return self._written[place]
        if all(name == inner[-1] for inner, name in self._written.items()):
            return member
        return next((name for name, one in netem.WORDS.items() if one.member == member), member)

    def _spelled(self, place: Place) -> str:
        """Return a place as people count: `rule 1, step 2, received.delay`."""
        texts: list[str] = []
        apart = True
        for at, part in enumerate(place):
            following = place[at + 1] if at + 1 < len(place) else None
            if part == "scenario" and (following == "steps" or (self._bare and following)):
                continue
            if isinstance(part, int) and place[at - 1] in ONES:
                texts.append(f"{ONES[str(place[at - 1])]} {part + 1}")
                apart = True
            elif part in ONES and isinstance(following, int):
                continue
            else:
                name = self._written.get(place[: at + 1], str(part))
                texts[len(texts) - (not apart) :] = [name if apart else f"{texts[-1]}.{name}"]
                apart = False
        return ", ".join(texts)

    def _fail(self, place: Place, problem: str) -> NoReturn:
        self._document.fail(f"{self._document.name}: {self._spelled(place)}: {problem}.")


def _place(field: str) -> Place:
    parts = field.split(".") if field else []
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _flag(value: Any) -> Any:
    return YES_OR_NO.get(value.lower(), value) if isinstance(value, str) else value
