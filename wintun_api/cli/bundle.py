"""Options that belong together: written once, and one argument of every command that takes them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Command: TypeAlias = Callable[..., None]
Option: TypeAlias = inspect.Parameter


def option(name: str, kind: Any, default: Any) -> Option:
    """Return an option: its type with Typer's description, and its default."""
    return Option(name, Option.KEYWORD_ONLY, default=default, annotation=kind)


def takes(
    argument: str, options: Sequence[Option], make: Callable[..., object]
) -> Callable[[Command], Command]:
    """Return a decorator for commands that get several options as one argument.

    Typer sees the options at the place of the argument. The command gets what `make` returns when
    it is called with them by their names.

    Args:
        argument: The name of the command's keyword argument.
        options: The options.
        make: Makes the argument of their values.
    """
    names = [one.name for one in options]

    def decorate(command: Command) -> Command:
        signature = inspect.signature(command, eval_str=True)
        if argument not in signature.parameters:
            raise TypeError(f"{command.__name__} has no argument {argument}.")
        parameters: list[inspect.Parameter] = []
        for one in signature.parameters.values():
            parameters += options if one.name == argument else [one]

        @functools.wraps(command)
        def run(**given: Any) -> None:
            made = make(**{name: given.pop(name) for name in names})
            command(**given, **{argument: made})

        run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        return run

    return decorate
