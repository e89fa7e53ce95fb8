"""The options that are made from the settings."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from wintun_api.cli import bundle
from wintun_api.cli.setting_options import Flags, takes_settings
from wintun_api.declaration import Declaration
from wintun_api.settings import Settings

DECLARED = Settings.declared()

ONE_MORE = """
import os, sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from wintun_api import settings
from wintun_api.choices import ServiceLogLevel
from wintun_api.declaration import setting

@dataclass(frozen=True, slots=True, kw_only=True)
class More(settings.Settings):
    spare_parts: int = setting(
        7, group="In the store", commands=frozenset({"serve", "doctor", "service"}), at_most=9,
        help="How many parts are spare.",
    )
    paper: Literal["thin", "thick"] = setting(
        "thin", group="In the store", commands=frozenset({"serve"}), help="The paper.",
    )
    colours: tuple[ServiceLogLevel, ...] = setting(
        (), group="In the store", commands=frozenset({"serve"}), help="A colour.",
    )

settings.Settings = More

from typer.main import get_command
from typer.testing import CliRunner
from tests.guide import reference
from wintun_api.cli import app
from wintun_api.cli.service import command_line
from wintun_api.cli.setting_options import Flags, environment_settings
from wintun_api.errors import InvalidSettings

def invoke(*words, **env):
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "200", **env})

def refusal(**given):
    try:
        return More.load(**given).spare_parts
    except InvalidSettings as error:
        return error.problems[0]

commands = get_command(app).commands
several = [commands["serve"], commands["doctor"]]
several += [commands["service"].commands[name] for name in ("install", "run")]
for one in several:
    assert "--spare-parts" in {flag for option in one.params for flag in option.opts}, one.name
for name in ("demo", "health", "status"):
    assert "--spare-parts" not in invoke(name, "--help").stdout, name
for words in (("serve",), ("doctor",), ("service", "install")):
    said = " ".join(invoke(*words, "--help").stdout.replace("│", " ").split())
    assert "In the store" in said
    assert "How many parts are spare. The default is 7." in said, said

said = invoke("serve", "--help").stdout
assert "thin|thick" in said, said
assert "debug|info|warning|error" in said, said
assert "The paper. The default is thin." in said, said
assert "A colour. Can be repeated." in said, said
assert invoke("serve", "--paper", "broad").exit_code == 2

file = Path(sys.argv[1])
file.write_text("spare_parts = 2", encoding="utf-8")
assert More.load(file).spare_parts == 2
assert refusal(spare_parts=10).startswith("--spare-parts: ")
os.environ["WINTUN_API_SPARE_PARTS"] = "3"
assert More.load(file).spare_parts == environment_settings().spare_parts == 3
assert More.load(file, spare_parts=4).spare_parts == 4
os.environ["WINTUN_API_SPARE_PARTS"] = "11"
assert refusal().startswith("WINTUN_API_SPARE_PARTS: ")
del os.environ["WINTUN_API_SPARE_PARTS"]
misspelt = invoke("doctor", WINTUN_API_SPARE_PART="1")
assert "Did you mean WINTUN_API_SPARE_PARTS?" in misspelt.stderr, misspelt.stderr
assert command_line(Flags(None, {"spare_parts": 5})).endswith("service run --spare-parts 5")
page = reference.page()
assert "## In the store" in page
assert "* `--spare-parts`, `WINTUN_API_SPARE_PARTS`, `spare_parts`:" in page
assert "How many parts are spare. Default: 7." in page
print("everywhere")
"""


def test_a_setting_is_declared_in_one_place(tmp_path: Path) -> None:
    """One more field is an option of its commands, a variable, a key, and a row of the guide."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WINTUN_API_")}
    done = subprocess.run(
        [sys.executable, "-c", ONE_MORE, str(tmp_path / "wintun-api.toml")],
        env=kept,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("everywhere\n", "")


def sample(one: Declaration) -> Any:
    """A value of a setting that is not its default."""
    default = one.factory() if one.factory else one.default
    if one.values:
        return next(value for value in one.values if value != default)
    if one.several:
        return ["10.6.7.0/24", "10.6.8.0/24"] if "proxies" in one.name else ["one", "two"]
    if isinstance(default, bool):
        return True
    if isinstance(default, int):
        return default + 1
    if isinstance(default, float):
        return default + 0.5
    return "::1" if one.name == "host" else str(Path("some", one.name).absolute())


def words(one: Declaration, value: Any) -> list[str]:
    """The option of a setting as it is typed."""
    if value is True:
        return [one.flag]
    values = value if isinstance(value, list) else [value]
    return [word for each in values for word in (one.flag, str(each))]


def as_typed(value: Any) -> Any:
    """A value of the settings as `sample` writes it."""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path | StrEnum) else value


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> tuple[typer.Typer, list[Flags]]:
    """A program with the options of serve, and the flags that it was given."""
    for name in [name for name in os.environ if name.startswith("WINTUN_API_")]:
        monkeypatch.delenv(name)
    given: list[Flags] = []
    app = typer.Typer()

    @app.command()
    @takes_settings("serve")
    def command(*, flags: Flags) -> None:
        given.append(flags)

    return app, given


def test_every_option_reaches_the_settings(seen: tuple[typer.Typer, list[Flags]]) -> None:
    """What is typed for each setting is its value, and as a command line it is the same again."""
    app, given = seen
    samples = {name: sample(one) for name, one in DECLARED.items()}
    typed = [word for name, one in DECLARED.items() for word in words(one, samples[name])]
    result = CliRunner().invoke(app, typed)
    assert result.exit_code == 0, result.output
    (flags,) = given
    loaded = {name: as_typed(value) for name, value in asdict(flags.settings()).items()}
    assert loaded == samples
    assert flags.words() == typed


def test_flags_that_a_command_adds() -> None:
    """They stand at the end, once, in place of what was given."""
    data, other = Path("data").absolute(), Path("other").absolute()
    flags = Flags(None, {"data_dir": data, "port": 1}).given_with(data_dir=other)
    assert flags.words() == ["--port", "1", "--data-dir", str(other)]


def test_what_is_not_typed_is_not_given(seen: tuple[typer.Typer, list[Flags]]) -> None:
    """Without an option the settings come from elsewhere."""
    app, given = seen
    CliRunner().invoke(app, [])
    assert given == [Flags()]


@pytest.mark.parametrize("name", DECLARED)
def test_the_default_is_told_once(name: str) -> None:
    """The words for a setting leave its default to the declaration."""
    one = DECLARED[name]
    assert one.help.endswith(".")
    assert "default" not in one.help.lower()


def test_a_bundle_needs_its_argument() -> None:
    """A command that has no argument for the options is refused where it is written."""

    def command() -> None:
        """Do nothing."""

    with pytest.raises(TypeError, match="command has no argument flags"):
        bundle.takes("flags", [], Flags)(command)
