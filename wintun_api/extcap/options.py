"""What a user can set for a capture: one table for Wireshark's dialog and for the arguments."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from wintun_api.extcap.sentences import sentence
from wintun_api.limits import MAX_PACKET, MAX_RECORDER_SECONDS
from wintun_api.variables import DEFAULT_URL


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the user has set.

    Attributes:
        direction: The packets: `received`, `injected` or `both`.
        snaplen: The bytes to which each packet is cut; 0 for all of them.
        last: The seconds before the start that the capture begins with; 0 for none.
        marks: Whether comments say what happened to packets.
        url: The address of the service; None for the one that the command line would find.
        token_file: The file with the token; None for the one that the command line would find.
    """

    direction: str
    snaplen: int
    last: int
    marks: bool
    url: str | None
    token_file: str | None


@dataclass(frozen=True, slots=True)
class Option:
    """Describe one thing that can be set.

    Attributes:
        call: The argument.
        display: Its name in Wireshark's dialog.
        tooltip: What it is, for the dialog.
        kind: Its type in the words of extcap(4).
        group: The tab of the dialog.
        more: Further fields of its line.
        values: The values of a selector and their names; the first is the default.
    """

    call: str
    display: str
    tooltip: str
    kind: str
    group: str = "Packets"
    more: dict[str, str] = field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The name of the attribute of `Chosen`."""
        return self.call.removeprefix("--").replace("-", "_")

    def lines(self, number: int) -> Iterator[str]:
        """Return the lines by which Wireshark learns of it."""
        yield sentence(
            "arg",
            number=number,
            call=self.call,
            display=self.display,
            tooltip=self.tooltip,
            type=self.kind,
            **self.more,
            group=self.group,
        )
        for place, (value, display) in enumerate(self.values):
            first = "true" if place == 0 else "false"
            yield sentence("value", arg=number, value=value, display=display, default=first)

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Let a parser take it; an empty value is as good as none."""
        kinds: dict[str, dict[str, Any]] = {
            "boolflag": {"action": "store_true"},
            "unsigned": {"type": _number(self.more.get("range", "")), "default": 0},
            "selector": {
                "choices": [value for value, _ in self.values],
                "default": next((value for value, _ in self.values), None),
            },
        }
        more = kinds.get(self.kind, {"type": lambda text: text or None})
        parser.add_argument(self.call, dest=self.name, **more)


OPTIONS: Final = (
    Option(
        "--direction",
        "Packets",
        "Received packets come from this host, injected ones from the application",
        "selector",
        values=(
            ("both", "received and injected"),
            ("received", "received: from the host to the application"),
            ("injected", "injected: from the application to the host"),
        ),
    ),
    Option(
        "--snaplen",
        "Bytes of each packet",
        "Longer packets are cut; 0 keeps all bytes",
        "unsigned",
        more={"range": f"0,{MAX_PACKET}", "default": "0"},
    ),
    Option(
        "--last",
        "Include the last seconds",
        "Begin with what the recorder of the session has of the last seconds; 0 begins now",
        "unsigned",
        more={"range": f"0,{int(MAX_RECORDER_SECONDS)}", "default": "0"},
    ),
    Option(
        "--marks",
        "Comment on packets",
        "Say what an impairment changed or delayed, and add packets that it lost and those of "
        "clients that were rejected",
        "boolflag",
        more={"default": "false"},
    ),
    Option(
        "--url",
        "Address of the service",
        "Left empty, the address that the command line would use",
        "string",
        group="Service",
        more={"placeholder": DEFAULT_URL},
    ),
    Option(
        "--token-file",
        "Token file",
        "The file with a token that allows to capture; left empty, the service's own file",
        "fileselect",
        group="Service",
        more={"mustexist": "false"},
    ),
)


def _number(span: str) -> Any:
    low, _, high = span.partition(",")

    def number(text: str) -> int:
        value = int(text or "0")
        if not int(low) <= value <= int(high):
            raise argparse.ArgumentTypeError(f"it must be from {low} to {high}, not {value}")
        return value

    return number
