"""AsyncAPI 3.0 of the packet socket and the events, made from the same models as OpenAPI."""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tests.contract.frame import frame, frame_text
from tests.contract.messages import EVENT_TEXTS, EXAMPLES, event_name
from wintun_api import __version__
from wintun_api.api.capture_query import AdapterCaptureQuery
from wintun_api.api.holders import HoldQuery
from wintun_api.api.openapi.document import LICENSE, SECURITY_SCHEMES
from wintun_api.api.openapi.enums import described
from wintun_api.api.openapi.shapes import plain
from wintun_api.api.streams import PacketQuery
from wintun_api.api.subprotocols import BEARER, KEY
from wintun_api.capture import pcapng
from wintun_api.choices import SENT_CODES, EventType
from wintun_api.schemas.control import CONTROL, REQUESTS
from wintun_api.schemas.events import DATA, Event, Missed, Snapshot
from wintun_api.schemas.model import Model
from wintun_api.settings import Settings
from wintun_api.wire import BATCH, PCAPNG, RAW, RAW_TYPE

SCHEMAS = "#/components/schemas/"
MESSAGES = "#/components/messages/"
MODELS: tuple[type[Model], ...] = (*CONTROL, *REQUESTS, Snapshot, Missed)
HOST = f"127.0.0.1:{Settings.declared()['port'].default}"
PACKETS = "/v1/sessions/{session_id}/packets"
HELD = "/v1/adapters/{guid}/packets"
# What of the names of a session's channels and operations distinguishes those of an adapter.
OF_ADAPTER = "adapter_"
ADAPTERS = "/v1/capture.pcapng"
EVENTS = "/v1/events"

SEND_PACKETS = "Send the packets of the session; requires the scope `capture`."
SEND_ADAPTERS = "Send the packets of several adapters; requires the scope `capture`."
INJECT_PACKETS = "Inject packets of the client; requires the scope `inject`."
CHANGE = "Change what the client gets."
STARTS = (
    "The session of the adapter is started, which requires the scope `admin`, or the client joins "
    "the one that runs. With `ends`, the session or the adapter ends when the last such client has "
    "gone. "
)
SEND_EVENTS = "Send the events; requires the scope `read`."
DESCRIPTION = f"""
The WebSockets of wintun-api and its stream of server-sent events. They carry IP packets and events.
The actions *send* and *receive* are those of the service. *Received* packets come from the host;
*injected* packets come from a client.

A WebSocket is authenticated like any other request, or by an offer of the subprotocol
`{BEARER}<token as base64url>`, which the service never sends back. A signed-in page offers
`{KEY}<key as base64url>` beside its cookie. Compression is disabled. A handshake that is refused is
answered with a problem document (`application/problem+json`), as in openapi.json. For pages of the
service's own origin, the service instead accepts the socket and closes it with a code from 4000 on.

Within `/v1`, later versions add messages, members and values, but remove none. A client ignores
messages and members that it does not know.
"""
CLOSE_CODES = {str(int(code)): code.reason for code in SENT_CODES}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "wintun-api",
            "version": __version__,
            "description": DESCRIPTION.strip(),
            "license": {"name": LICENSE["name"]},
        },
        "defaultContentType": "application/json",
        "servers": {
            "socket": _server("ws", "The service on this machine, over WebSocket.", "subprotocol"),
            "http": _server(
                "http", "The service on this machine, over HTTP for server-sent events."
            ),
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "schemas": _schemas(),
            "messages": _messages(),
            "securitySchemes": {
                "bearer": SECURITY_SCHEMES["bearer"],
                "cookie": {**SECURITY_SCHEMES["cookie"], "type": "httpApiKey"},
                "subprotocol": {
                    "type": "httpApiKey",
                    "in": "header",
                    "name": "Sec-WebSocket-Protocol",
                    "description": "The offer of the subprotocol "
                    f"`{BEARER}<token as base64url>`, for programs in browsers.",
                },
            },
        },
    }


def _server(protocol: str, text: str, *more: str) -> dict[str, Any]:
    schemes = ("bearer", "cookie", *more)
    return {
        "host": HOST,
        "protocol": protocol,
        "description": text,
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes],
    }


def _channels() -> dict[str, Any]:
    events = ["Snapshot", *map(event_name, EventType), "Missed"]
    since = {
        "type": "integer",
        "description": "The id of the last event that the client has. "
        "The stream continues after it.",
    }
    return {
        **_packet_channels("", PACKETS, PacketQuery, {"session_id": "The id of the session."}),
        **_packet_channels(OF_ADAPTER, HELD, HoldQuery, {"guid": "The GUID of the adapter."}),
        "adapters_capture": {
            **_socket(ADAPTERS, _query_of(AdapterCaptureQuery), {}, ["Blocks"]),
            "title": f"{PCAPNG} of several adapters",
            "description": "Each binary message carries whole blocks of a capture in pcapng that "
            "has an interface for each session. Sessions that start later belong to it from then "
            "on. A client may also connect without an offer of a subprotocol.",
            "x-subprotocol": PCAPNG,
        },
        "events": {
            **_socket(EVENTS, {"type": "object", "properties": {"since": since}}, {}, events),
            "title": "Events over WebSocket",
            "description": "The service first sends a snapshot, or the events after `since`, and "
            "then every event as it happens.",
        },
        "event_stream": {
            "address": EVENTS,
            "title": "Events over HTTP",
            "description": (
                "The same messages as server-sent events. The field `event` is the type of the "
                "message, `id` is its id, and `data` is the message itself. A client that sends "
                "`since` or the header Last-Event-ID gets the events after that id."
            ),
            "servers": [{"$ref": "#/servers/http"}],
            "messages": _references(events),
        },
    }


def _packet_channels(
    prefix: str, address: str, model: type[BaseModel], parameters: dict[str, str]
) -> dict[str, Any]:
    control = [one.__name__ for one in CONTROL]
    query = _query_of(model)
    requests = [one.__name__ for one in REQUESTS]
    start = STARTS if prefix else ""
    return {
        f"{prefix}batches": {
            **_socket(address, query, parameters, ["Batch", *control, *requests]),
            "title": BATCH,
            "description": f"{start}Each binary message carries many packets. Text messages in "
            "JSON report what happens to packets.",
            "x-subprotocol": BATCH,
        },
        f"{prefix}packets": {
            **_socket(address, query, parameters, ["Packet", *requests]),
            "title": RAW,
            "description": f"{start}Each binary message carries one IP packet. This is also the "
            "framing for a client that offers no subprotocol.",
            "x-subprotocol": RAW,
        },
        f"{prefix}captures": {
            **_socket(address, query, parameters, ["Blocks"]),
            "title": PCAPNG,
            "description": f"{start}Each binary message carries whole blocks of a capture in "
            "pcapng.",
            "x-subprotocol": PCAPNG,
        },
    }


def _query_of(model: type[BaseModel]) -> dict[str, Any]:
    query: dict[str, Any] = plain(model.model_json_schema(ref_template=SCHEMAS + "{model}"))
    query.pop("$defs")
    return query


def _socket(
    address: str, query: dict[str, Any], parameters: dict[str, str], messages: list[str]
) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "servers": [{"$ref": "#/servers/socket"}],
        "messages": _references(messages),
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
        "x-close-codes": CLOSE_CODES,
    }
    if parameters:
        channel["parameters"] = {name: {"description": text} for name, text in parameters.items()}
    return channel


def _references(messages: list[str]) -> dict[str, Any]:
    return {name: {"$ref": MESSAGES + name} for name in messages}


def _operations() -> dict[str, Any]:
    control = [model.__name__ for model in CONTROL]
    requests = [model.__name__ for model in REQUESTS]
    events = ["Snapshot", *map(event_name, EventType), "Missed"]
    packets = (
        ("send_batches", "send", "batches", ["Batch"], SEND_PACKETS),
        ("send_control", "send", "batches", control, "Report what happens to packets."),
        ("receive_batches", "receive", "batches", ["Batch"], INJECT_PACKETS),
        ("receive_requests", "receive", "batches", requests, CHANGE),
        ("send_packets", "send", "packets", ["Packet"], SEND_PACKETS),
        ("receive_packets", "receive", "packets", ["Packet"], INJECT_PACKETS),
        ("receive_raw_requests", "receive", "packets", requests, CHANGE),
        ("send_blocks", "send", "captures", ["Blocks"], SEND_PACKETS),
    )
    table = (
        *packets,
        *(
            (OF_ADAPTER + name, action, OF_ADAPTER + channel, messages, summary)
            for name, action, channel, messages, summary in packets
        ),
        ("send_adapters_blocks", "send", "adapters_capture", ["Blocks"], SEND_ADAPTERS),
        ("send_events", "send", "events", events, SEND_EVENTS),
        ("stream_events", "send", "event_stream", events, SEND_EVENTS),
    )
    return {
        name: {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [{"$ref": f"#/channels/{channel}/messages/{m}"} for m in messages],
        }
        for name, action, channel, messages, summary in table
    }


def _messages() -> dict[str, Any]:
    messages: dict[str, Any] = {
        "Batch": {
            "title": "One or more batches back to back",
            "summary": "A binary message. The file wire-vectors.json has examples.",
            "description": frame_text(),
            "contentType": RAW_TYPE,
            "payload": {**_binary("BatchFrame"), "x-frame": frame()},
        },
        "Packet": {
            "title": "One IP packet",
            "summary": "A binary message: an IPv4 or IPv6 packet, without any framing.",
            "contentType": RAW_TYPE,
            "payload": _binary("IpPacket"),
        },
        "Blocks": {
            "title": "Whole pcapng blocks",
            "summary": "A binary message. All messages together form a pcapng file.",
            "description": getdoc(pcapng) or "",
            "contentType": RAW_TYPE,
            "payload": _binary("PcapngBlocks"),
        },
    }
    for model in MODELS:
        messages[model.__name__] = _message(model.__name__, getdoc(model) or "")
    for kind in EventType:
        messages[event_name(kind)] = _message(event_name(kind), EVENT_TEXTS[kind])
    return messages


def _binary(title: str) -> dict[str, Any]:
    return {"title": title, "type": "string", "format": "binary"}


def _message(name: str, text: str) -> dict[str, Any]:
    summary, _, more = text.partition("\n\n")
    return {
        "title": name,
        "summary": " ".join(summary.split()),
        **({"description": " ".join(more.split())} if more else {}),
        "contentType": "application/json",
        "payload": {"$ref": SCHEMAS + name},
        "examples": [{"name": name, "payload": EXAMPLES[name]}],
    }


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [*MODELS, Event, PacketQuery, HoldQuery]
    models += [AdapterCaptureQuery, *DATA.values()]
    _, found = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)],
        ref_template=SCHEMAS + "{model}",
    )
    schemas: dict[str, Any] = described(plain(found["$defs"]))
    event = schemas.pop("Event")
    for query in (PacketQuery, HoldQuery, AdapterCaptureQuery):
        schemas.pop(query.__name__)
    for kind, data in DATA.items():
        members = {
            **event["properties"],
            "type": {
                "title": f"{event_name(kind)}Type",
                "const": kind.value,
                "description": "The type of the event.",
            },
            "data": {"$ref": SCHEMAS + data.__name__},
        }
        schemas[event_name(kind)] = {**event, "title": event_name(kind), "properties": members}
    return dict(sorted(schemas.items()))
