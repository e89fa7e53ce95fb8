"""Check the limits of the Wintun API that the DLL leaves to its callers.

The DLL checks neither capacity nor characters, and a name that is too long fails only after the
device was created. The numbers are those of `wintun_api.limits`.
"""

from __future__ import annotations

from wintun_api.errors import InvalidArgument
from wintun_api.limits import (
    DEFAULT_RING_CAPACITY,
    MAX_ADAPTER_NAME,
    MAX_METRIC,
    MAX_MTU,
    MAX_POOL,
    MAX_RING_CAPACITY,
    MIN_MTU,
    MIN_RING_CAPACITY,
)
from wintun_api.visible import first_unseen, has_shape

# 0.14 appends " Tunnel" to its tunnel type, and the result must fit in MAX_ADAPTER_NAME + 8 units.
MAX_TUNNEL_TYPE = MAX_ADAPTER_NAME + 8 - len(" Tunnel") - 1
MAX_POOLS = {"tunnel-type": MAX_TUNNEL_TYPE}  # by generation, if it is not MAX_POOL
RECORD_HEADER = 4  # wintun.h: every packet in a ring is preceded by its size
MIN_MTU_IPV6 = 1280  # RFC 8200, section 5

FORBIDDEN_CHARACTERS = '\\/:*?"<>|'


def check_name(name: str) -> str:
    """Return an adapter name that every driver accepts, or raise `InvalidArgument`."""
    return _check_text("name", name, MAX_ADAPTER_NAME - 1)


def check_pool(pool: str, limit: int = MAX_POOL - 1) -> str:
    """Return a pool name of up to `limit` UTF-16 units, or raise `InvalidArgument`.

    The limit depends on the driver's generation (`Capabilities.max_pool`). For a mere look-up, the
    largest limit of all generations applies.
    """
    return _check_text("pool", pool, limit)


def check_new_name(name: str) -> str:
    """Return a name that an adapter may be given, or raise `InvalidArgument`.

    An adapter that is there may have a name with characters that cannot be seen; a new one may not.
    """
    return _check_visible("name", check_name(name))


def check_new_pool(pool: str, limit: int = MAX_POOL - 1) -> str:
    """Return a pool that a new adapter may be in, or raise `InvalidArgument`, as for a name."""
    return _check_visible("pool", check_pool(pool, limit))


def check_capacity(capacity: int) -> int:
    """Return a valid ring capacity in bytes, or raise `InvalidArgument`."""
    power_of_two = capacity > 0 and capacity & (capacity - 1) == 0
    if power_of_two and MIN_RING_CAPACITY <= capacity <= MAX_RING_CAPACITY:
        return capacity
    raise InvalidArgument(
        "capacity",
        f"{capacity:#x} is not a valid ring capacity; it must be a power of two "
        f"from {MIN_RING_CAPACITY:#x} (128 KiB) to {MAX_RING_CAPACITY:#x} (64 MiB).",
        hint=f"Give no capacity to use the default of {DEFAULT_RING_CAPACITY:#x} (4 MiB).",
    )


def check_mtu(mtu: int) -> int:
    """Return a valid MTU in bytes, or raise `InvalidArgument`."""
    if MIN_MTU <= mtu <= MAX_MTU:
        return mtu
    raise InvalidArgument(
        "mtu",
        f"{mtu} is not a valid MTU; it must be from {MIN_MTU} to {MAX_MTU} bytes.",
        hint=f"Use 1420 for most tunnels; IPv6 needs at least {MIN_MTU_IPV6}.",
    )


def check_metric(metric: int) -> int:
    """Return a valid metric of an interface or a route, or raise `InvalidArgument`."""
    if 0 <= metric <= MAX_METRIC:
        return metric
    raise InvalidArgument(
        "metric", f"{metric} is not a valid metric; it must be from 0 to {MAX_METRIC}."
    )


def _check_visible(field: str, text: str) -> str:
    unseen = first_unseen(text)
    if unseen is not None:
        raise InvalidArgument(
            field,
            f"contains {unseen}, a character that cannot be seen.",
            hint="Leave it out: with such characters, a name can pass for another one.",
        )
    if not has_shape(text):
        raise InvalidArgument(field, "has no character that can be seen.")
    return text


def _check_text(field: str, text: str, limit: int) -> str:
    if not text or text.isspace():
        raise InvalidArgument(field, "must not be empty.")
    try:
        units = len(text.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise InvalidArgument(field, "contains half of a surrogate pair.") from None
    if units > limit:
        whose = " of Wintun 0.14, where it is the tunnel type" if limit == MAX_TUNNEL_TYPE else ""
        raise InvalidArgument(
            field,
            f"has {units} UTF-16 units; {limit} is the limit{whose}.",
            hint="Choose a shorter one. A character beyond U+FFFF, such as most emoji, counts as "
            "two units.",
        )
    for character in text:
        # ctypes would silently cut the text at a NUL.
        if ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0:
            raise InvalidArgument(field, f"contains the control character U+{ord(character):04X}.")
        if character in FORBIDDEN_CHARACTERS:
            raise InvalidArgument(
                field,
                f"contains the character {character}; none of {FORBIDDEN_CHARACTERS} is allowed.",
            )
    return text
