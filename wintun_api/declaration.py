"""Declare settings: each one once, with everything that is to be known of it.

A class of settings is a frozen dataclass whose fields are made with `setting`. What is declared
there is read by `configuration` (flags, environment, TOML file), by the options of the command
line, by the check for misspelt variables and by the guide's page of settings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from enum import Enum
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

PREFIX = "WINTUN_API_"  # of every environment variable
DECLARATION = "declaration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Describe one setting.

    Attributes:
        name: The name of the field, which is the key of the TOML file too.
        type: Its type, as the dataclass has it.
        default: Its default, unless `factory` makes it.
        factory: A function that makes the default, or None.
        help: One or more sentences for users, without the default.
        group: The heading below which help and guide show it.
        commands: The commands that take it as an option.
        flag: The option; for a setting with several values it is given once for each.
        words: The default in words, where its value does not say it.
        at_least: The smallest number.
        above: The number that is just too small.
        at_most: The largest number.
        check: A function that returns the value as it is kept, or raises `ValueError`.
        in_bytes: Whether it is a number of bytes.
        resolved: Whether a relative path on the command line begins in the current directory.
    """

    name: str = ""
    type: Any = str
    default: Any = None
    factory: Callable[[], Any] | None = None
    help: str
    group: str
    commands: frozenset[str]
    flag: str = ""
    words: str = ""
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    check: Callable[[Any], Any] | None = None
    in_bytes: bool = False
    resolved: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def several(self) -> bool:
        """Whether the setting has any number of values."""
        return get_origin(self.type) is tuple

    @property
    def kind(self) -> Any:
        """The type of one value: without None, and of one item if there are several."""
        if self.several:
            return get_args(self.type)[0]
        if get_origin(self.type) not in (Union, UnionType):
            return self.type
        kinds = [kind for kind in get_args(self.type) if kind is not type(None)]
        return Union[tuple(kinds)]  # noqa: UP007 - of a list

    @property
    def values(self) -> tuple[str, ...]:
        """The values to choose from; empty if other values are possible too."""
        kind = self.kind
        if isinstance(kind, type) and issubclass(kind, Enum):
            return tuple(one.value for one in kind)
        return get_args(kind) if get_origin(kind) is Literal else ()

    @property
    def default_text(self) -> str:
        """The default as people read it; empty if it is that nothing is set."""
        if self.words:
            return self.words
        match self.default:
            case None | () | False:
                return ""
            case int(value) if self.in_bytes and value and value % 1024 == 0:
                whole = value % (1 << 20) == 0
                return f"{value} ({value >> 20} MiB)" if whole else f"{value} ({value >> 10} KiB)"
            case float(value):
                return f"{value:g}"
            case value:
                return str(value)


def setting(
    default: Any = None,
    *,
    factory: Callable[[], Any] | None = None,
    help: str,  # noqa: A002 - as for the options that are made of it
    group: str,
    commands: frozenset[str],
    **more: Any,
) -> Any:
    """Return the field of a dataclass that declares a setting.

    Args:
        default: The default.
        factory: A function that makes the default instead.
        help: One or more sentences for users. The default is appended where it is shown.
        group: The heading below which it is shown.
        commands: The commands that take it.
        more: Other attributes of `Declaration`.
    """
    declared = Declaration(help=help, group=group, commands=commands, **more)
    metadata = {DECLARATION: declared}
    if factory is None:
        return field(default=default, metadata=metadata)
    return field(default_factory=factory, metadata=metadata)


def declarations(settings: Any) -> Mapping[str, Declaration]:
    """Return what a class of settings declares, by the name of the field and in its order."""
    return _declarations(settings)


@cache
def _declarations(settings: Any) -> Mapping[str, Declaration]:
    types = get_type_hints(settings)
    found = {}
    for one in dataclasses.fields(settings):
        declared: Declaration = one.metadata[DECLARATION]
        found[one.name] = dataclasses.replace(
            declared,
            name=one.name,
            type=types[one.name],
            default=None if one.default is MISSING else one.default,
            factory=None if one.default_factory is MISSING else one.default_factory,
            flag=declared.flag or "--" + one.name.replace("_", "-"),
        )
    return MappingProxyType(found)
