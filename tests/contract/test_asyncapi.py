"""The AsyncAPI document: every socket is in it, and the service sends what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.folder import FOLDER
from tests.contract.routes import routes
from tests.raw_websocket import open_websocket, raw_packets
from tests.running import RunningService
from wintun_api.api import problems, streams
from wintun_api.api.connection import lost_message
from wintun_api.choices import EventType
from wintun_api.hub.losses import Cause, Loss
from wintun_api.packet.build import icmp_echo
from wintun_api.packet.check import BAD_VERSION, TOO_LONG, TOO_SHORT
from wintun_api.schemas.control import (
    Ack,
    Ended,
    Hello,
    LostPackets,
    ReaderLossCause,
    Subprotocol,
)
from wintun_api.schemas.events import DATA, Event, LossCause, Snapshot
from wintun_api.schemas.model import Model
from wintun_api.wire import HEADER_LENGTH, Batch, pack

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_text("utf-8"))
CHANNELS: dict[str, dict[str, Any]] = DOCUMENT["channels"]


def is_whole(model: type[Model], message: Any) -> None:
    """The message has the model's members, all of them and no others."""
    assert model.model_validate(message).model_dump(mode="json") == message


def test_every_socket_is_in_it() -> None:
    """The service has no WebSocket route that the contract does not know."""
    described = {channel["address"] for channel in CHANNELS.values() if "bindings" in channel}
    assert described == {path for method, path in routes() if method == "websocket"}


def test_every_subprotocol_has_a_channel() -> None:
    """What can be negotiated is described."""
    described = {channel.get("x-subprotocol") for channel in CHANNELS.values()} - {None}
    assert described == set(streams.SUBPROTOCOLS)


def test_every_close_code_is_explained() -> None:
    """No socket closes with a code that the contract does not have."""
    codes = {value for name, value in vars(problems).items() if name.startswith("CLOSE_")}
    for channel in CHANNELS.values():
        if "bindings" in channel:
            assert codes <= {int(code) for code in channel["x-close-codes"]}


def test_the_frame_is_the_codecs() -> None:
    """The fields lie where the codec writes them."""
    frame = DOCUMENT["components"]["messages"]["Batch"]["payload"]["x-frame"]
    sizes = {"u16": 2, "u32": 4, "u64": 8}
    data = pack(Batch([b"abc"], sequence=5, time_ns=6, injected=True))
    found, end = {}, 0
    for field in frame["header"]:
        assert field["offset"] == end
        end += sizes[field["type"]]
        found[field["name"]] = int.from_bytes(data[field["offset"] : end], "little")
    assert end == HEADER_LENGTH
    assert found.pop("magic").to_bytes(4, "little") == b"WTB1"
    assert found == {
        "header_length": 32,
        "flags": 4,
        "count": 1,
        "payload_bytes": 3,
        "sequence": 5,
        "time_ns": 6,
    }


def test_control_messages(service: RunningService) -> None:
    """hello, ack and ended are what the service sends."""
    session = service.session(service.adapter(name="OfficeNet"))["id"]
    with raw_packets(service, session) as socket:
        is_whole(Hello, socket.hello)
        ping = icmp_echo("10.6.7.1", "10.6.7.7", identifier=1, sequence=1)
        socket.socket.send(pack(Batch([ping, b"no packet"])))
        is_whole(Ack, socket.text("ack"))
        service.http.delete(f"/v1/sessions/{session}")
        is_whole(Ended, socket.text("ended"))


@pytest.mark.parametrize("injected", [False, True])
def test_loss_is_told_as_described(injected: bool) -> None:
    """Lost is what the service sends."""
    is_whole(LostPackets, lost_message(Loss(count=3, first=7, last=9, injected=injected)))


def test_events(service: RunningService) -> None:
    """The snapshot and every event are what the service sends."""
    with open_websocket(service, "/v1/events") as socket:
        is_whole(Snapshot, json.loads(socket.recv(30)))
        service.session(service.adapter(name="OfficeNet"))
        seen: set[str] = set()
        while not {"adapter.created", "session.started"} <= seen:
            event = json.loads(socket.recv(30))
            is_whole(Event, event)
            is_whole(DATA[EventType(event["type"])], event["data"])
            seen.add(event["type"])


def test_every_payload_has_a_title() -> None:
    """Generators call what has no title AnonymousSchema_1."""
    schemas = DOCUMENT["components"]["schemas"]
    for message in DOCUMENT["components"]["messages"].values():
        payload = message["payload"]
        assert payload.get("title") or schemas[payload["$ref"].rpartition("/")[2]]["title"]
    for name, schema in schemas.items():
        assert schema["title"] == name
        for member in schema.get("properties", {}).values():
            assert "enum" not in member, f"{name}: an enum has a name"


def test_causes_of_loss_are_those_of_the_code() -> None:
    """The enums have the causes that the hub counts and the drivers know."""
    reasons = {"refused_link_down", "refused_host"}
    reasons |= {f"rejected_{one}" for one in (TOO_SHORT, TOO_LONG, BAD_VERSION)}
    own = {Cause.REFUSED, Cause.REJECTED, Cause.UNCLAIMED}
    assert set(LossCause) == set(Cause) - own | reasons
    causes: set[str] = {Cause.RING, Cause.TRUNCATED, Cause.QUEUE, Cause.ENDED}
    assert set(ReaderLossCause) == causes
    assert set(Subprotocol) == set(streams.SUBPROTOCOLS)


def test_every_event_has_a_message() -> None:
    """The data of every type of event is known, and its message is in both streams."""
    assert set(DATA) == set(EventType)
    for channel in ("events", "event_stream"):
        assert len(CHANNELS[channel]["messages"]) == len(EventType) + 2
