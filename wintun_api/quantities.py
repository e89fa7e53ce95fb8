"""Read and write quantities with units, as tc(8) takes them: times, probabilities, rates, sizes.

A number without a unit is in the unit of the API: milliseconds, a probability from 0 to 1, bits per
second, bytes. Capital letters make no difference, and a space may stand before the unit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

_TIMES: Final = {
    **dict.fromkeys(("", "ms", "msec", "msecs"), 1.0),
    **dict.fromkeys(("s", "sec", "secs"), 1000.0),
    **dict.fromkeys(("us", "usec", "usecs", "µs", "μs"), 0.001),
    **dict.fromkeys(("ns", "nsec", "nsecs"), 0.000_001),
}
_SPANS: Final = {**dict.fromkeys(("", "s", "sec", "secs"), 1), "ms": 0.001, "m": 60, "h": 3600}
# As tc has it, `bps` is bytes per second, and `k` is 1000 in a rate but 1024 in a size.
_POWERS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_RATES: Final = {
    "": 1,
    **{f"{power}bit": factor for power, factor in _POWERS.items()},
    **{f"{power}ibit": factor for power, factor in _BINARY.items() if power},
    **{f"{power}bps": 8 * factor for power, factor in _POWERS.items()},
    **{f"{power}ibps": 8 * factor for power, factor in _BINARY.items() if power},
}
_PACKET_RATES: Final = {"": 1.0, "pps": 1.0, "kpps": 1e3, "mpps": 1e6}
_SIZES: Final = {
    **_BINARY,
    **{f"{power}b": factor for power, factor in _BINARY.items()},
    **{f"{power}ib": factor for power, factor in _BINARY.items() if power},
    **{f"{power}bit": factor / 8 for power, factor in _BINARY.items()},
}
_QUANTITY: Final = re.compile(
    r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*([a-zµμ%]*)\s*", re.IGNORECASE
)
# Minutes and seconds, or hours, minutes and seconds.
_CLOCK: Final = re.compile(
    r"\s*(?:([0-9]{1,3}):(?=[0-5]?[0-9]:))?([0-9]{1,3}):([0-5]?[0-9](?:\.[0-9]+)?)\s*"
)

Value = str | float


def milliseconds(value: Value) -> float:
    """Read a time such as `100ms`, `1.5s` or `250us`.

    Raises:
        ValueError: It is not a time.
    """
    return _plain(_read(value, _TIMES, "a time such as 100ms, 1.5s or 250us"))


def seconds(value: Value) -> float:
    """Read a moment or a length of a scenario, such as `30`, `30s`, `2m` or `1:30`.

    Raises:
        ValueError: It is not a time.
    """
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value)):
        hours, minutes, rest = clock.groups()
        return _plain(int(hours or 0) * 3600 + int(minutes) * 60 + float(rest))
    return _plain(_read(value, _SPANS, "a time such as 30s, 2m or 1:30"))


def probability(value: Value) -> float:
    """Read a probability such as `2%` or `0.02`.

    Raises:
        ValueError: It is not a number from 0 to 1 or from 0% to 100%.
    """
    wanted = "a probability such as 2% or 0.02"
    found = _read(value, {"": 1.0, "%": 0.01}, wanted)
    if not 0 <= found <= 1:
        percent = 1 < found <= 100 and "%" not in str(value)
        instead = f"; write {value}% for {value} in a hundred" if percent else ""
        raise ValueError(f"{value} is not from 0 to 1 or from 0% to 100%{instead}")
    return _plain(found)


def bits_per_second(value: Value) -> int:
    """Read a rate such as `10mbit` or `1.5gbit`; `mbps` is megabytes per second.

    Raises:
        ValueError: It is not a rate.
    """
    return round(_read(value, _RATES, "a rate such as 10mbit or 500kbit"))


def packets_per_second(value: Value) -> float:
    """Read a number of packets a second such as `1000`, `1000pps` or `1.5kpps`.

    Raises:
        ValueError: It is not one.
    """
    return _read(value, _PACKET_RATES, "a rate such as 1000pps or 1.5kpps")


def whole_bytes(value: Value) -> int:
    """Read a size such as `1500`, `16kb` or `1mb`; `kb` is 1024 bytes.

    Raises:
        ValueError: It is not a size.
    """
    return round(_read(value, _SIZES, "a size such as 1500, 16kb or 1mb"))


def whole(value: Value) -> int:
    """Read a whole number.

    Raises:
        ValueError: It is not a whole number.
    """
    found = _read(value, {"": 1}, "a whole number")
    if found != int(found):
        raise ValueError(f"{value} is not a whole number")
    return int(found)


def time_text(number: float) -> str:
    """Write milliseconds in the largest unit of which there is one or more."""
    for unit, factor in (("s", 1000.0), ("ms", 1.0), ("us", 0.001)):
        if number >= factor or unit == "us":
            return f"{_short(number / factor)}{unit}" if number else "0ms"
    raise AssertionError("unreachable")


def probability_text(number: float) -> str:
    """Write a probability as a percentage."""
    return f"{_short(number * 100)}%"


def rate_text(number: float) -> str:
    """Write bits per second in the largest unit of which there is one or more."""
    for power in ("t", "g", "m", "k"):
        if number >= _POWERS[power]:
            return f"{_short(number / _POWERS[power])}{power}bit"
    return f"{_short(number)}bit"


def size_text(number: int) -> str:
    """Write bytes; in a larger unit where that is exact."""
    for power in ("g", "m", "k"):
        if number and number % _BINARY[power] == 0:
            return f"{number // _BINARY[power]}{power}b"
    return f"{number}b"


def _read(value: Value, units: Mapping[str, float], wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{value!r} is not {wanted}")  # noqa: TRY004 - one error for all callers
    found = _QUANTITY.fullmatch(str(value))
    unit = found[2].lower() if found else ""
    if found is None or unit not in units:
        raise ValueError(f"{value!r} is not {wanted}")
    number, factor = float(found[1]), units[unit]
    scaled = number * factor
    if not math.isfinite(scaled):
        raise ValueError(f"{value!r} is too large")
    # A division is exact where a multiplication by 0.01 is not: 7% is 0.07.
    if factor < 1:
        scaled = number / round(1 / factor)
    return scaled


def _plain(number: float) -> float:
    """Return a number as an int where it is whole, so that JSON shows 100 and not 100.0."""
    return int(number) if number == int(number) else number


def _short(number: float) -> str:
    return f"{number:.6g}"
