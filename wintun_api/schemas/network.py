"""Addresses, routes and DNS settings in the requests and answers of the API."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Annotated, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictInt,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema

from wintun_api.limits import MAX_ADDRESSES, MAX_METRIC, MAX_ROUTES
from wintun_api.schemas.model import WHOLE, Body, Model, Sparse

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPInterface: TypeAlias = IPv4Interface | IPv6Interface
IPNetwork: TypeAlias = IPv4Network | IPv6Network

_USUAL_NETWORK = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})[./]){4}(?:[0-9]|[12][0-9]|3[0-2])")
_BROADCAST = IPv4Address("255.255.255.255")
# A label of RFC 1035, and underscores, which names in use have.
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"(?!.{{255}}){_LABEL}(?:\.{_LABEL})*\.?")


def _parse_interface(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("an address must be a text such as 10.6.7.7/24")  # noqa: TRY004 - a 422
    if "/" not in value:
        raise ValueError(f"{value!r} has no prefix length; write it as 10.6.7.7/24 or fd06::7/64")
    interface = ip_interface(value)
    ip = interface.ip
    if ip.is_multicast or ip.is_unspecified or ip.is_loopback or ip == _BROADCAST:
        raise ValueError(f"{value} cannot be the address of an adapter")
    if getattr(interface, "scope_id", None):
        raise ValueError(f"{value} has a zone; write the address without it")
    return interface


def _parse_network(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a destination must be a text such as 10.0.0.0/8")  # noqa: TRY004 - a 422
    if "/" not in value:
        raise ValueError(f"{value!r} has no prefix length; write it as 10.0.0.0/8 or fd00::/8")
    try:
        network = _network_of(value)
    except ValueError:
        meant = ip_network(value, strict=False)
        raise ValueError(
            f"{value} has bits beyond its prefix length; do you mean {meant}?"
        ) from None
    if network.network_address.is_multicast and network.is_multicast:
        raise ValueError(f"{value} is a multicast group; the system makes these routes itself")
    return network


def _network_of(text: str) -> IPNetwork:
    # There may be thousands, and the usual form is read in a third of the time by itself.
    if _USUAL_NETWORK.fullmatch(text):
        address, _, length = text.partition("/")
        with suppress(OSError):
            number = int.from_bytes(socket.inet_pton(socket.AF_INET, address), "big")
            return IPv4Network((number, int(length)))
    return IPv6Network(text) if ":" in text else IPv4Network(text)


def _parse_address(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("an address must be a text such as 10.6.7.1")  # noqa: TRY004 - a 422
    address = ip_address(value)
    if address.is_multicast or address.is_unspecified:
        raise ValueError(f"{value} cannot be the address of a host")
    if getattr(address, "scope_id", None):
        raise ValueError(f"{value} has a zone; leave it out")
    return address


def _check_domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError(f"{value!r} is not a domain name; write it as example.com")
    return value.removesuffix(".")


def _text(form: str, description: str, *examples: str) -> WithJsonSchema:
    # JSON Schema has formats for either version of IP, none for both, none with a prefix length.
    return WithJsonSchema(
        {"type": "string", "format": form, "description": description, "examples": list(examples)}
    )


_AS_TEXT = PlainSerializer(str, return_type=str)

IPInterfaceText: TypeAlias = Annotated[
    IPInterface,
    BeforeValidator(_parse_interface),
    _AS_TEXT,
    _text(
        "ip-interface",
        "An IPv4 or IPv6 address with its prefix length.",
        "10.6.7.7/24",
        "fd06:7::7/64",
    ),
]
IPNetworkText: TypeAlias = Annotated[
    IPNetwork,
    BeforeValidator(_parse_network),
    _AS_TEXT,
    _text("ip-network", "An IPv4 or IPv6 network with its prefix length.", "10.0.0.0/8", "::/0"),
]
IPAddressText: TypeAlias = Annotated[
    IPAddress,
    BeforeValidator(_parse_address),
    _AS_TEXT,
    _text("ip-address", "An IPv4 or IPv6 address.", "10.6.7.1", "fd06:7::1"),
]
Domain: TypeAlias = Annotated[
    str,
    AfterValidator(_check_domain),
    Field(
        description="A domain name.",
        examples=["example.com"],
        json_schema_extra={"format": "domain"},
    ),
]
Metric: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_METRIC, examples=[25]), WHOLE]


class Route(Body):
    """A route of the host that leads into the adapter."""

    destination: IPNetworkText
    next_hop: IPAddressText | None = Field(
        default=None,
        description="The IP address of the next hop. Null, which is also the default, means that "
        "the destinations are on the link itself, as in most tunnels.",
    )
    metric: Metric = Field(
        default=0,
        description="The metric of the route; the route with the smallest metric is used. Windows "
        "adds the metric of the interface. 0 means the usual metric of the system.",
    )

    @model_validator(mode="after")
    def _one_version(self) -> Self:
        if self.next_hop is not None and self.next_hop.version != self.destination.version:
            raise ValueError(
                f"{self.next_hop} cannot be the next hop to {self.destination}: "
                "their IP versions differ"
            )
        return self


def _no_route_twice(routes: list[Route]) -> list[Route]:
    # Linux knows a route by destination and metric, Windows by destination and next hop.
    seen = set()
    for route in routes:
        for key in ((route.destination, route.metric), (route.destination, route.next_hop, "")):
            if key in seen:
                raise ValueError(
                    f"{route.destination} is listed twice; two routes to one destination need "
                    "different next hops and different metrics"
                )
            seen.add(key)
    return routes


def _no_address_twice(addresses: list[IPInterface]) -> list[IPInterface]:
    known: dict[IPAddress, IPInterface] = {}
    for one in addresses:
        if known.setdefault(one.ip, one) != one:
            raise ValueError(f"{one.ip} is listed with two prefix lengths; give it one of them")
    return addresses


Addresses: TypeAlias = Annotated[
    list[IPInterfaceText], Field(max_length=MAX_ADDRESSES), AfterValidator(_no_address_twice)
]
Routes: TypeAlias = Annotated[
    list[Route], Field(max_length=MAX_ROUTES), AfterValidator(_no_route_twice)
]
Dns: TypeAlias = Annotated[list[IPAddressText], Field(max_length=16)]
DnsSearch: TypeAlias = Annotated[list[Domain], Field(max_length=16)]


class Members(Sparse):
    """Entries of the settings that are lists. Lists that do not differ are left out."""

    addresses: list[str] | SkipJsonSchema[None] = Field(
        default=None, description="The addresses, each with its prefix length."
    )
    routes: list[Route] | SkipJsonSchema[None] = Field(
        default=None, description="The routes that lead into the adapter."
    )
    dns: list[str] | SkipJsonSchema[None] = Field(default=None, description="The DNS servers.")
    dns_search: list[str] | SkipJsonSchema[None] = Field(
        default=None, description="The domains in which short host names are looked up."
    )


class Difference(Model):
    """How the lists of an adapter differ from those in `wanted`, entry by entry."""

    missing: Members = Field(
        description="The entries that were requested and that the adapter lacks."
    )
    extra: Members = Field(
        description="The entries that the adapter has and that were not requested."
    )


class Wanted(Sparse):
    """The requested settings that do not hold now. Settings that hold are left out.

    `POST /v1/adapters/{guid}/restore` applies all of them again.
    """

    mtu: int | SkipJsonSchema[None] = Field(default=None, description="The requested MTU in bytes.")
    addresses: list[str] | SkipJsonSchema[None] = Field(
        default=None, description="The requested addresses, each with its prefix length."
    )
    metric: int | None = Field(
        default=None,
        description="The requested metric of the interface; null if the system was to choose it.",
    )
    routes: list[Route] | SkipJsonSchema[None] = Field(
        default=None, description="The requested routes into the adapter."
    )
    dns: list[str] | SkipJsonSchema[None] = Field(
        default=None, description="The requested DNS servers."
    )
    dns_search: list[str] | SkipJsonSchema[None] = Field(
        default=None, description="The requested domains in which short host names are looked up."
    )
    link_up: bool | SkipJsonSchema[None] = Field(
        default=None, description="True if another program has set the interface down."
    )
    marks: list[str] | SkipJsonSchema[None] = Field(
        default=None,
        description="The marks that identify the adapter on its device and that another program "
        "has removed: on Linux the alias and alternative names of the interface.",
        examples=[["alias wintun-api/1/deadbabe-cafe-beef-0123-456789abcdef/wintun-api/A1"]],
    )
