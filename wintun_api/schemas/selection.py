"""The values that select packets: a protocol, an address or prefix, a port or range of ports."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator
from pydantic.json_schema import WithJsonSchema

# IANA, Assigned Internet Protocol Numbers. ICMP has one number in each version of IP.
PROTOCOLS: Final = {"tcp": (6,), "udp": (17,), "icmp": (1, 58)}
# TCP, UDP, DCCP, SCTP and UDP-Lite.
WITH_PORTS: Final = frozenset((6, 17, 33, 132, 136))
MAX_PROTOCOL: Final = 255
MAX_PORT: Final = 65535
MAX_PREFIX: Final = 64  # characters; the longest address of IPv6 has 45


def protocols_of(protocol: int | str) -> frozenset[int]:
    """Return the protocol numbers that the value of a `Match` means."""
    return frozenset((protocol,) if isinstance(protocol, int) else PROTOCOLS[protocol])


def ports_of(ports: int | str) -> tuple[int, int]:
    """Return the first and the last port that the value of a `Match` means."""
    if isinstance(ports, int):
        return ports, ports
    first, _, last = ports.partition("-")
    return int(first), int(last)


def network_of(prefix: str) -> IPv4Network | IPv6Network:
    """Return the network that the value of a `Match` means."""
    return ip_network(prefix)


def prefix_text(network: IPv4Network | IPv6Network) -> str:
    """Return a network as text; without a length if it is one address."""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if single else str(network)


def ports_value(ports: tuple[int, int]) -> int | str:
    """Return a first and a last port as the value of a `Match`."""
    first, last = ports
    return first if first == last else f"{first}-{last}"


def protocol_value(protocols: frozenset[int]) -> int | str:
    """Return protocol numbers as the value of a `Match`."""
    for name, numbers in PROTOCOLS.items():
        if protocols == frozenset(numbers):
            return name
    (number,) = protocols
    return number


def _number(value: object, most: int) -> int | None:
    """Return a whole number from 0 to `most`, which may be a text; None if it is not one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,5}", value):
        value = int(value)
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return value if known else None  # type: ignore[return-value]


def _protocol(value: object) -> int | str:
    if isinstance(value, str) and value.lower() in PROTOCOLS:
        return value.lower()
    number = _number(value, MAX_PROTOCOL)
    if number is None:
        raise ValueError("is not a protocol; write tcp, udp, icmp or a number from 0 to 255")
    return next((name for name, numbers in PROTOCOLS.items() if numbers == (number,)), number)


def _ports(value: object) -> int | str:
    if isinstance(value, str) and "-" in value:
        first, last = (_number(part.strip(), MAX_PORT) for part in value.split("-", 1))
        if first is not None and last is not None and first <= last:
            return ports_value((first, last))
    number = _number(value, MAX_PORT)
    if number is None:
        raise ValueError(
            "is not a port; write a number from 0 to 65535, or a range such as 5000-5999 whose "
            "first port is not above its last one"
        )
    return number


def _prefix(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not an address; write a text such as 10.9.0.0/24")  # noqa: TRY004 - a 422
    if len(value) > MAX_PREFIX:
        raise ValueError("is longer than any address or prefix; write it as 10.9.0.7 or fd09::/64")
    if "%" in value:
        raise ValueError(f"{value!r} has a zone; write the address without it")
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(
            f"{value!r} is not an address or prefix; write it as 10.9.0.7, 10.9.0.0/24 or fd09::/64"
        ) from None
    address, _, length = value.partition("/")
    if length and ip_network(address) != ip_network(network.network_address):
        raise ValueError(f"{value} has bits beyond its prefix length; do you mean {network}?")
    return prefix_text(network)


def _value(kind: str | list[str], **more: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": kind, **more})


ProtocolValue: TypeAlias = Annotated[
    int | str,
    BeforeValidator(_protocol),
    _value(
        ["string", "integer"],
        minimum=0,
        maximum=MAX_PROTOCOL,
        pattern="^(tcp|udp|icmp|[0-9]{1,3})$",
    ),
]
PortsValue: TypeAlias = Annotated[
    int | str,
    BeforeValidator(_ports),
    _value(
        ["string", "integer"],
        minimum=0,
        maximum=MAX_PORT,
        pattern="^[0-9]{1,5}(-[0-9]{1,5})?$",
    ),
]
PrefixText: TypeAlias = Annotated[
    str, BeforeValidator(_prefix), _value("string", format="ip-prefix")
]
