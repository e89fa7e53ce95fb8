"""Find the names in a filter that libpcap looks up in the network.

Names of ports and protocols are in files of the system. Every other word that is neither a number,
nor an address, nor a word of the language itself may be the name of a host or of a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

# Where libpcap's own scanner ends its words, nearly enough.
WORD: Final = re.compile(r"\\?[\w.:][\w.:\\-]*|&&|\|\||[<>=!]=|<<|>>|\S")
# What follows is in files of the system, also where `or` lists several.
LOCAL: Final = frozenset(("port", "portrange", "proto", "protochain"))
JOINS: Final = frozenset(("and", "or", "not", "&&", "||", "!", "(", ")"))
# The words of scanner.l of libpcap 1.10 that have a meaning for IP packets. One that is missing
# here is taken for a name, which only makes it wait with the filters that have one.
KEYWORDS: Final = re.compile(
    "src|dst|host|net|mask|gateway|less|greater|len|length|broadcast|multicast|inbound|outbound|"
    "ip|ip6|tcp|udp|sctp|icmp|icmp6|igmp|igrp|pim|vrrp|carp|ah|esp|link|ether|arp|rarp|vlan|mpls|"
    "icmptype|icmpcode|icmp6type|icmp6code|icmp6?-[a-z]+|"
    "tcpflags|tcp-(fin|syn|rst|push|ack|urg|ece|cwr)"
)
NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+(\.[0-9]+){0,3}|.*:.*|\W+")


ADDRESS: Final = "1.1.1.1"  # it can stand where a name can


class Name(NamedTuple):
    """Hold a name in a filter, and where it begins and ends."""

    text: str
    start: int
    end: int


def names_in(expression: str) -> Iterator[Name]:
    """Yield each name that may be looked up in the network."""
    local = False
    for found in WORD.finditer(expression):
        word = found[0]
        if word in LOCAL:
            local = True
        elif KEYWORDS.fullmatch(word):
            local = False
        elif word not in JOINS and not local and not NUMBER.fullmatch(word):
            yield Name(word.removeprefix("\\"), *found.span())


def without_names(expression: str) -> str:
    """Return a filter with an address in the place of each name."""
    pieces, end = [], 0
    for name in names_in(expression):
        pieces += [expression[end : name.start], ADDRESS]
        end = name.end
    return "".join([*pieces, expression[end:]])


def place_of(expression: str, offset: int) -> int:
    """Return where in a filter a word is that is at `offset` of the filter `without_names`."""
    for name in names_in(expression):
        if offset <= name.start:
            break
        offset -= len(ADDRESS) - (name.end - name.start)
    return offset
