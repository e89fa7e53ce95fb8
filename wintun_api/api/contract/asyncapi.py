"""AsyncAPI 3.0 of the packet socket and the events, from the same models as OpenAPI."""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from wintun_api import __version__
from wintun_api.api.contract.frame import frame, frame_text
from wintun_api.api.contract.messages import EXAMPLES, event_name
from wintun_api.api.contract.openapi import LICENSE, SECURITY_SCHEMES
from wintun_api.api.contract.shapes import plain
from wintun_api.api.problems import (
    CLOSE_BAD_FRAME,
    CLOSE_ENDED,
    CLOSE_GOING_AWAY,
    CLOSE_INTERNAL,
    CLOSE_NO_SESSION,
    CLOSE_SCOPE,
    CLOSE_SLOW,
    CLOSE_TOKEN,
)
from wintun_api.api.schemas.control import CONTROL
from wintun_api.api.schemas.events import DATA, Event, Missed, Snapshot
from wintun_api.api.schemas.model import Model
from wintun_api.api.streams import PacketQuery
from wintun_api.api.subprotocols import BEARER, KEY
from wintun_api.capture import pcapng
from wintun_api.hub.events import EventType
from wintun_api.settings import Settings
from wintun_api.wire import BATCH, PCAPNG, RAW

SCHEMAS = "#/components/schemas/"
MESSAGES = "#/components/messages/"
MODELS: tuple[type[Model], ...] = (*CONTROL, Snapshot, Missed)
BINARY = "application/octet-stream"
HOST = f"127.0.0.1:{Settings.model_fields['port'].default}"
PACKETS = "/v1/sessions/{session_id}/packets"
EVENTS = "/v1/events"

DESCRIPTION = f"""
IP packets and events of wintun-api, as they travel. *send* and *receive* below are the service's;
packets that are *received* came from the host, *injected* ones from a client.

A WebSocket signs in like any request, or by offering the subprotocol
`{BEARER}<token as base64url>`, which is never echoed. A signed-in page offers
`{KEY}<key as base64url>` beside its cookie. Compression is off. A handshake that is
refused is answered with a problem document (`application/problem+json`), as in openapi.json; pages
of the service's own origin get the socket accepted and closed with a code of ours instead.
"""
CLOSE_CODES = {
    1000: "The service is done, or the client asked for it.",
    CLOSE_GOING_AWAY: "The service is shutting down.",
    CLOSE_INTERNAL: "The service met an error; its log tells more.",
    CLOSE_TOKEN: "No valid token.",
    CLOSE_SCOPE: "The token does not have the scope.",
    CLOSE_NO_SESSION: "No such session.",
    CLOSE_SLOW: "The client reads too slowly, and asked for overflow=close.",
    CLOSE_ENDED: "The session has ended.",
    CLOSE_BAD_FRAME: "A message that is no batch frame, a text message, or any in v1.pcapng.",
}


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
            "http": _server("http", "The same, for server-sent events."),
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
                    "description": f"The offer `{BEARER}<token as base64url>`, for browsers.",
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
    control = [model.__name__ for model in CONTROL]
    events = ["Snapshot", *map(event_name, EventType), "Missed"]
    query = plain(PacketQuery.model_json_schema(ref_template=SCHEMAS + "{model}"))
    query.pop("$defs")
    since = {"type": "integer", "description": "Resume after this event."}
    return {
        "batches": {
            **_socket(PACKETS, query, "batches", ["Batch", *control]),
            "title": BATCH,
            "description": "Many packets per binary message, JSON in text messages.",
            "x-subprotocol": BATCH,
        },
        "packets": {
            **_socket(PACKETS, query, "packets", ["Packet"]),
            "title": RAW,
            "description": "A bare packet per binary message; also where nothing is offered.",
            "x-subprotocol": RAW,
        },
        "captures": {
            **_socket(PACKETS, query, "captures", ["Blocks"]),
            "title": PCAPNG,
            "description": "A capture in pcapng, whole blocks per binary message.",
            "x-subprotocol": PCAPNG,
        },
        "events": {
            **_socket(EVENTS, {"type": "object", "properties": {"since": since}}, "", events),
            "title": "Events over WebSocket",
            "description": "A snapshot, or what came after event `since`; then every event.",
        },
        "event_stream": {
            "address": EVENTS,
            "title": "Events over HTTP",
            "description": (
                "The same messages as server-sent events: `event` is the type, `id` the id, "
                "`data` the message. Resume with `since` or the header Last-Event-ID."
            ),
            "servers": [{"$ref": "#/servers/http"}],
            "messages": _references(events),
        },
    }


def _socket(
    address: str, query: dict[str, Any], packets: str, messages: list[str]
) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": address,
        "servers": [{"$ref": "#/servers/socket"}],
        "messages": _references(messages),
        "bindings": {"ws": {"method": "GET", "query": query, "bindingVersion": "0.1.0"}},
        "x-close-codes": {str(code): text for code, text in sorted(CLOSE_CODES.items())},
    }
    if packets:
        channel["parameters"] = {"session_id": {"description": "The id of the session."}}
    return channel


def _references(messages: list[str]) -> dict[str, Any]:
    return {name: {"$ref": MESSAGES + name} for name in messages}


def _operations() -> dict[str, Any]:
    control = [model.__name__ for model in CONTROL]
    events = ["Snapshot", *map(event_name, EventType), "Missed"]
    table = (
        ("send_batches", "send", "batches", ["Batch"], "Packets of the session, scope capture."),
        ("send_control", "send", "batches", control, "What happens to packets beside them."),
        ("receive_batches", "receive", "batches", ["Batch"], "Inject packets, scope inject."),
        ("send_packets", "send", "packets", ["Packet"], "Packets of the session, scope capture."),
        ("receive_packets", "receive", "packets", ["Packet"], "Inject packets, scope inject."),
        ("send_blocks", "send", "captures", ["Blocks"], "Packets of the session, scope capture."),
        ("send_events", "send", "events", events, "What happens, scope read."),
        ("stream_events", "send", "event_stream", events, "What happens, scope read."),
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
            "summary": "Binary. Every frame of the file wire-vectors.json is one.",
            "description": frame_text(),
            "contentType": BINARY,
            "payload": {"type": "string", "format": "binary", "x-frame": frame()},
        },
        "Packet": {
            "title": "One IP packet",
            "summary": "Binary: an IPv4 or IPv6 packet from its header on, nothing around it.",
            "contentType": BINARY,
            "payload": {"type": "string", "format": "binary"},
        },
        "Blocks": {
            "title": "Whole pcapng blocks",
            "summary": "Binary. All messages together are a file of application/x-pcapng.",
            "description": getdoc(pcapng) or "",
            "contentType": BINARY,
            "payload": {"type": "string", "format": "binary"},
        },
    }
    for model in MODELS:
        messages[model.__name__] = _message(model.__name__, getdoc(model) or "")
    for kind in EventType:
        messages[event_name(kind)] = _message(event_name(kind), f"The event {kind.value}.")
    return messages


def _message(name: str, text: str) -> dict[str, Any]:
    return {
        "title": name,
        "summary": text,
        "contentType": "application/json",
        "payload": {"$ref": SCHEMAS + name},
        "examples": [{"name": name, "payload": EXAMPLES[name]}],
    }


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [*MODELS, Event, PacketQuery, *DATA.values()]
    _, found = models_json_schema(
        [(model, "serialization") for model in dict.fromkeys(models)],
        ref_template=SCHEMAS + "{model}",
    )
    schemas: dict[str, Any] = plain(found["$defs"])
    event = schemas.pop("Event")
    schemas.pop("PacketQuery")
    for kind, data in DATA.items():
        members = {
            **event["properties"],
            "type": {"const": kind.value, "description": "What happened."},
            "data": {"$ref": SCHEMAS + data.__name__},
        }
        schemas[event_name(kind)] = {**event, "title": event_name(kind), "properties": members}
    return dict(sorted(schemas.items()))
