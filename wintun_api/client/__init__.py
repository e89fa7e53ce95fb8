"""The typed client of the service.

    asynchronous  AsyncClient and its handles, for programs with an event loop
    synchronous   Client and its handles, generated from it
    operations    the operations of the API, each as a function that returns its request
    call          one request as data, and how its answer is read
    impairments   what sets an impairment again that was replaced
    location      where the service is, and its token
    moments       the times that the service takes as text
    diagnosis     whether it is the service that answers, and what is there instead
    undivided     does what must not be left half done
    problems      what can fail: the exceptions of the client
    burst         what a packet stream gives: bursts, losses and accounts
    packets       packet streams: bursts to the program, packets to the host
    packet_socket  one connection of a packet stream
    handshake     how it is opened
    blocking      packet streams for programs without an event loop
    events        the messages of event streams: which are new, and what they say
    asynchronous_events  event streams for programs with an event loop
    synchronous_events   event streams without one, generated from these
    backoff       how long a stream waits before it connects again

It uses the API as any other program does: it knows the schemas and the wire format, and nothing of
the service itself. A program that creates an adapter and injects a packet:

    from wintun_api.client import Client

    with (
        Client() as client,
        client.adapter("Lab", addresses=["10.9.0.1/24"], mtu=1420) as adapter,
        adapter.session() as session,
    ):
        print(adapter.guid, adapter.info.addresses)
        report = session.inject(packet)
        print(report.accepted, session.refresh().counters.injected.bytes)

Both are gone when the block ends, however it ends.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from wintun_api.client.asynchronous import (
    AsyncAdapterHandle,
    AsyncClient,
    AsyncImpairmentHandle,
    AsyncSessionHandle,
)
from wintun_api.client.backoff import Backoff
from wintun_api.client.burst import Accounts, Burst, Loss
from wintun_api.client.call import UNSET
from wintun_api.client.location import Location, from_config, locate
from wintun_api.client.problems import (
    ClientError,
    ConnectionLost,
    CredentialError,
    Disconnected,
    FilterRefused,
    FrameRefused,
    NotTheService,
    ProblemError,
    ScopeMissing,
    ServiceUnreachable,
    StreamClosed,
    TokenRevoked,
    TooSlow,
    UnexpectedAnswer,
)
from wintun_api.client.synchronous import (
    AdapterHandle,
    Client,
    ImpairmentHandle,
    SessionHandle,
)

if TYPE_CHECKING:
    from wintun_api.client.asynchronous_events import AsyncEventStream
    from wintun_api.client.blocking import PacketStream
    from wintun_api.client.events import UnknownEvent, data_of
    from wintun_api.client.packets import AsyncPacketStream
    from wintun_api.client.synchronous_events import EventStream

__all__ = [
    "UNSET",
    "Accounts",
    "AdapterHandle",
    "AsyncAdapterHandle",
    "AsyncClient",
    "AsyncEventStream",
    "AsyncImpairmentHandle",
    "AsyncPacketStream",
    "AsyncSessionHandle",
    "Backoff",
    "Burst",
    "Client",
    "ClientError",
    "ConnectionLost",
    "CredentialError",
    "Disconnected",
    "EventStream",
    "FilterRefused",
    "FrameRefused",
    "ImpairmentHandle",
    "Location",
    "Loss",
    "NotTheService",
    "PacketStream",
    "ProblemError",
    "ScopeMissing",
    "ServiceUnreachable",
    "SessionHandle",
    "StreamClosed",
    "TokenRevoked",
    "TooSlow",
    "UnexpectedAnswer",
    "UnknownEvent",
    "data_of",
    "from_config",
    "locate",
]

# They need an event loop, which is slow to import; most programs that only make requests do not.
_LATE: Final = {
    "AsyncEventStream": "asynchronous_events",
    "AsyncPacketStream": "packets",
    "EventStream": "synchronous_events",
    "PacketStream": "blocking",
    "UnknownEvent": "events",
    "data_of": "events",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
