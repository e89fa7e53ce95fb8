"""What Wireshark asks for, read from its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from wintun_api.extcap.options import OPTIONS, Chosen

FILTER = "--extcap-capture-filter"


class WrongRequest(Exception):
    """Report arguments that Wireshark would not have given; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request of Wireshark.

    Attributes:
        interfaces: Whether it asks for the interfaces.
        dlts: Whether it asks for the link types of an interface.
        config: Whether it asks for the options of an interface.
        capture: Whether it starts a capture.
        interface: The interface; None where it names none.
        filter: The capture filter; None where it names none. Alone it is to be checked.
        fifo: The pipe into which the packets are written; None where it names none.
        control_in: The pipe in which the toolbar writes; None where there is no toolbar.
        control_out: The pipe that the toolbar reads; likewise.
        options: The arguments that say what the user has set, as they came.
    """

    interfaces: bool
    dlts: bool
    config: bool
    capture: bool
    interface: str | None
    filter: str | None
    fifo: str | None
    control_in: str | None
    control_out: str | None
    options: tuple[str, ...]

    def chosen(self) -> Chosen:
        """Return what the user has set. What a later version of Wireshark adds is ignored.

        A capture asks for this after it has opened its pipe: Wireshark waits for that, and shows
        what is wrong when the pipe is closed.

        Raises:
            WrongRequest: A value is missing or cannot be one.
        """
        parser = _Parser()
        for option in OPTIONS:
            option.add_to(parser)
        return Chosen(**vars(parser.parse_known_args(self.options)[0]))


def read(arguments: Sequence[str]) -> Request:
    """Return the request in arguments. A value that is missing is None.

    Raises:
        WrongRequest: An argument that takes no value has one.
    """
    parser = _Parser()
    for name in ("interfaces", "dlts", "config"):
        parser.add_argument(f"--extcap-{name}", dest=name, action="store_true")
    parser.add_argument("--capture", action="store_true")
    parser.add_argument("--extcap-interface", dest="interface", nargs="?")
    parser.add_argument(FILTER, dest="filter", nargs="?")
    parser.add_argument("--fifo", nargs="?")
    for name in ("in", "out"):
        parser.add_argument(f"--extcap-control-{name}", dest=f"control_{name}", nargs="?")
    known, options = parser.parse_known_args(_with_filter_in_one_word(arguments))
    return Request(**vars(known), options=tuple(options))


def _with_filter_in_one_word(arguments: Sequence[str]) -> list[str]:
    # A filter can begin with a hyphen, and would otherwise be taken for another option.
    words = iter(arguments)
    return [f"{one}={next(words, '')}" if one == FILTER else one for one in words]


class _Parser(argparse.ArgumentParser):
    def __init__(self) -> None:
        super().__init__(prog="wintun-api extcap", allow_abbrev=False, add_help=False)

    def error(self, message: str) -> NoReturn:
        raise WrongRequest(f"Wrong argument: {message}.")
