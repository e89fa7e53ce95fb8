"""Read and write impairments in the words of tc-netem(8), as people write them.

The members of the API have units in their names, such as `delay_ms` and `rate_bps`, and numbers as
values. People write `delay 100ms loss 2% rate 10mbit`. A table here has both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wintun_api import quantities
from wintun_api.choices import Distribution
from wintun_api.limits import DEFAULT_LIMIT_PACKETS, MAX_PACKET

CHANNEL: Final = ("p", "r", "h", "k")


class WrongWord(ValueError):
    """Report a value that a word of netem does not take; `word` is the word."""

    def __init__(self, word: str, problem: str) -> None:
        super().__init__(f"{word}: {problem}")
        self.word = word
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Word:
    """A word that says something about an impairment.

    Attributes:
        member: The member of the API.
        read: Reads its value; raises ValueError.
        write: Writes a value as people read it.
        bounds: The least and the most that the API takes, where `read` does not check that.
    """

    member: str
    read: Callable[[Any], Any]
    write: Callable[[Any], str] = str
    bounds: tuple[int, int] | None = None

    def value(self, given: Any) -> Any:
        """Return the value of the member.

        Raises:
            ValueError: The word does not take it.
        """
        value = self.read(given)
        if self.bounds is not None:
            least, most = self.bounds
            if value > most:
                raise ValueError(f"{given} is too much; it can be {self.write(most)} at most")
            if value < least:
                raise ValueError(f"{given} is too little; it must be {self.write(least)} at least")
        return value


def _distribution(value: Any) -> str:
    names = [one.value for one in Distribution]
    if value not in names:
        raise ValueError(f"{value!r} is not one of {', '.join(names)}")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004
    return value


def _channel(value: Any) -> dict[str, float]:
    """Read `p,r,h,k` as a text, a sequence or an object; `h` and `k` can be left out."""
    given: Any = value.split(",") if isinstance(value, str) else value
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif isinstance(given, Sequence) and 2 <= len(given) <= len(CHANNEL):
        pairs = list(zip(CHANNEL, given, strict=False))
    else:
        raise ValueError(f"{value!r} is not p,r[,h[,k]], such as 1%,25%")
    return {str(name): quantities.probability(one) for name, one in pairs}


def _channel_text(channel: Mapping[str, float]) -> str:
    return ",".join(quantities.probability_text(channel[name]) for name in CHANNEL)


_CHANCE: Final = (quantities.probability, quantities.probability_text)
_WHOLE: Final = (quantities.whole, str)
_TIME: Final = (quantities.milliseconds, quantities.time_text)
_SIZE: Final = (quantities.whole_bytes, quantities.size_text)
_DELAYS: Final = (0, 600_000)

WORDS: Final[dict[str, Word]] = {
    "delay": Word("delay_ms", *_TIME, _DELAYS),
    "jitter": Word("jitter_ms", *_TIME, _DELAYS),
    "distribution": Word("distribution", _distribution),
    "delay_correlation": Word("delay_correlation", *_CHANCE),
    "loss": Word("loss", *_CHANCE),
    "loss_correlation": Word("loss_correlation", *_CHANCE),
    "gilbert_elliott": Word("gilbert_elliott", _channel, _channel_text),
    "duplicate": Word("duplicate", *_CHANCE),
    "duplicate_correlation": Word("duplicate_correlation", *_CHANCE),
    "corrupt": Word("corrupt", *_CHANCE),
    "corrupt_correlation": Word("corrupt_correlation", *_CHANCE),
    "reorder": Word("reorder", *_CHANCE),
    "reorder_correlation": Word("reorder_correlation", *_CHANCE),
    "gap": Word("reorder_gap", *_WHOLE, (1, 1_000_000)),
    "rate": Word("rate_bps", quantities.bits_per_second, quantities.rate_text, (100, 10**12)),
    "burst": Word("burst_bytes", *_SIZE, (0, 1 << 30)),
    "overhead": Word("overhead_bytes", *_WHOLE, (-64, 1500)),
    "limit": Word("limit_packets", *_WHOLE, (1, 1_000_000)),
    "limit_bytes": Word("limit_bytes", *_SIZE, (1, 1 << 30)),
    "blackout": Word("blackout", _flag),
    "max_size": Word("max_size", *_SIZE, (68, MAX_PACKET)),
    "too_big_reply": Word("too_big_reply", _flag),
}
_BY_MEMBER: Final = {word.member: (name, word) for name, word in WORDS.items()}
# Members whose values are left out where they are these, beside 0, false and null.
_USUAL: Final = {
    "distribution": "uniform",
    "reorder_gap": 1,
    "limit_packets": DEFAULT_LIMIT_PACKETS,
    "limit_bytes": 64 << 20,
}


def member_of(name: str) -> str:
    """Return the member that a name means: a word or a member, with `-` or `_` between its parts.

    A name that is unknown is returned as it is.
    """
    plain = name.replace("-", "_")
    if plain in WORDS:
        return WORDS[plain].member
    return plain if plain in _BY_MEMBER else name


def members(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of the API for one direction, from words and their values.

    A word whose value is None is left out. Members of the API and names that are unknown are passed
    on with their values: the service says what it does not know.

    Raises:
        WrongWord: A word does not take this value, or two names mean the same member.
    """
    found: dict[str, Any] = {}
    given: dict[str, str] = {}
    for name, value in words.items():
        member, word = member_of(name), WORDS.get(name.replace("-", "_"))
        if word is not None and value is None:
            continue
        if member in given:
            raise WrongWord(name, f"means the same as {given[member]}; leave one of them out")
        given[member] = name
        if word is None:
            found[member] = value
            continue
        try:
            found[member] = word.value(value)
        except ValueError as error:
            raise WrongWord(name, str(error)) from None
    return found


def sentence(impairment: Mapping[str, Any] | None) -> str:
    """Return what happens in one direction, as a line of tc-netem; `-` for nothing."""
    parts = []
    for member, (name, word) in _BY_MEMBER.items():
        value = (impairment or {}).get(member)
        if not value or value == _USUAL.get(member):
            continue
        said = name.replace("_", "-")
        parts.append(said if value is True else f"{said} {word.write(value)}")
    return " ".join(parts) or "-"
