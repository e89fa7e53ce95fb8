"""The options that set settings, made from the declarations of `settings`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Union, get_origin

import typer

from wintun_api import variables
from wintun_api.cli import bundle
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.hints import hint_for
from wintun_api.cli.output import fail
from wintun_api.cli.wording import about_setting
from wintun_api.declaration import Declaration
from wintun_api.settings import Settings

if TYPE_CHECKING:
    from wintun_api.errors import InvalidSettings
    from wintun_api.files import UntrustedFile

Config = Annotated[
    Path | None,
    typer.Option(
        envvar=variables.CONFIG,
        help="TOML file with settings. Its keys are the names of the options.",
    ),
]


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that a command was given.

    Attributes:
        config: The TOML file, or None.
        given: The settings that were given, by their names.
    """

    config: Path | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, **more: Any) -> Settings:
        """Return the settings, or exit with 2 if one is wrong.

        Args:
            more: Settings that the command sets itself, whatever was given.
        """
        return _read(self.config, {**self.given, **more})

    def given_with(self, **more: Any) -> Flags:
        """Return these flags with others at the end, in place of those that set the same."""
        kept = {name: value for name, value in self.given.items() if name not in more}
        return Flags(self.config, {**kept, **more})

    def words(self) -> list[str]:
        """Return the flags as they are written on a command line, with absolute paths."""
        words: list[str] = []
        if self.config is not None:
            words += ["--config", str(self.config.absolute())]
        for name, value in self.given.items():
            flag = Settings.declared()[name].flag
            for one in value if isinstance(value, list | tuple) else [value]:
                if one is True:
                    words.append(flag)
                elif one is not None and one is not False:
                    words += [flag, str(one.absolute() if isinstance(one, Path) else one)]
        return words


def takes_settings(
    command: str,
    *,
    config: bool = True,
    defaults: Mapping[str, Any] | None = None,
    words: Mapping[str, str] | None = None,
) -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `flags` has the settings it was given.

    Args:
        command: The command, as the declarations of settings name it.
        config: Whether it takes --config too.
        defaults: Defaults that only this command has.
        words: Defaults that only this command has, in words.
    """
    options = [bundle.option("config", Config, None)] if config else []
    for name, one in Settings.declared().items():
        if command in one.commands:
            default = (defaults or {}).get(name)
            text = (words or {}).get(name) or ("" if default is not None else one.default_text)
            options.append(bundle.option(name, _type(one, text), default))
    return bundle.takes("flags", options, _flags)


def _flags(config: Path | None = None, **given: Any) -> Flags:
    return Flags(config, {name: one for name, one in given.items() if one not in (None, [], ())})


def _type(one: Declaration, default: str) -> Any:
    """Return the type of an option with what Typer needs to know of it.

    The option is None where it was not given: the variable or the file has the value then.
    """
    help_text = one.help
    if one.several:
        help_text += " Can be repeated."
    if default:
        help_text += f" The default is {default}."
    described = typer.Option(
        one.flag, help=help_text, rich_help_panel=one.group, resolve_path=one.resolved
    )
    return Annotated[_kind(one) | None, described]


def _kind(one: Declaration) -> Any:
    if one.several:
        return list[one.kind]  # type: ignore[name-defined]  # known at run time only
    # One of several types is a text here: reading the settings tells them apart.
    return str if get_origin(one.kind) in (Union, UnionType) else one.kind


def environment_settings() -> Settings:
    """Return the settings that a service started from this environment would have."""
    config = os.environ.get(variables.CONFIG)
    return _read(Path(config) if config else None, {})


def check_variables() -> None:
    """End the command where a variable of this program has a name that nothing reads."""
    from wintun_api.errors import InvalidSettings

    try:
        variables.check_variables()
    except InvalidSettings as error:
        refuse_settings(error)


def refuse_settings(error: InvalidSettings | UntrustedFile) -> NoReturn:
    """End the command with what is wrong with the settings, or with their file."""
    hint = hint_for(error).replace("another configuration file", "another file with --config")
    said = map(about_setting, getattr(error, "problems", (str(error),)))
    fail(*said, hint, code=ExitCode.USAGE)


def _read(config: Path | None, given: Mapping[str, Any]) -> Settings:
    from wintun_api.config_file import read_settings
    from wintun_api.errors import InvalidSettings
    from wintun_api.files import UntrustedFile

    try:
        return read_settings(config, given)
    except (InvalidSettings, UntrustedFile) as error:
        refuse_settings(error)
