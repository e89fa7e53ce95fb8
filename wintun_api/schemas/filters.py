"""Filters of packets, in the language of libpcap."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from wintun_api.limits import MAX_FILTER
from wintun_api.schemas.model import Body, Model

Expression: TypeAlias = Annotated[
    str,
    Field(
        max_length=MAX_FILTER,
        description="A filter in the language of pcap-filter(7), as tcpdump and Wireshark take it "
        "for captures. An empty one lets every packet through.",
        examples=["tcp port 443"],
    ),
]


class FilterCheck(Body):
    """A filter to check."""

    filter: Expression


class FilterFault(Model):
    """What is wrong with a filter."""

    message: str = Field(
        description="What libpcap says about it.",
        examples=["can't parse filter expression: syntax error"],
    )
    offset: int = Field(
        description="Where the fault begins, in characters from the start of the filter, which is "
        "0; the length of the filter if something is missing at its end.",
        examples=[4],
    )


class FilterVerdict(Model):
    """Whether a filter is valid."""

    valid: bool = Field(description="Whether libpcap accepts it.")
    error: FilterFault | None = Field(
        default=None, description="What is wrong with it; null if it is valid."
    )
