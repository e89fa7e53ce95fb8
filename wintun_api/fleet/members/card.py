"""What a host says of itself every ten seconds: its card, a small JSON document.

A card is data of a stranger; see `documents`.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field

from wintun_api.fleet.documents import Document, Number, Word, document_of
from wintun_api.fleet.network import MAX_VALUE
from wintun_api.limits import MAX_ADDRESSES

MAX_ADAPTERS: Final = 64
MAX_PREFIXES: Final = 256


class CardAdapter(Document):
    """An adapter of the host's service.

    Attributes:
        name: Its name.
        guid: Its GUID.
        state: Its state.
        addresses: Its addresses, each with its prefix length.
        more_addresses: How many addresses did not fit.
        session: The id of its session; None while none runs.
        received: The packets that its session has received.
        injected: The packets that were injected into it.
    """

    name: Word
    guid: Word
    state: Word
    addresses: list[Word] = Field(default_factory=list, max_length=MAX_ADDRESSES)
    more_addresses: Number = 0
    session: Word | None = None
    received: Number = 0
    injected: Number = 0


class Card(Document):
    """What a host says of itself.

    Attributes:
        name: What its operator calls it.
        version: The version of the agent.
        system: The operating system, in words.
        driver: The driver of its service, and its version.
        adapter: The name of the adapter that has joined.
        prefixes: What it has claimed.
        more_prefixes: How many of these did not fit.
        adapters: The adapters of its service.
        more_adapters: How many adapters did not fit.
        attached: Whether the agent exchanges packets with its service.
        epoch: When this life of the host has begun, in nanoseconds since 1970 by the server's
            clock. It lasts as long as no card comes later than 30 s after the previous one.
        run: A random word that tells two agents with the same key from each other.
        clock_offset_ns: The server's time minus the host's.
        clock_error_ns: How far from this the truth may be.
        counts: What became of packets since the ledger was begun; see `packets.losses`. And
            since the agent was started, what it dropped or could not read; see `packets.counts`.
    """

    name: Word
    version: Word = ""
    system: Word = ""
    driver: Word = ""
    adapter: Word = ""
    prefixes: list[Word] = Field(default_factory=list, max_length=MAX_PREFIXES)
    more_prefixes: Number = 0
    adapters: list[CardAdapter] = Field(default_factory=list, max_length=MAX_ADAPTERS)
    more_adapters: Number = 0
    attached: bool = False
    epoch: Number = 0
    run: Word = ""
    clock_offset_ns: int | None = None
    clock_error_ns: int | None = None
    counts: dict[Word, Number] = Field(default_factory=dict, max_length=64)

    def encoded(self) -> bytes:
        """Return it as JSON of at most 8 KiB, without what does not fit."""
        card = self
        while len(data := card.model_dump_json(exclude_none=True).encode()) > MAX_VALUE:
            if card.adapters:
                kept = len(card.adapters) // 2
                more = card.more_adapters + len(card.adapters) - kept
                card = card.model_copy(
                    update={"adapters": card.adapters[:kept], "more_adapters": more}
                )
            else:
                kept = len(card.prefixes) // 2
                more = card.more_prefixes + len(card.prefixes) - kept
                card = card.model_copy(
                    update={"prefixes": card.prefixes[:kept], "more_prefixes": more}
                )
        return data


def card_of(data: bytes) -> Card | None:
    """Return the card in these bytes; None if they are not one, or too many."""
    return document_of(Card, data, MAX_VALUE)
