"""The options of `wintun-api impair` that say what happens to which packets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from wintun_api import netem
from wintun_api.choices import Distribution
from wintun_api.cli import bundle
from wintun_api.cli.exit_codes import ExitCode
from wintun_api.cli.hints import detail_of, hint_of
from wintun_api.cli.options import flag_of
from wintun_api.cli.output import fail

NETWORK = "Network"
PACKETS = "Packets"
TIME, SHARE, RATE, SIZE, COUNT = "TIME", "SHARE", "RATE", "SIZE", "COUNT"
_PROTOCOLS = ("tcp", "udp", "icmp")

# The word of netem, what stands for its value, and its help.
_VALUES = (
    ("delay", TIME, "How long each packet is delayed, such as 100ms or 1.5s."),
    ("jitter", TIME, "How much delays vary, such as 10ms."),
    ("delay_correlation", SHARE, "How much the delay of a packet is like the previous one's."),
    ("loss", SHARE, "The share of packets that are lost, such as 2% or 0.02."),
    ("loss_correlation", SHARE, "How much losses come together, such as 25%."),
    (
        "gilbert_elliott",
        "P,R[,H[,K]]",
        (
            "Losses in bursts, in place of --loss: the probabilities that a good channel becomes "
            "bad, that a bad one becomes good, that a packet passes a bad one, and a good one."
        ),
    ),
    ("duplicate", SHARE, "The share of packets that are delivered twice."),
    ("duplicate_correlation", SHARE, "How much duplicated packets come together."),
    ("corrupt", SHARE, "The share of packets in which one bit is inverted."),
    ("corrupt_correlation", SHARE, "How much corrupted packets come together."),
    ("reorder", SHARE, "The share of packets that overtake those delayed by --delay."),
    ("reorder_correlation", SHARE, "How much reordered packets come together."),
    ("gap", COUNT, "Only every so many packets can be reordered."),
    ("rate", RATE, "The rate at which packets leave, such as 10mbit; mbps is megabytes a second."),
    ("burst", SIZE, "How much may leave at once after a pause, such as 16kb."),
    ("overhead", COUNT, "Bytes that the link adds to each packet, such as 18 for Ethernet."),
    ("limit", COUNT, "How many packets may be delayed at a time; 1000 by default."),
    ("limit_bytes", SIZE, "How many bytes may be delayed at a time; 64mb by default."),
    ("max_size", SIZE, "The largest packet that passes; larger ones vanish."),
)
_FLAGS = (
    ("blackout", "Lose every packet."),
    ("too_big_reply", "Tell the sender of a packet larger than --max-size by ICMP."),
)
_MATCH = (
    ("protocol", "PROTOCOL", "Only packets of tcp, udp, icmp or a protocol number."),
    ("address", "PREFIX", "Only packets from or to this address or prefix."),
    ("source", "PREFIX", "Only packets from this address or prefix."),
    ("destination", "PREFIX", "Only packets to this address or prefix."),
    ("port", "PORT", "Only packets from or to this port or range, such as 5000-5999."),
    ("source_port", "PORT", "Only packets from this port or range."),
    ("destination_port", "PORT", "Only packets to this port or range."),
)
_OTHERS = {*(name for name, *_ in _MATCH), "preset", "seed", "on_change"}
_PLACES = re.compile(r"\b(?:received|injected|match)\.(?=[a-z])")
_MEMBER = re.compile(r"`([a-z_]+)`|\b([a-z]+(?:_[a-z]+)+)\b")


def takes_network() -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `network` has members of one direction."""
    options = [_text(NETWORK, *row) for row in _VALUES]
    distribution = typer.Option(
        "--distribution",
        metavar="SHAPE",
        help=f"The shape of the delays: {', '.join(Distribution)}.",
        rich_help_panel=NETWORK,
    )
    options.insert(
        2, bundle.option("distribution", Annotated[Distribution | None, distribution], None)
    )
    for name, text in _FLAGS:
        flag = typer.Option(flag_of(name), help=text, rich_help_panel=NETWORK)
        options.append(bundle.option(name, Annotated[bool, flag], False))
    return bundle.takes("network", options, _network)


def takes_match() -> Callable[[bundle.Command], bundle.Command]:
    """Return a decorator for a command whose argument `match` has members of a match."""
    return bundle.takes("match", [_text(PACKETS, *row) for row in _MATCH], _match)


def option_of(member: str) -> str:
    """Return the option that sets a member of the API; the member itself if there is none."""
    for word, one in netem.WORDS.items():
        if one.member == member:
            return flag_of(word)
    return flag_of(member) if member in _OTHERS else member


def in_options(detail: str) -> str:
    """Return what the service says is wrong with options in the place of members.

    What is said of both directions is said once.
    """
    said: dict[str, None] = {}
    for part in detail.split("; "):
        plain = _PLACES.sub("", part)
        name, colon, rest = plain.partition(": ")
        first, dot, inner = name.partition(".")
        if colon:
            plain = f"{option_of(first)}{dot}{inner}: {rest}"
        said[_MEMBER.sub(lambda one: option_of(one[1] or one[2]), plain)] = None
    return "; ".join(said)


def refuse(problem: dict[str, Any]) -> NoReturn:
    """End the command with what the service refuses, in the words of the options."""
    errors = problem.get("errors") or []
    said = in_options("; ".join(f"{one['field']}: {one['message']}" for one in errors))
    said = f"{said.removesuffix('.')}." if said else detail_of(problem)
    fail(said, hint_of(problem), code=ExitCode.USAGE, problem=problem)


def _text(panel: str, name: str, metavar: str, help_text: str) -> bundle.Option:
    described = typer.Option(
        flag_of(name),
        metavar=metavar,
        help=help_text,
        rich_help_panel=panel,
        autocompletion=_protocols if name == "protocol" else None,
    )
    return bundle.option(name, Annotated[str | None, described], None)


def _protocols(incomplete: str) -> list[str]:
    return [name for name in _PROTOCOLS if name.startswith(incomplete)]


def _network(**words: Any) -> dict[str, Any]:
    given = {name: value for name, value in words.items() if value not in (None, False)}
    try:
        return netem.members(given)
    except netem.WrongWord as error:
        raise typer.BadParameter(f"{error.problem}.", param_hint=flag_of(error.word)) from None


def _match(**given: str | None) -> dict[str, Any]:
    return {
        name: int(value) if value.isdecimal() and value.isascii() else value
        for name, value in given.items()
        if value is not None
    }
